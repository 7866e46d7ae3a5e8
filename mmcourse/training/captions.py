"""Train a captioner on pictures with captions, and let it speak."""

import os
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.data.caption_tokens import CaptionTokens
from mmcourse.decoders.decoding import beam_search
from mmcourse.training.device import pick_device
from mmcourse.training.fit import _check_options, _home, _split

if TYPE_CHECKING:
    import torch

    from mmcourse.decoders.torch.captioner import Captioner

WARM_UP = 0.1  # the share of the steps in which the learning rate rises


def fit_captions(
    model: "Captioner",
    images: np.ndarray,
    ids: np.ndarray,
    *,
    epochs: int,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.01,
    seed: int,
    device: "torch.device | str | None" = None,
    progress: bool = True,
) -> tuple[float, ...]:
    """Minimise the cross-entropy of every next word, given the true words before it, with AdamW, in place.

    images: (n, channels, height, width);  ids: (n, length) as CaptionTokens gives them, 0 is padding
    The model reads ids[:, :-1] and is to say ids[:, 1:]. The learning rate rises, then falls in a cosine to zero. The
    seed decides the order; batches are of whole size, and the rows left over in an epoch are left out.
    returns the mean loss of each epoch, in nats a word.  The bar is silent without `progress` and where MMCOURSE_STORED
    is set.  Raises ValueError for options out of range, FloatingPointError for a loss that is not finite.
    Source: Loshchilov and Hutter (2019) for AdamW.
    """
    import torch
    from tqdm import tqdm

    from mmcourse.decoders.torch import sequence_cross_entropy

    where = "fit_captions"
    _check_options(where, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay)
    if np.ndim(ids) != 2:
        raise ValueError(f"{where}: ids: got shape {np.shape(ids)}, wanted (n, length)")
    if len(images) != len(ids):
        raise ValueError(f"{where}: ids: got {len(ids)} rows, wanted {len(images)} as in images")
    if len(images) < batch_size:
        raise ValueError(f"{where}: images: got {len(images)} rows, wanted at least {batch_size}, one batch")
    device = pick_device() if device is None else torch.device(device)
    model.to(device).train()
    pictures, words = (torch.as_tensor(rows, device=device) for rows in (images, ids))
    steps, order, losses = len(images) // batch_size, np.random.default_rng(seed), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=epochs * steps, pct_start=WARM_UP + 1e-9
    )
    silent = not progress or bool(os.environ.get("MMCOURSE_STORED"))
    for epoch in tqdm(range(1, epochs + 1), desc=where, unit="epoch", disable=silent, leave=False):
        total, shuffled = 0.0, order.permutation(len(images))[: steps * batch_size]
        for rows in _split(shuffled, batch_size):
            read, said = words[rows, :-1], words[rows, 1:]
            loss = sequence_cross_entropy(model(pictures[rows], read, read != 0), said, said != 0)
            if not torch.isfinite(loss):
                raise FloatingPointError(f"{where}: epoch {epoch}: got a loss of {loss.item()}, wanted a finite one")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        losses.append(total / steps)
    return tuple(losses)


def caption(
    model: "Captioner",
    images: np.ndarray,
    tokens: CaptionTokens,
    *,
    max_length: int,
    width: int = 1,
    length_penalty: float = 0.0,
    batch_size: int = 256,
) -> tuple[tuple[str, ...], np.ndarray]:
    """The captions that beam search finds, with width 1 greedy search, and their log-probabilities (n,).

    images: (n, channels, height, width);  max_length: of words, the end token counted
    The model is asked in evaluation mode, without gradients; its training mode is put back afterwards.
    Raises ValueError for no images, and for tokens of another count than that of the decoder.
    """
    import torch

    from mmcourse.decoders.torch import StepOf

    _check_options("caption", batch_size=batch_size)
    if len(images) == 0:
        raise ValueError("caption: images: got no rows, wanted at least 1")
    known = model.decoder.out_dim
    if tokens.count != known:
        raise ValueError(f"caption: tokens: got {tokens.count} ids, wanted {known}, one for each logit of the decoder")
    was_training, device = model.training, _home(model)
    model.eval()
    captions: list[str] = []
    scores = []
    try:
        for rows in _split(np.arange(len(images)), batch_size):
            with torch.no_grad():
                state = model.begin(torch.as_tensor(images[rows], device=device))
            first, step = np.full(len(rows), tokens.start), StepOf(model.decoder)
            found = beam_search(
                step,
                state,
                first=first,
                end=tokens.end,
                max_length=max_length,
                width=width,
                length_penalty=length_penalty,
            ).best()
            captions += tokens.decode(found.words)
            scores.append(found.log_probability)
    finally:
        model.train(was_training)
    return tuple(captions), np.concatenate(scores)

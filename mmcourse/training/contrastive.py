"""Train two encoders so that what belongs together meets, and ask them for their directions."""

import inspect
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.training.device import pick_device
from mmcourse.training.fit import _check_options, _home, _split

if TYPE_CHECKING:
    import torch

    from mmcourse.alignment.torch.base import ContrastiveLoss

WARM_UP = 0.2  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class PairHistory:
    """What fit_pairs saw: mean training loss of each epoch, and the scale of the loss after it."""

    loss: tuple[float, ...]
    scale: tuple[float, ...]


def fit_pairs(
    image_encoder: "torch.nn.Module",
    text_encoder: "torch.nn.Module",
    loss: "ContrastiveLoss",
    images: np.ndarray,
    texts: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    epochs: int,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.05,
    seed: int,
    device: "torch.device | str | None" = None,
    progress: bool = True,
) -> PairHistory:
    """Minimise loss(image_encoder(images), text_encoder(texts), groups) over batches, all three modules in place.

    images, texts: (n, ...), row i of one belongs to row i of the other; floats are cast to the dtype of their encoder
    groups: (n,) whole numbers, rows of one group are joint right answers; passed on if the loss has such an argument
    AdamW under one cycle: the learning rate rises to learning_rate over the first fifth of all steps and falls to
    nearly zero, each along a cosine. The loss's own parameters (scale, bias) do not decay. Each epoch sees the rows in
    a new order; the last batch is dropped where it is not full, since a loss over fewer wrong answers is another one.
    The seed decides the order and what the modules draw themselves (dropout); PyTorch's own generator is left as it
    was, and so is how the encoders were initialised. On a CPU with a fixed number of threads the same seed gives the
    same weights. The modules stay on `device` (default: pick_device()).
    The bar is silent without `progress` and where MMCOURSE_STORED is set.
    Raises ValueError for rows or options that do not fit, FloatingPointError for a loss that is not finite, naming
    epoch and step (both from 1).
    Source: Loshchilov and Hutter (2019) for AdamW; Smith and Topin (2019) for one cycle.
    """
    import torch
    from tqdm import tqdm

    where = "fit_pairs"
    _check_options(where, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay)
    _check_rows(where, {"images": images, "texts": texts} | ({} if groups is None else {"groups": groups}), batch_size)
    takes_groups = _takes_groups(loss, groups, where)
    device = pick_device() if device is None else torch.device(device)
    encoders = {"images": image_encoder, "texts": text_encoder}
    for module in (*encoders.values(), loss):
        module.to(device)
    inputs = [_as_input(encoders[name], rows, device) for name, rows in (("images", images), ("texts", texts))]
    together = torch.tensor(np.asarray(groups), device=device) if takes_groups else None
    steps = len(images) // batch_size
    order = np.random.default_rng(seed)
    losses, scales = [], []
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        optimizer = _optimizer(encoders.values(), loss, learning_rate, weight_decay)
        # A hair above the share: where it is exactly one step PyTorch divides by zero.
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, learning_rate, total_steps=epochs * steps, pct_start=WARM_UP + 1e-9
        )
        silent = not progress or bool(os.environ.get("MMCOURSE_STORED"))
        bar = tqdm(range(1, epochs + 1), desc=where, unit="epoch", disable=silent, leave=False)
        for epoch in bar:
            for module in (*encoders.values(), loss):
                module.train()
            total = 0.0
            shuffled = order.permutation(len(images))[: steps * batch_size]
            for step, rows in enumerate(_split(shuffled, batch_size), start=1):
                vectors = [encoder(x[rows]) for encoder, x in zip(encoders.values(), inputs, strict=True)]
                value = loss(*vectors) if together is None else loss(*vectors, together[rows])
                if not torch.isfinite(value):
                    raise FloatingPointError(
                        f"{where}: epoch {epoch}, step {step}: got a loss of {value.item()}, wanted a finite one; "
                        f"a smaller learning_rate than {learning_rate} may help"
                    )
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                schedule.step()
                total += value.item()
            losses.append(total / steps)
            scales.append(loss.scale().item())
            bar.set_postfix(loss=f"{losses[-1]:.3f}", scale=f"{scales[-1]:.1f}")
    return PairHistory(tuple(losses), tuple(scales))


def embed(
    encoder: "torch.nn.Module",
    inputs: np.ndarray,
    *,
    batch_size: int = 1024,
    device: "torch.device | str | None" = None,
) -> np.ndarray:
    """(n, out_dim) float64 rows of length 1: the directions of encoder(inputs), in evaluation mode, without gradients.

    inputs: (n, ...); floats are cast to the dtype of the encoder
    device: where to compute; None leaves the encoder where it is. Its training mode is put back afterwards.
    Raises ValueError for no rows, a batch size below 1 and an encoder that gives a row no direction.
    """
    import torch

    _check_options("embed", batch_size=batch_size)
    _check_rows("embed", {"inputs": inputs}, 1)
    if device is not None:
        encoder.to(device)
    x = _as_input(encoder, inputs, _home(encoder))
    was_training = encoder.training
    encoder.eval()
    try:
        with torch.no_grad():
            parts = [encoder(x[rows]).double().cpu().numpy() for rows in _split(np.arange(len(x)), batch_size)]
    finally:
        encoder.train(was_training)
    vectors = np.concatenate(parts)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        name = type(encoder).__name__
        raise ValueError(f"embed: {name}: got a row of zeros, NaN or infinity, wanted rows with a direction")
    return vectors / lengths


def _optimizer(
    encoders: Iterable["torch.nn.Module"], loss: "ContrastiveLoss", learning_rate: float, weight_decay: float
) -> "torch.optim.Optimizer":
    import torch

    own = list(loss.parameters())
    # A dict keeps one of each, should the encoders share parameters.
    others = list(dict.fromkeys(parameter for encoder in encoders for parameter in encoder.parameters()))
    groups = [{"params": others, "weight_decay": weight_decay}, {"params": own, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=learning_rate)


def _as_input(encoder: "torch.nn.Module", rows: np.ndarray, device: "torch.device") -> "torch.Tensor":
    """The rows on the device, floats in the dtype of the encoder."""
    import torch

    x = torch.tensor(np.asarray(rows), device=device)
    floats = (parameter.dtype for parameter in encoder.parameters() if parameter.is_floating_point())
    return x.to(next(floats, x.dtype)) if x.is_floating_point() else x


def _takes_groups(loss: "ContrastiveLoss", groups: np.ndarray | None, where: str) -> bool:
    argument = inspect.signature(loss.forward).parameters.get("groups")
    if groups is None and argument is not None and argument.default is inspect.Parameter.empty:
        raise ValueError(f"{where}: groups: got none, wanted those that {type(loss).__name__} needs")
    return groups is not None and argument is not None


def _check_rows(where: str, parts: dict[str, np.ndarray], batch_size: int) -> None:
    (first, rows), *others = ((name, len(part)) for name, part in parts.items())
    for name, found in others:
        if found != rows:
            raise ValueError(f"{where}: {name}: got {found} rows, wanted {rows} as in {first}")
    if rows < batch_size:
        raise ValueError(f"{where}: {first}: got {rows} rows, wanted at least {batch_size}, one batch")

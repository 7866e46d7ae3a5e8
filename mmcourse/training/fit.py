"""Train a classifier on paired data, and ask it for its logits."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.data.paired import PairedData
from mmcourse.training.device import pick_device
from mmcourse.training.metrics import accuracy

if TYPE_CHECKING:
    import torch

    Batch = tuple[dict[str, torch.Tensor], dict[str, torch.Tensor] | None]


@dataclass(frozen=True)
class History:
    """What fit saw: mean training loss and, with validation data, accuracy after each epoch."""

    loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]


def fit(
    model: "torch.nn.Module",
    data: PairedData,
    *,
    epochs: int,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.0,
    seed: int,
    device: "torch.device | str | None" = None,
    validation: PairedData | None = None,
    progress: bool = True,
) -> History:
    """Minimise the cross-entropy of model(features, mask) -> logits (batch, classes) with AdamW, in place.

    Features are cast to the dtype of the model's parameters. The seed decides the order of the examples and what the
    model draws itself (dropout); PyTorch's own generator is left as it was. On a CPU with a fixed number of threads the
    same seed gives the same weights. The model stays on `device` (default: pick_device()).
    The bar is silent without `progress` and where MMCOURSE_STORED is set.
    Raises ValueError for options out of range or logits of another shape, FloatingPointError for a loss that is not
    finite, naming epoch and step (both from 1).
    Source: Loshchilov and Hutter (2019) for AdamW.
    """
    import torch
    from torch.nn.functional import cross_entropy
    from tqdm import tqdm

    _check_options("fit", epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay)
    device = pick_device() if device is None else torch.device(device)
    model.to(device)
    labels = torch.tensor(data.labels, device=device)
    batches = _Batches(data, model, device)
    order = np.random.default_rng(seed)
    losses, validation_accuracy = [], []
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
        silent = not progress or bool(os.environ.get("MMCOURSE_STORED"))
        bar = tqdm(range(1, epochs + 1), desc="fit", unit="epoch", disable=silent, leave=False)
        for epoch in bar:
            model.train()
            total = 0.0
            for step, rows in enumerate(_split(order.permutation(len(data)), batch_size), start=1):
                logits = _logits(model, batches.at(rows), (len(rows), len(data.classes)))
                loss = cross_entropy(logits, labels[rows])
                if not torch.isfinite(loss):
                    raise FloatingPointError(
                        f"fit: epoch {epoch}, step {step}: got a loss of {loss.item()}, wanted a finite one; "
                        f"a smaller learning_rate than {learning_rate} or scaled features may help"
                    )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
            losses.append(total / len(data))
            bar.set_postfix(loss=f"{losses[-1]:.3f}")
            if validation is not None:
                validation_accuracy.append(accuracy(predict(model, validation), validation.labels))
    return History(tuple(losses), tuple(validation_accuracy))


def predict(
    model: "torch.nn.Module",
    data: PairedData,
    *,
    batch_size: int = 1024,
    device: "torch.device | str | None" = None,
) -> np.ndarray:
    """Logits (n, classes) of model(features, mask) as float64, in evaluation mode, without gradients.

    device: where to compute; None leaves the model where it is. Its training mode is put back afterwards.
    Raises ValueError for a batch size below 1 or logits of another shape.
    """
    import torch

    _check_options("predict", batch_size=batch_size)
    if device is not None:
        model.to(device)
    batches = _Batches(data, model, _home(model))
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            parts = [
                _logits(model, batches.at(rows), (len(rows), len(data.classes))).double().cpu().numpy()
                for rows in _split(np.arange(len(data)), batch_size)
            ]
    finally:
        model.train(was_training)
    return np.concatenate(parts)


class _Batches:
    """Features and mask of paired data as tensors of the model's dtype on one device."""

    def __init__(self, data: PairedData, model: "torch.nn.Module", device: "torch.device") -> None:
        import torch

        floats = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
        dtype = next(floats, torch.get_default_dtype())
        self._features = {name: torch.tensor(rows, dtype=dtype, device=device) for name, rows in data.features.items()}
        self._mask = None
        if data.mask is not None:
            self._mask = {name: torch.tensor(rows, device=device) for name, rows in data.mask.items()}

    def at(self, rows: np.ndarray) -> "Batch":
        features = {name: values[rows] for name, values in self._features.items()}
        mask = None if self._mask is None else {name: present[rows] for name, present in self._mask.items()}
        return features, mask


def _logits(model: "torch.nn.Module", batch: "Batch", wanted: tuple[int, int]) -> "torch.Tensor":
    logits = model(*batch)
    if logits.shape != wanted:
        raise ValueError(f"{type(model).__name__}: got logits of shape {tuple(logits.shape)}, wanted {wanted}")
    return logits


def _split(rows: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), batch_size):
        yield rows[start : start + batch_size]


def _home(model: "torch.nn.Module") -> "torch.device":
    import torch

    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


def _check_options(
    where: str, *, batch_size: int, epochs: int = 1, learning_rate: float = 1.0, weight_decay: float = 0.0
) -> None:
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{where}: {name}: got {value}, wanted at least 1")
    if not 0 < learning_rate < np.inf:
        raise ValueError(f"{where}: learning_rate: got {learning_rate}, wanted a finite number > 0")
    if not 0 <= weight_decay < np.inf:
        raise ValueError(f"{where}: weight_decay: got {weight_decay}, wanted a finite number >= 0")

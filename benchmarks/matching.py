"""Image-text matching and its negatives: PyTorch against the plain formula, and Keras against PyTorch."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.runner import Call, Case
from mmcourse.alignment import keras as keras_losses
from mmcourse.alignment import torch as torch_losses

BATCH, WIDTH, SCALE = 1024, 512, 10.0
TOLERANCE = 1e-5


class Problem:
    """One batch of embeddings with the numbers to draw by, and the logits of three pairs for each row."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.pair = [torch.randn(BATCH, WIDTH) for _ in range(2)]
        self.uniform = torch.rand(2, BATCH)
        self.logits, self.labels = torch.randn(3 * BATCH, requires_grad=True), torch.arange(3 * BATCH) < BATCH

    def loss(self, name: str) -> Call:
        def ours() -> dict[str, Tensor]:
            loss = torch_losses.image_text_matching(self.logits, self.labels)
            return {"loss": loss.detach(), "logits": torch.autograd.grad(loss, self.logits)[0]}

        def plain() -> dict[str, Tensor]:
            loss = functional.softplus(torch.where(self.labels, -self.logits, self.logits)).mean()
            return {"loss": loss.detach(), "logits": torch.autograd.grad(loss, self.logits)[0]}

        logits, labels = tf.Variable(self.logits.detach().numpy()), tf.constant(self.labels.numpy())

        @tf.function
        def in_keras() -> dict[str, Any]:
            with tf.GradientTape() as tape:
                loss = keras_losses.image_text_matching(logits, labels)
            return {"loss": loss, "logits": tape.gradient(loss, logits)}

        return {"torch": ours, "plain": plain, "keras": in_keras}[name]

    def probabilities(self, name: str) -> Call:
        arrays = [tf.constant(x.numpy()) for x in self.pair]

        @tf.function
        def in_keras() -> dict[str, Any]:
            return named(keras_losses.negative_probabilities(*arrays, scale=SCALE))

        return {
            "torch": lambda: named(torch_losses.negative_probabilities(*self.pair, scale=SCALE)),
            "plain": lambda: named(self._plain()),
            "keras": in_keras,
        }[name]

    def draws(self, name: str) -> Call:
        arrays, uniform = [tf.constant(x.numpy()) for x in self.pair], tf.constant(self.uniform.numpy())

        @tf.function
        def in_keras() -> dict[str, Any]:
            return named(keras_losses.hard_negatives(*arrays, scale=SCALE, uniform=uniform))

        def plain() -> dict[str, Tensor]:
            sums = [q.cumsum(1) for q in self._plain()]
            return named([torch.searchsorted(s, u[:, None])[:, 0] for s, u in zip(sums, self.uniform, strict=True)])

        return {
            "torch": lambda: named(torch_losses.hard_negatives(*self.pair, scale=SCALE, uniform=self.uniform)),
            "plain": plain,
            "keras": in_keras,
        }[name]

    def _plain(self) -> list[Tensor]:
        image, text = (functional.normalize(x, dim=1) for x in self.pair)
        logits = SCALE * image @ text.T
        logits.fill_diagonal_(-torch.inf)
        return [logits.softmax(1), logits.T.softmax(1)]


def named(pair: Any) -> dict[str, Any]:
    return dict(zip(("texts", "pictures"), pair, strict=True))


def cases() -> Iterator[Case]:
    """The loss forward and backward; what is drawn has no gradient."""
    problem = Problem()
    for name, made in (
        ("image_text_matching", problem.loss),
        ("negative_probabilities", problem.probabilities),
        ("hard_negatives", problem.draws),
    ):
        yield Case(f"torch {name}, {BATCH} rows", "plain formula", made("torch"), made("plain"), TOLERANCE)
        yield Case(f"keras {name}, {BATCH} rows", "torch", made("keras"), made("torch"), TOLERANCE)

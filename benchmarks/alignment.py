"""Contrastive losses: PyTorch against the plain formula, against Transformers' own loss, and Keras against PyTorch."""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import torch
from torch import Tensor
from torch.nn import functional
from transformers.models.clip import modeling_clip

from benchmarks.runner import Call, Case
from mmcourse.alignment import keras as keras_losses
from mmcourse.alignment import torch as torch_losses

SIZES = {"small": (256, 128), "large": (1024, 512)}  # batch and width; small is a step of the glyphs lesson
TOLERANCE = 1e-4  # a gradient of single-precision sums over a thousand rows
SCALE, BIAS = 10.0, -10.0
Loss = Callable[[Tensor, Tensor], Tensor]


def cosines(image: Tensor, text: Tensor) -> Tensor:
    return functional.normalize(image, dim=1) @ functional.normalize(text, dim=1).T


def plain_info_nce(image: Tensor, text: Tensor) -> Tensor:
    """The formula as one would write it on the spot."""
    logits = SCALE * cosines(image, text)
    return -(logits.log_softmax(1).diagonal().mean() + logits.log_softmax(0).diagonal().mean()) / 2


def plain_multi_positive(image: Tensor, text: Tensor, groups: Tensor) -> Tensor:
    logits, right = SCALE * cosines(image, text), groups[:, None] == groups
    rows, columns = ((logits.softmax(axis) * right).sum(axis).log().mean() for axis in (1, 0))
    return -(rows + columns) / 2


def plain_siglip(image: Tensor, text: Tensor) -> Tensor:
    signs = 2 * torch.eye(len(image)) - 1
    return -functional.logsigmoid(signs * (SCALE * cosines(image, text) + BIAS)).sum() / len(image)


def clip_of_transformers(image: Tensor, text: Tensor) -> Tensor:
    """What CLIPModel does with its embeddings, by its own functions."""
    image, text = (x / modeling_clip._get_vector_norm(x) for x in (image, text))
    return modeling_clip.image_text_contrastive_loss(SCALE * text @ image.T)


class Problem:
    """One batch of embeddings, and the groups of a batch in which some names come twice."""

    def __init__(self, size: str) -> None:
        batch, width = SIZES[size]
        torch.manual_seed(0)
        self.pair = [torch.randn(batch, width, requires_grad=True) for _ in range(2)]
        self.groups = torch.arange(batch) // 2
        self.arrays = [x.detach().numpy() for x in self.pair]

    def in_torch(self, loss: Loss) -> Call:
        def call() -> dict[str, Tensor]:
            value = loss(*self.pair)
            gradients = torch.autograd.grad(value, self.pair)
            return {"loss": value.detach(), "image": gradients[0], "text": gradients[1]}

        return call

    def in_keras(self, loss: Callable[[Any, Any], Any]) -> Call:
        image, text = (tf.Variable(x) for x in self.arrays)

        @tf.function
        def call() -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                value = loss(image, text)
            gradients = tape.gradient(value, [image, text])
            return {"loss": value, "image": gradients[0], "text": gradients[1]}

        return call


def cases() -> Iterator[Case]:
    """Forward and backward throughout."""
    for size in SIZES:
        problem = Problem(size)
        groups, several = problem.groups, tf.constant(problem.groups.numpy())
        ours: dict[str, tuple[Loss, Loss, Any]] = {
            "info_nce": (
                lambda x, t: torch_losses.info_nce(x, t, scale=SCALE),
                plain_info_nce,
                lambda x, t: keras_losses.info_nce(x, t, scale=SCALE),
            ),
            "multi_positive_info_nce": (
                lambda x, t, groups=groups: torch_losses.multi_positive_info_nce(x, t, groups, scale=SCALE),
                lambda x, t, groups=groups: plain_multi_positive(x, t, groups),
                lambda x, t, several=several: keras_losses.multi_positive_info_nce(x, t, several, scale=SCALE),
            ),
            "siglip": (
                lambda x, t: torch_losses.siglip(x, t, scale=SCALE, bias=BIAS),
                plain_siglip,
                lambda x, t: keras_losses.siglip(x, t, scale=SCALE, bias=BIAS),
            ),
        }
        for name, (in_torch, plain, in_keras) in ours.items():
            subject = problem.in_torch(in_torch)
            yield Case(f"torch {name}, {size}", "plain formula", subject, problem.in_torch(plain), TOLERANCE)
            if name == "info_nce":
                theirs = problem.in_torch(clip_of_transformers)
                yield Case(f"torch {name}, {size}", "Transformers' loss of CLIP", subject, theirs, TOLERANCE)
            if size == "large":
                yield Case(f"keras {name}, {size}", "torch", problem.in_keras(in_keras), subject, TOLERANCE)

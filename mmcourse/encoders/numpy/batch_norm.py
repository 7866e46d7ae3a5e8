"""Batch normalisation of pictures."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders.image_checks import check_norm, check_statistics
from mmcourse.encoders.numpy.image_inputs import prepare

WHERE = "batch norm"


def batch_norm(
    images: ArrayLike,
    *,
    scale: ArrayLike,
    bias: ArrayLike,
    running_mean: ArrayLike,
    running_variance: ArrayLike,
    training: bool = False,
    momentum: float = 0.1,
    epsilon: float = 1e-5,
    return_running: bool = False,
) -> Any:
    """Give each channel a mean and a variance of its own:  y = scale (x - mean) / sqrt(variance + epsilon) + bias.

    training: mean and variance are those of the batch over all n = batch x height x width values of a channel, the
        variance biased, sum (x - mean)^2 / n; else the running ones
    return_running: also {"running_mean", "running_variance"} as they are after this batch,
        (1 - momentum) running + momentum batch, whose variance is here the unbiased one, sum (x - mean)^2 / (n - 1)
    images: (batch, channels, height, width);  all parameters: (channels,);  returns the shape of images
    Raises a ModalityError naming what does not fit, n = 1 in training too.
    Source: Ioffe and Szegedy (2015); momentum and the two variances as in PyTorch (Keras has 1 - momentum and one).
    """
    check_norm(momentum, epsilon, WHERE)
    channels = np.shape(scale)[:1] or (1,)
    named = {"scale": scale, "bias": bias, "running_mean": running_mean, "running_variance": running_variance}
    given = {name: check_shape(parameter, name, channels, WHERE) for name, parameter in named.items()}
    images = prepare(images, channels[0], WHERE)
    mean, variance = given["running_mean"], given["running_variance"]
    running = {"running_mean": mean, "running_variance": variance}
    if training:
        values = images.size // channels[0]
        check_statistics(values, WHERE)
        mean, variance = images.mean(axis=(0, 2, 3)), images.var(axis=(0, 2, 3))
        batch = {"running_mean": mean, "running_variance": variance * values / (values - 1)}
        running = {name: (1 - momentum) * running[name] + momentum * batch[name] for name in running}
    normalised = (images - _column(mean)) / _column(np.sqrt(variance + epsilon))
    output = _column(given["scale"]) * normalised + _column(given["bias"])
    return (output, running) if return_running else output


def _column(parameter: NDArray[np.float64]) -> NDArray[np.float64]:
    """(channels,) -> (channels, 1, 1), beside pictures."""
    return parameter[:, None, None]

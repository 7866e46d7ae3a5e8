"""Answers to the exercises on image encoders that the checks must tell apart."""

import numpy as np
import torch

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ------------------------------------------------------------------------------------------------------- convolve


def slide(x, kernels, bias, stride, padding, *, mode="constant", number=None, step=None):
    """A right answer, unless something is given."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)), mode=mode)
    k = kernels.shape[2]
    down, across = ((n - k) // stride + 1 for n in x.shape[1:])
    number = number or (lambda window, kernel, b: (window * kernel).sum() + b)
    step = step or stride
    maps = np.zeros((len(kernels), down, across))
    for o, i, j in np.ndindex(maps.shape):
        top, left = step * i, step * j
        maps[o, i, j] = number(x[:, top : top + k, left : left + k], kernels[o], bias[o])
    return maps


@wrong("convolve", hint="You turn the kernel")
def of_mathematics(x, kernels, bias, stride, padding):
    return slide(x, kernels[:, :, ::-1, ::-1], bias, stride, padding)


@wrong("convolve", hint="Rows and columns of the kernel")
def transposed(x, kernels, bias, stride, padding):
    return slide(x, kernels.swapaxes(2, 3), bias, stride, padding)


@wrong("convolve", hint="the first channel only")
def of_a_grey_picture(x, kernels, bias, stride, padding):
    return slide(x[:1], kernels[:, :1], bias, stride, padding)


@wrong("convolve", hint="a mean over the window")
def means(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, stride, padding, number=lambda w, k, b: (w * k).mean() + b)


@wrong("convolve", hint="the first kernel for all")
def one_kernel(x, kernels, bias, stride, padding):
    return slide(x, np.repeat(kernels[:1], len(kernels), axis=0), bias, stride, padding)


@wrong("convolve", hint="The bias is missing")
def without_bias(x, kernels, bias, stride, padding):
    return slide(x, kernels, 0 * bias, stride, padding)


@wrong("convolve", hint="The bias is inside the sum")
def bias_in_the_sum(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, stride, padding, number=lambda w, k, b: (w * k + b).sum())


@wrong("convolve", hint="You leave the padding out")
def without_padding(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, stride, 0)


@wrong("convolve", hint="You leave the stride out")
def without_stride(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, 1, padding)


@wrong("convolve", hint="repeat the pixels of the border")
def repeated_border(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, stride, padding, mode="edge")


@wrong("convolve", hint="still move by one pixel")
def small_steps(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, stride, padding, step=1)


@wrong("convolve", hint="The last place is missing")
def one_place_less(x, kernels, bias, stride, padding):
    return slide(x, kernels, bias, stride, padding)[:, :-1, :-1]


@another("convolve")
def as_matrix_product(x, kernels, bias, stride, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    k = kernels.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("cijuv,ocuv->oij", windows, kernels) + bias[:, None, None]


@another("convolve")
def by_the_library(x, kernels, bias, stride, padding):
    x, kernels, bias = (torch.tensor(part) for part in (x, kernels, bias))
    return torch.nn.functional.conv2d(x, kernels, bias, stride, padding)


# ------------------------------------------------------------------------------------------------- field_and_jump


def follow(layers, *, size=1, less=1, own=False):
    jump = 1
    for kernel, stride in layers:
        size += (kernel - less) * (jump * stride if own else jump)
        jump *= stride
    return size, jump


@wrong("field_and_jump", hint="whole kernels")
def whole_kernels(layers):
    return follow(layers, less=0)


@wrong("field_and_jump", hint="leave the strides out")
def without_strides(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers), follow(layers)[1]


@wrong("field_and_jump", hint="A layer's own stride")
def jump_first(layers):
    return follow(layers, own=True)


@wrong("field_and_jump", hint="Begin with a field of 1")
def from_nothing(layers):
    return follow(layers, size=0)


@wrong("field_and_jump", hint="the other order")
def from_the_top(layers):
    return follow(layers[::-1])


@wrong("field_and_jump", hint="You add the strides")
def added_strides(layers):
    return follow(layers)[0], 1 + sum(stride for _, stride in layers) if layers else 1


@wrong("field_and_jump", hint="The stride of the last layer is missing")
def jump_before_the_last(layers):
    return follow(layers)[0], follow(layers[:-1])[1]


@another("field_and_jump")
def from_the_result_back(layers):
    """From one number of the last map down to the picture: a window of n numbers reads (n - 1) s + k before it."""
    size = 1
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    return [size, int(np.prod([stride for _, stride in layers], dtype=int))]

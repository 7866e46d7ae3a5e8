# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exercises: concepts
#
# Write what the lessons of this chapter used, find the mistakes that everybody makes once, and run an experiment of your own. Each check states the laws of a right answer; a wrong one is told which law it broke.
#
# **Before this:** the lesson [Image encoders](image_encoders.ipynb). Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import numpy as np

from mmcourse.exercises import check, progress
from mmcourse.lesson import setup

setup("concepts/exercises")

# %% [markdown]
# ## 1. A convolution layer
#
# Write the formula as it stands, for one picture, without a library that has it:
#
# $$z_{o,i,j} = b_o + \sum_{c,u,v} W_{o,c,u,v}\; x_{c,\, si+u-p,\, sj+v-p} .$$
#
# `x` is (channels, height, width), `kernels` (the $W$) is (out, channels, k, k), `bias` (the $b$) is (out,), and `stride` ($s$) and `padding` ($p$) are whole numbers. Outside the picture $x$ is zero. Return the maps, (out, places down, places across). Can you do with two loops, or with none?

# %%
def convolve(x, kernels, bias, stride, padding):
    """A convolution layer for one picture."""
    ### BEGIN SOLUTION
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    k = kernels.shape[2]
    down, across = ((n - k) // stride + 1 for n in x.shape[1:])
    maps = np.zeros((len(kernels), down, across))
    for i, j in np.ndindex(down, across):
        top, left = stride * i, stride * j
        window = x[:, top : top + k, left : left + k]  # (channels, k, k)
        maps[:, i, j] = (kernels * window).sum(axis=(1, 2, 3)) + bias
    return maps
    ### END SOLUTION


# %%
check("concepts/convolve", convolve)

# %% [markdown]
# ## 2. How far does it see?
#
# `layers` is a list of pairs, (kernel size, stride), of convolutions and poolings; the first lies on the picture. Along one axis, how many pixels does one number of the last map see, its *receptive field*? And how many pixels lie between the fields of two neighbours, the *jump*? Return the field, then the jump. Without any layer both are 1.

# %%
def field_and_jump(layers):
    """Receptive field and jump, in pixels."""
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field, jump
    ### END SOLUTION


# %%
check("concepts/field_and_jump", field_and_jump)

# %% [markdown]
# Now turn it round: which strides and kernels of three layers let one number see a whole picture of 224 pixels?

# %%
progress("concepts")

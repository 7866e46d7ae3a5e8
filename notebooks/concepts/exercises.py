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
# **Before this:** the lesson [Modalities](modalities.ipynb) for exercises 1 and 2, [Image encoders](image_encoders.ipynb) for 3 and 4. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

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
# ## 1. The tone that is heard
#
# A tone of `frequency` hertz is measured `rate` times a second. Many tones have the same samples. Return the frequency of the lowest of them, from $0$ to half the rate. The given frequency may lie above the rate, even some rates above it.

# %%
def heard_frequency(frequency, rate):
    """The lowest frequency with the same samples, in hertz."""
    ### BEGIN SOLUTION
    remainder = frequency % rate  # a whole rate more or less: whole turns
    return min(remainder, rate - remainder)
    ### END SOLUTION


# %%
check("concepts/heard_frequency", heard_frequency)

# %% [markdown]
# ## 2. What is lost
#
# More modalities always help, somebody says. Write the function that tells when one does not. `needs` is a dictionary from each kind of question to a list of sets of signals; whoever has all signals of *one* of these sets can answer it. `signals` are the signals that there are, possibly not enough for every kind. Return a dictionary from each signal of `signals` to the set of those kinds that can be answered with all of them and no longer without this one. Where nothing is lost the set is empty, and for these questions the signal did not help.

# %%
def lost_questions(needs, signals):
    """For each signal, the kinds of questions that are lost without it."""
    ### BEGIN SOLUTION
    def answered(given):
        return {kind for kind, sets in needs.items()
                if any(enough <= given for enough in sets)}

    everything = set(signals)
    return {name: answered(everything) - answered(everything - {name})
            for name in signals}
    ### END SOLUTION


# %%
check("concepts/lost_questions", lost_questions)

# %% [markdown]
# ## 3. A convolution layer
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
# ## 4. How far does it see?
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

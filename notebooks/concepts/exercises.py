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
# Write what the lessons of this chapter used, and find the mistakes that everybody makes once. Each check states the laws of a right answer; a wrong one is told which law it broke.
#
# **Before this:** the lessons of this chapter; [Sequence encoders](sequence_encoders.ipynb) for exercises 1 and 2. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

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
# ## 1. Where each sentence ends
#
# A batch of sentences, padded to one length, is read by a recurrent network, $h_t = \tanh(x_t W_x + h_{t-1} W_h + b)$ with $h_0 = 0$. `sequence` is (batch, time, dim), `mask` is (batch, time) with True where a step is present, `kernel` $W_x$ is (dim, hidden), `recurrent_kernel` $W_h$ is (hidden, hidden), `bias` is (hidden,). The sentences end at different steps, and after its end a row may hold anything, NaN included.
#
# Return for each sentence the state after *its own* last step: (batch, hidden).

# %%
def last_state(sequence, mask, kernel, recurrent_kernel, bias):
    """State of each row after its last step present: (batch, hidden)."""
    ### BEGIN SOLUTION
    state = np.zeros((len(sequence), len(recurrent_kernel)))
    for t in range(sequence.shape[1]):
        here = mask[:, t, None]
        x = np.where(here, sequence[:, t], 0)
        new = np.tanh(x @ kernel + state @ recurrent_kernel + bias)
        state = np.where(here, new, state)
    return state
    ### END SOLUTION


# %%
check("concepts/last_state", last_state)

# %% [markdown]
# ## 2. Look only at what is there
#
# One sequence asks, another answers. `queries` is (n, d), `keys` is (m, d), `values` is (m, out), and `mask` is (m,) with True where a key is present, at least one. Return for each query the mean of the values that are present, weighted by
#
# $$a_{ts} \propto e^{q_t \cdot k_s / \sqrt d} , \qquad \sum_s a_{ts} = 1 \text{ over those present.}$$
#
# The result is (n, out). Masked keys and values may hold anything, NaN included, and scores may be as large as `1000`.

# %%
def attention_mean(queries, keys, values, mask):
    """Weighted means of the values that are present: (n, out)."""
    ### BEGIN SOLUTION
    keys, values = keys[mask], values[mask]
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) @ values
    ### END SOLUTION


# %%
check("concepts/attention_mean", attention_mean)

# %%
progress("concepts")

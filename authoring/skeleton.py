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
# # Lesson title
#
# One sentence: what the reader will be able to do.
#
# **Before this:** links to the lessons that this one builds on.

# %% tags=["colab"]

# %%
import matplotlib.pyplot as plt
import numpy as np

from mmcourse.lesson import claim, exact, figure, setup

setup("chapter/lesson")

# %% [markdown]
# ## A question that makes the idea necessary
#
# Not a definition. Something that fails, or two answers that cannot both be right.
# Here: is the mean of two noisy readings better than one of them?
#
# ## The smallest case
#
# Three numbers, first by hand, then in code: a truth of $2$, read as $1$ and as $4$.
# The mean is off by $1/2$.

# %%
readings = np.array([1.0, 4.0])
exact("the mean is off by {:.1f}", abs(readings.mean() - 2), key="mean-error")

# %% [markdown]
# ## The idea from scratch
#
# One line a term, in the symbols of the formula above the cell;
# then the package's version and the assertion that both agree:
#
# $$\bar x = \frac1n \sum_i x_i .$$

# %%
by_hand = sum(readings) / len(readings)  # sum over i of x_i, divided by n
assert np.isclose(by_hand, readings.mean())

# %% [markdown]
# ## The experiment
#
# A baseline, the idea, a picture. The bound of the claim comes from the spread over seeds, not from one run.

# %%
rng = np.random.default_rng(0)
errors = rng.normal(size=(10_000, 2))
one, two = np.abs(errors[:, 0]).mean(), np.abs(errors.mean(axis=1)).mean()
claim(
    "error of the mean over error of one reading",
    two / one,
    at_least=0.6,
    at_most=0.8,
    key="error-ratio",
)

fig, axis = plt.subplots(figsize=(5, 2.5), layout="constrained")
axis.barh(["one reading", "mean of two"], [one, two], color=["C0", "C1"])
axis.invert_yaxis()
axis.set(xlabel="mean absolute error")
figure(
    fig,
    "errors",
    caption="Replace this figure by the one that carries the argument.",
    alt="Two horizontal bars, that of the mean of two readings shorter.",
)

# %% [markdown]
# > **Correction.** Where a source says otherwise, say what is wrong and show what is right.
#
# ## What to keep
#
# Three to five sentences: what the experiment shows, and what it does not.
#
# **Further reading.** Only works of the [bibliography](../../book/bibliography.md).

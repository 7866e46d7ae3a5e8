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
# **Before this:** the lesson [A first model](first_model.ipynb) for exercises 5 and 6. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import numpy as np

from mmcourse.data import digits_with_words
from mmcourse.exercises import check, progress
from mmcourse.fusion.torch import EncodedFusion, FusionClassifier
from mmcourse.lesson import setup
from mmcourse.training import correct, fit, predict, seed_everything

setup("concepts/exercises")

# %% [markdown]
# ## 5. A training step
#
# `X` is (n, width), one example a row; `labels` are n whole numbers, the right classes; `W` is (width, classes) and `b` is (classes,). The loss is the mean cross-entropy of the logits $XW + b$. Take one step against its gradient with the learning rate `rate`. Return the new $W$, then the new $b$, and leave the old ones as they are.
#
# The check compares with central differences. And it gives you logits of some thousands: what does that do to the exponentials?

# %%
def training_step(X, labels, W, b, rate):
    """The new W and the new b after one gradient step."""
    ### BEGIN SOLUTION
    logits = X @ W + b
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    P = powers / powers.sum(axis=1, keepdims=True)  # (n, classes)
    Y = np.eye(W.shape[1])[labels]
    return W - rate * X.T @ (P - Y) / len(X), b - rate * (P - Y).mean(axis=0)
    ### END SOLUTION


# %%
check("concepts/training_step", training_step)

# %% [markdown]
# ## 6. Does it pay?
#
# Somebody wants to add a modality: another sensor, another file, another cost. Write the judge. `train` and `test` are paired data as in the lesson (`test.only("image", "text")` keeps some modalities, `test.labels` are the right classes), and `name` is one of their modalities. `train_and_predict(train, test)` trains a fresh model on its first argument and returns the logits for its second, one row an example; `correct(logits, labels)` says which are right.
#
# The *gain* of a modality is the test accuracy with all modalities minus the test accuracy of a model that was trained without this one. `low` and `high` are the ends of the paired interval: draw as many test examples as there are, with replacement, take the mean of their gains, do this two thousand times, and keep the middle `95%`. Then give a verdict, word by word:
#
# - `it pays`, if the interval lies above zero
# - `it costs`, if it lies below zero
# - `not decided`, if it holds zero
#
# Predict before you run it: can a modality that is at chance alone pay? Can a modality cost?

# %%
def does_it_pay(name, train, test, train_and_predict):
    """{"gain": …, "low": …, "high": …, "verdict": …} of one modality."""
    ### BEGIN SOLUTION
    others = [modality for modality in train.features if modality != name]
    logits = train_and_predict(train, test)
    without = train_and_predict(train.only(*others), test.only(*others))
    gains = correct(logits, test.labels) * 1.0 - correct(without, test.labels)

    rng, n = np.random.default_rng(0), len(gains)
    means = [gains[rng.integers(n, size=n)].mean() for _ in range(2000)]
    low, high = np.quantile(means, [0.025, 0.975])
    verdict = "it pays" if low > 0 else "it costs" if high < 0 else "not decided"
    return {"gain": gains.mean(), "low": low, "high": high, "verdict": verdict}
    ### END SOLUTION


# %%
check("concepts/does_it_pay", does_it_pay)

# %% [markdown]
# The check's cases are small and made, so that it takes a second. Here is the lesson's model on the lesson's digits: try `does_it_pay("image", *pairs(), train_and_predict)`, and then `pairs(typo_rate=0.0)`, words without a mistake. Does the picture still pay?

# %%
def train_and_predict(train, test, seed=0):
    """Train an encoder for each modality, joined; the logits for the test part."""
    seed_everything(seed)
    fusion = EncodedFusion(train.widths, hidden_size=32, out_dim=32)
    model = FusionClassifier(fusion, classes=len(train.classes))
    fit(model, train, seed=seed, progress=False, epochs=60, batch_size=64,
        learning_rate=3e-3, weight_decay=1e-2)
    return predict(model, test)


def pairs(typo_rate=0.5, pixel_noise=0.2, seed=0):
    """Training and test part of the lesson's digits and words."""
    noise = {"typo_rate": typo_rate, "pixel_noise": pixel_noise, "seed": seed}
    return digits_with_words("train", **noise), digits_with_words("test", **noise)


# %%
progress("concepts")

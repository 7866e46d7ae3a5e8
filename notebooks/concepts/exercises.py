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
# **Before this:** the lesson [Representation](representation.ipynb) for exercises 1 to 3. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import numpy as np
import torch

from mmcourse.data import controlled_pairs
from mmcourse.exercises import check, progress
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier
from mmcourse.lesson import setup
from mmcourse.training import accuracy, fit, predict, seed_everything

setup("concepts/exercises")

# %% [markdown]
# ## 1. What the second adds
#
# Somebody drops a modality because a model on it alone is at chance. Compute what would be lost. `table` holds counts, of shape (values of $X_1$, values of $X_2$, values of $Y$): how often each combination was seen. Some cells may be zero. Return, in bits,
#
# $$I(X_2;Y \mid X_1) = I(X_1,X_2;Y) - I(X_1;Y) .$$

# %%
def second_given_first(table):
    """Bits that the second modality adds about y for somebody who has the first."""
    ### BEGIN SOLUTION
    def entropy(p):
        p = p[p > 0]
        return -(p * np.log2(p)).sum()

    def information(p):
        return entropy(p.sum(axis=1)) + entropy(p.sum(axis=0)) - entropy(p)

    p = table / table.sum()
    return information(p.reshape(-1, p.shape[2])) - information(p.sum(axis=1))
    ### END SOLUTION


# %%
check("concepts/second_given_first", second_given_first)

# %% [markdown]
# ## 2. One space, two places
#
# Somebody says that in a shared space matching pictures and texts must lie at the same point. Take any such space and move the clouds apart. `u` holds picture vectors (pictures, width), `v` text vectors (texts, width). Return new pictures and new texts, of any common width, so that
#
# - every picture is at least `gap` away from every text,
# - distances among pictures, and among texts, are as before,
# - by dot product, each picture ranks all texts as before, and each text all pictures.

# %%
def pushed_apart(u, v, gap):
    """The same clouds, with a gap between them that changes no ranking."""
    ### BEGIN SOLUTION
    up, down = np.full((len(u), 1), gap / 2), np.full((len(v), 1), -gap / 2)
    return np.hstack([u, up]), np.hstack([v, down])
    ### END SOLUTION


# %%
check("concepts/pushed_apart", pushed_apart)

# %% [markdown]
# ## 3. One more modality
#
# *More modalities always help.* Try it where there are a hundred training pairs, and the text, of 64 numbers, tells nothing about the label. For three seeds or more, draw the pairs, train a model on the image alone and one on both, and measure both on the test part.

# %%
TRAINING = {"epochs": 30, "batch_size": 64,
            "learning_rate": 5e-3, "weight_decay": 1e-2}


def pairs_of(seed):
    """A hundred training pairs and two thousand test pairs, new for each seed."""
    pairs = controlled_pairs("unique", 2100, separation={"image": 1.5, "text": 1.5},
                             widths={"image": 8, "text": 64}, seed=seed)
    return pairs.take(slice(100)), pairs.take(slice(100, None))


class BentConcatenation(ConcatenationFusion):
    def forward(self, features, mask=None):
        return torch.relu(super().forward(features, mask))


def build(widths, seed):
    """A new model for modalities of these widths: build(train.widths, seed)."""
    seed_everything(seed)
    return FusionClassifier(BentConcatenation(widths, out_dim=32), classes=2)


# %% [markdown]
# Train by `fit(model, part, seed=seed, **TRAINING)` and measure by `accuracy(predict(model, part), part.labels)`; the image alone is `part.only("image")`. Return a dictionary: `"image"` and `"both"`, each a list with one accuracy a seed, and `"conclusion"`, one of these three sentences, whichever your numbers support: `the second modality helps` · `the second modality changes nothing` · `the second modality costs accuracy`. A difference of the means below `0.01` counts as nothing.

# %%
def one_more_modality():
    """Accuracies of the image alone and of both, and a conclusion."""
    ### BEGIN SOLUTION
    scores = {"image": [], "both": []}
    for seed in range(4):
        for name, kept in (("image", ("image",)), ("both", ("image", "text"))):
            train, test = (part.only(*kept) for part in pairs_of(seed))
            model = build(train.widths, seed)
            fit(model, train, seed=seed, **TRAINING)
            scores[name].append(accuracy(predict(model, test), test.labels))
    gain = np.mean(scores["both"]) - np.mean(scores["image"])
    says = "changes nothing"
    if abs(gain) > 0.01:
        says = "helps" if gain > 0 else "costs accuracy"
    return scores | {"conclusion": f"the second modality {says}"}
    ### END SOLUTION


# %%
check("concepts/one_more_modality", one_more_modality)

# %% [markdown]
# The best possible rule ignores the text and loses nothing. A network with a hundred examples cannot tell 64 columns of noise from a signal that it has not found yet.

# %%
progress("concepts")

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
# **Before this:** the lesson [Preprocessing](preprocessing.ipynb) for exercises 3 and 4. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

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
# ## 3. Cut a word
#
# A tokenizer has learned `merges`, a list of pairs of pieces in the order in which they were learned, such as `[("e", "s"), ("es", "t")]`. Cut a new word by them: start with its letters; of the pairs that stand side by side take the one that was learned first, and join it wherever it stands, from the left; look again, and go on until no pair of the list stands side by side. Return the list of pieces.

# %%
def cut_word(word, merges):
    """The pieces of a word, a list of strings."""
    ### BEGIN SOLUTION
    pieces = list(word)
    for pair in merges:
        joined = []
        for piece in pieces:
            if joined and (joined[-1], piece) == pair:
                joined[-1] += piece
            else:
                joined.append(piece)
        pieces = joined
    return pieces
    ### END SOLUTION


# %%
check("concepts/cut_word", cut_word)

# %% [markdown]
# ## 4. Is the split clean?
#
# Somebody shows you an accuracy, measured after a split by row. The data hold several rows of one thing: pictures of one letter, recordings of one speaker. Do copies on both sides flatter the result? `rows` has the shape (n, width), `labels` and `group` (n,), rows of one thing have one number in `group`; `rng` is a generator, and `nearest` below is the model.
#
# Ten times draw about half of the *rows* for training and test on the others. Ten times draw about half of the *groups* instead. Return `{"by row": …, "by group": …, "conclusion": …}` with the two mean accuracies and one of the sentences `"copies across the split flatter the result"`, `"both splits agree"`, `"the split by group flatters the result"`. Let a difference of up to `0.05` count as none. The check comes with data of its own; in some of them nothing can be learned at all.

# %%
def nearest(rows, labels, asked):
    """The label of the nearest row, for each row that is asked."""
    distances = (rows**2).sum(axis=1) - 2 * asked @ rows.T
    return labels[distances.argmin(axis=1)]


# %%
def split_study(rows, labels, group, rng):
    """Mean accuracies of both splits, and what follows."""
    ### BEGIN SOLUTION
    found = {}
    for name, unit in (("by row", np.arange(len(rows))), ("by group", group)):
        scores = []
        for _ in range(10):
            units = rng.permutation(np.unique(unit))
            known = np.isin(unit, units[: len(units) // 2])
            answers = nearest(rows[known], labels[known], rows[~known])
            scores.append((answers == labels[~known]).mean())
        found[name] = np.mean(scores)
    difference = found["by row"] - found["by group"]
    conclusion = "both splits agree"
    if difference > 0.05:
        conclusion = "copies across the split flatter the result"
    if difference < -0.05:
        conclusion = "the split by group flatters the result"
    return found | {"conclusion": conclusion}
    ### END SOLUTION


# %%
check("concepts/split_study", split_study)

# %% [markdown]
# With coins for labels, whatever is above one half by row is memory of copies. A clean split does not make a model better; it says how good it is for a letter, a speaker, a patient whom it has not met.

# %%
progress("concepts")

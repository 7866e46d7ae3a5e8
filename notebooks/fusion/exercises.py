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
# # Exercises: fusion
#
# Write what the lessons of this chapter used, find the mistakes that everybody makes once, and run an experiment of your own. Each check states the laws of a right answer; a wrong one is told which law it broke.
#
# **Before this:** the lesson [The weighted sum](weighted_sum.ipynb). Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import numpy as np

from mmcourse.data import digits_with_words, root_mean_square_norms
from mmcourse.exercises import check, progress
from mmcourse.fusion.torch import FusionClassifier, GatedFusion, WeightedSumFusion
from mmcourse.lesson import setup
from mmcourse.training import accuracy, fit, predict, seed_everything

setup("fusion/exercises")

# %% [markdown]
# ## 1. Match the lengths
#
# A modality whose vectors are long takes over the sum. Write the remedy. `train` and `test` are dictionaries from a modality to an array of shape (rows, width). Multiply each modality by one number, so that in the training part its rows have the *root mean square length* one:
#
# $$\sqrt{\frac1n \sum_{i=1}^{n} \lVert x_i \rVert^2} = 1 .$$
#
# Return the new training part and the new test part. Think about which numbers you may look at for the test part.

# %%
def match_lengths(train, test):
    """Both parts, each modality multiplied by one factor."""
    ### BEGIN SOLUTION
    factors = {}
    for modality, rows in train.items():
        lengths = np.linalg.norm(rows, axis=1)
        factors[modality] = 1 / np.sqrt((lengths**2).mean())
    parts = [{m: factors[m] * x for m, x in part.items()} for part in (train, test)]
    return parts[0], parts[1]
    ### END SOLUTION


# %%
check("fusion/match_lengths", match_lengths)

# %% [markdown]
# ## 2. Sum what is there
#
# Now a modality may be missing. `features` maps each modality to (rows, width), all of one width; `weights` maps it to one number; `mask` maps it to booleans (rows,), True where it is *present*. In each row at least one is. Return, of shape (rows, width),
#
# $$F_i = \sum_{m \text{ present in } i} \frac{e^{w_m}}{\sum_{k \text{ present in } i} e^{w_k}}\; x_{m,i} .$$
#
# What stands in a missing place must have no influence, not even NaN. And the weights may be large.

# %%
def sum_of_present(features, weights, mask):
    """Softmax-weighted sum over the modalities present in each row."""
    ### BEGIN SOLUTION
    scores = np.stack([np.where(mask[m], weights[m], -np.inf) for m in features])
    powers = np.exp(scores - scores.max(axis=0))  # exp(-inf) is 0: missing
    shares = powers / powers.sum(axis=0)  # (modality, row)
    present = [np.where(mask[m][:, None], x, 0.0) for m, x in features.items()]
    return sum(share[:, None] * x for share, x in zip(shares, present, strict=True))
    ### END SOLUTION


# %%
check("fusion/sum_of_present", sum_of_present)

# %% [markdown]
# ## 3. The gradients of the sum
#
# For $F = \sum_m w_m\, x_m P_m$ somebody hands you $\delta = \partial L / \partial F$, the array `delta` of shape (rows, out). `features`, `weights` and `projections` are dictionaries with the same keys, whichever these are: `features[m]` is (rows, width of m), `weights[m]` a number, `projections[m]` (width of m, out).
#
# Derive the gradient of the loss by each weight $w_m$ (a number) and by each matrix $P_m$ (as large as the matrix), on paper, then in code. Return two dictionaries with these keys, first the weights' gradients, then the matrices'. The check moves every entry by a little and looks at what the loss does.

# %%
def sum_gradients(features, weights, projections, delta):
    """Gradients by the weights and by the matrices: two dictionaries."""
    ### BEGIN SOLUTION
    by_weight = {m: (delta * (x @ projections[m])).sum() for m, x in features.items()}
    by_matrix = {m: weights[m] * x.T @ delta for m, x in features.items()}
    return by_weight, by_matrix
    ### END SOLUTION


# %%
check("fusion/sum_gradients", sum_gradients)

# %% [markdown]
# ## 4. Any story you like
#
# Somebody reads the weights of a trained sum as importance. Show why not: write a function that takes `weights` and `projections`, dictionaries with the keys `"image"` and `"text"`, and a `ratio` that somebody would like to see, positive or negative. It returns new weights, then new matrices, whose sum is the same for every input, while the weight of the text is `ratio` times that of the image.

# %%
def reweighted(weights, projections, ratio):
    """The same sum, with weights in another ratio."""
    ### BEGIN SOLUTION
    wanted = {"image": 1.0, "text": ratio}
    matrices = {m: projections[m] * (weights[m] / wanted[m]) for m in wanted}
    return wanted, matrices
    ### END SOLUTION


# %%
check("fusion/reweighted", reweighted)

# %% [markdown]
# ## 5. Do they interact?
#
# A linear head on a sum is additive: $f(x_I, x_T) = g(x_I) + h(x_T)$. To test whether a model $f$ is, take two pictures $a, b$ and two texts $c, d$, and compare the effect of another text, once with the first picture and once with the second:
#
# $$[f(a, c) - f(a, d)] - [f(b, c) - f(b, d)] .$$
#
# `model(image, text)` takes arrays with one row per example and returns one row of class scores per example. `image` is (2, width), `text` is (2, another width). Return the interaction, one number per class.

# %%
def interaction(model, image, text):
    """Difference of two differences, one number per class."""
    ### BEGIN SOLUTION
    scores = model(image[[0, 0, 1, 1]], text[[0, 1, 0, 1]])
    return scores[0] - scores[1] - scores[2] + scores[3]
    ### END SOLUTION


# %%
check("fusion/interaction", interaction)

# %% [markdown]
# ## 6. An honest comparison
#
# In the lesson the gate lost to the plain sum, with 300 pairs to learn from. Before you ask what more pairs would do, build the measuring tool. `train` and `test` are paired data as in the lesson. For each seed train a sum and a gate from scratch, `WeightedSumFusion(…, out_dim=32, learned=False)` and `GatedFusion(…, out_dim=32, hidden_size=16)`, each inside a `FusionClassifier`, with the options in `TRAINING` (and `progress=False`, for quiet). Return `{"sum": …, "gate": …}`, for each a list of test accuracies, one per seed.
#
# An experiment obeys laws as well. The check repeats a seed, changes it, and shuffles the training labels.

# %%
TRAINING = {"epochs": 60, "batch_size": 64,
            "learning_rate": 3e-3, "weight_decay": 1e-2}


def pairs_of(limit):
    """Training and test part of the lesson's digits and words, at equal lengths."""
    noise = {"typo_rate": 0.7, "pixel_noise": 0.2, "seed": 0}
    train = digits_with_words("train", limit=limit, **noise)
    test = digits_with_words("test", **noise)
    norms = root_mean_square_norms(train)
    matched = {"image": norms["text"] / norms["image"]}
    return train.scaled(matched), test.scaled(matched)


# %%
def sum_and_gate(train, test, seeds):
    """Test accuracies of sum and gate, one per seed."""
    ### BEGIN SOLUTION
    builders = {
        "sum": lambda: WeightedSumFusion(train.widths, out_dim=32, learned=False),
        "gate": lambda: GatedFusion(train.widths, out_dim=32, hidden_size=16),
    }
    scores = {name: [] for name in builders}
    for seed in seeds:
        for name, build in builders.items():
            seed_everything(seed)
            model = FusionClassifier(build(), classes=len(train.classes))
            fit(model, train, seed=seed, progress=False, **TRAINING)
            scores[name].append(accuracy(predict(model, test), test.labels))
    return scores
    ### END SOLUTION


# %%
check("fusion/sum_and_gate", sum_and_gate)

# %% [markdown]
# ## 7. Does the gate catch up? (open)
#
# Run your tool on `pairs_of(300)` and on all `1170` training pairs, with three seeds or more. Look at the mean lead of the sum over the gate in both. Then conclude, with one of these sentences, word by word:
#
# - `the gate overtakes the sum`
# - `the gate comes closer, the sum stays ahead` (its mean lead shrinks by a quarter or more)
# - `the gate stays as far behind as before`
#
# Return `{"few": …, "all": …, "conclusion": …}`, where `few` and `all` are what `sum_and_gate` returned. This takes some seconds per seed.

# %%
def more_data():
    """Accuracies with 300 pairs and with all of them, and what follows."""
    ### BEGIN SOLUTION
    few = sum_and_gate(*pairs_of(300), range(3))
    all_pairs = sum_and_gate(*pairs_of(1170), range(3))
    conclusion = "the gate comes closer, the sum stays ahead"
    return {"few": few, "all": all_pairs, "conclusion": conclusion}
    ### END SOLUTION


# %%
check("fusion/more_data", more_data)

# %% [markdown]
# A gate has a decision to learn in every example, and that takes examples. Would it overtake with still more? These digits end here. The question comes back in this chapter where there are more of them.

# %%
progress("fusion")

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
# **Before this:** the lessons [Modalities](modalities.ipynb) for exercises 1 and 2, [Preprocessing](preprocessing.ipynb) for 3 and 4, [A first model](first_model.ipynb) for 5 and 6, [Sequence encoders](sequence_encoders.ipynb) for 7 and 8, [Image encoders](image_encoders.ipynb) for 9 and 10, [Representation](representation.ipynb) for 11 to 13. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

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

from mmcourse.data import controlled_pairs, digits_with_words
from mmcourse.exercises import check, progress
from mmcourse.fusion.torch import ConcatenationFusion, EncodedFusion, FusionClassifier
from mmcourse.lesson import setup
from mmcourse.training import accuracy, correct, fit, predict, seed_everything

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

# %% [markdown]
# ## 7. Where each sentence ends
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
# ## 8. Look only at what is there
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

# %% [markdown]
# ## 9. A convolution layer
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
# ## 10. How far does it see?
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

# %% [markdown]
# ## 11. What the second adds
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
# ## 12. One space, two places
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
# ## 13. One more modality
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

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
# **Before this:** the lessons, for their exercises: [The weighted sum](weighted_sum.ipynb) 1 to 7, [Early, late, hybrid](early_late_hybrid.ipynb) 8 and 9, [Multiplying features](multiplicative.ipynb) 10 and 11, [Gates](gates.ipynb) 12 and 13, [Attention between sequences](attention.ipynb) 14, [Image-text matching](matching.ipynb) 15, [Decoders: from a picture to words](decoders.ipynb) 16 and 17, [Matching sequences in time](sequence_alignment.ipynb) 18 and 19, [Contrastive learning](contrastive.ipynb) 20 to 25, [Missing modalities](missing_modalities.ipynb) 26 and 27. Where a cell raises `NotImplementedError`, write your answer in place of that line, run the cell, then the check below it. The cases are random, so a check can be run again and again.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import re
from collections import Counter

import numpy as np

from mmcourse.alignment.numpy import info_nce
from mmcourse.alignment.torch import InfoNCE
from mmcourse.data import WordTokens, digits_with_words, glyphs
from mmcourse.data import root_mean_square_norms
from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords
from mmcourse.exercises import check, progress
from mmcourse.fusion.torch import FusionClassifier, GatedFusion, WeightedSumFusion
from mmcourse.lesson import setup
from mmcourse.training import accuracy, embed, fit, fit_pairs, predict
from mmcourse.training import recall_at, seed_everything

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

# %% [markdown]
# ## 8. Put decisions together
#
# Classifiers of one modality each have answered. `decisions` maps a modality to its probabilities $p(y \mid x_m)$, an array (rows, classes); `prior` is $p(y)$, (classes,); `mask` maps each modality to booleans (rows,), True where it is *present*. In each row at least one is. The modalities are independent given the class. Return $p(y \mid \text{all that is present})$, (rows, classes).
#
# What stands in a missing place must have no influence, not even NaN. How often does the prior stand in what you multiply, and how often should it? And the probabilities may be tiny.

# %%
def combine_decisions(decisions, prior, mask):
    """Bayes' rule from the answers of single classifiers: (rows, classes)."""
    ### BEGIN SOLUTION
    score = np.log(prior)
    for modality, probabilities in decisions.items():
        here = mask[modality][:, None]
        evidence = np.log(np.where(here, probabilities, 1.0)) - np.log(prior)
        score = score + np.where(here, evidence, 0.0)
    powers = np.exp(score - score.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %%
check("fusion/combine_decisions", combine_decisions)

# %% [markdown]
# ## 9. As if they were independent
#
# For which world would the product rule be right? Given a table `joint` of probabilities $p(x_1, x_2, y)$, shape (values of $x_1$, values of $x_2$, classes), make the table $q(x_1, x_2, y)$ that has the same margins $q(x_1, y) = p(x_1, y)$ and $q(x_2, y) = p(x_2, y)$, and in which $x_1$ and $x_2$ are independent within each class. The classifiers of single modalities cannot tell the two worlds apart. A class may have the probability zero.

# %%
def as_if_independent(joint):
    """The table (x1, x2, y) with the same margins and independent sources."""
    ### BEGIN SOLUTION
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    classes = joint.sum(axis=(0, 1))
    divisor = np.where(classes > 0, classes, 1.0)  # no class: zeros above
    return first[:, None, :] * second[None, :, :] / divisor
    ### END SOLUTION


# %%
check("fusion/as_if_independent", as_if_independent)

# %% [markdown]
# ## 10. A kernel that is never made
#
# Write low-rank fusion, with missing modalities. `features` maps each modality to (rows, width), `factors` to $A_m$ of shape (rank, 1 + width, out), `mask` to booleans (rows,), True where it is *present*. `weights` $w$ has shape (rank,), `bias` $b$ (out,). Return, of shape (rows, out),
#
# $$F = \sum_{r} w_r \prod_m \big( [1, x_m]\, A_m^{(r)} \big) + b ,$$
#
# where $\prod$ multiplies number by number. In a row in which a modality is missing, $[1, x_m]$ is $[1, 0, \dots, 0]$, and what stands there has no influence, not even NaN.

# %%
def low_rank(features, factors, weights, bias, mask):
    """The fused vectors, (rows, out)."""
    ### BEGIN SOLUTION
    product = 1.0
    for m, x in features.items():
        there = np.where(mask[m][:, None], x, 0.0)
        with_one = np.hstack([np.ones((len(x), 1)), there])
        product = product * (with_one @ factors[m])  # (rank, rows, out)
    return np.tensordot(weights, product, axes=1) + bias
    ### END SOLUTION


# %%
check("fusion/low_rank", low_rank)

# %% [markdown]
# ## 11. FiLM inside a product
#
# The multiplicative interaction of rows $z$ and $x$ is $F_o = \sum_{ij} z_i W_{ijo} x_j + (zU)_o + (xV)_o + b_o$. Feature-wise modulation is $F = (1 + zG) \odot x + zB$: here $z$ scales each feature of $x$ and shifts it, and $\odot$ multiplies number by number. It is a special case. Given $G$ and $B$, both of shape (width of z, width of x), return the four parameters $W$, $U$, $V$, $b$ with which the first formula gives the second, for every $z$ and $x$. Their shapes are (width of z, width of x, width of x), (width of z, width of x), (width of x, width of x) and (width of x,).

# %%
def film_as_product(G, B):
    """The parameters W, U, V, b."""
    ### BEGIN SOLUTION
    width = G.shape[1]
    W = np.zeros((*G.shape, width))
    for o in range(width):
        W[:, o, o] = G[:, o]  # output o multiplies feature o of x, no other
    return W, B, np.eye(width), np.zeros(width)
    ### END SOLUTION


# %%
check("fusion/film_as_product", film_as_product)

# %% [markdown]
# ## 12. A gate with a mask
#
# `vectors` is (rows, modalities, width), all brought to one width already, and `mask` is (rows, modalities), True where a modality is *present*; in each row at least one is. Give each modality of each row a score and a weight,
#
# $$s_m = v \cdot \tanh(h_m W + b), \qquad a = \operatorname{softmax}(s) \text{ over the modalities present},$$
#
# and return the fused vectors $\sum_m a_m h_m$, (rows, width), and then the weights, (rows, modalities), zero for what is missing. In a missing place stands NaN. The scores may be large. `kernel` is $W$, `score` is $v$.

# %%
def softmax_gate(vectors, kernel, bias, score, mask):
    """Fused vectors and the weights of the modalities."""
    ### BEGIN SOLUTION
    x = np.where(mask[:, :, None], vectors, 0.0)
    scores = np.tanh(x @ kernel + bias) @ score
    scores = np.where(mask, scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = powers / powers.sum(axis=1, keepdims=True)
    return (weights[:, :, None] * x).sum(axis=1), weights
    ### END SOLUTION


# %%
check("fusion/softmax_gate", softmax_gate)

# %% [markdown]
# ## 13. A question modulates a picture
#
# Write FiLM without biases. `maps` is (rows, channels, height, width), `condition` is (rows, k), both kernels are (k, channels):
#
# $$y = \gamma \odot x + \beta, \qquad \gamma = 1 + c\,K_\gamma, \qquad \beta = c\,K_\beta .$$
#
# Each channel of each row has one $\gamma$ and one $\beta$. `mask` is (rows,), True where somebody asks. Where nobody does, the condition is NaN, and the maps come back as they are.

# %%
def modulate(maps, condition, scale_kernel, shift_kernel, mask):
    """The maps, scaled and shifted channel by channel."""
    ### BEGIN SOLUTION
    c = np.where(mask[:, None], condition, 0.0)
    gamma = 1 + c @ scale_kernel
    beta = c @ shift_kernel
    return gamma[:, :, None, None] * maps + beta[:, :, None, None]
    ### END SOLUTION


# %%
check("fusion/modulate", modulate)

# %% [markdown]
# ## 14. Attention with a mask
#
# A text asks a picture. `queries` is (q, d), a row for each word; `keys` is (k, d) and `values` (k, v), a row for each patch; `mask` holds k booleans, True where a patch is present, and at least one is. Return (q, v). Row $i$ is the mean of the values of the patches present, weighed by
#
# $$a_{ij} = \frac{e^{s_{ij}}}{\sum_{l \text{ present}} e^{s_{il}}}, \qquad s_{ij} = \frac{q_i \cdot k_j}{\sqrt d} .$$
#
# A masked patch may hold anything, `nan` too, and scores may be in the thousands.

# %%
def masked_attention(queries, keys, values, mask):
    """What each query gathers from the values present: (q, v)."""
    ### BEGIN SOLUTION
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return weights @ np.where(mask[:, None], values, 0)
    ### END SOLUTION


# %%
check("fusion/masked_attention", masked_attention)

# %% [markdown]
# ## 15. Which wrong caption to ask about
#
# A network that sees a picture and a caption together learns to say whether they belong together. For that it needs wrong captions, and most of those in a batch are so wrong that nothing is learned from them. So one draws a wrong caption for each picture, the more often the more similar a contrastive model finds it ([Li et al., 2021](../../book/bibliography.md#li2021)).
#
# `similarity` is (B, B), row $i$ a picture, column $j$ a caption. `groups` holds a whole number for each pair of the batch. Captions of one group are right for each other's pictures, and must never be drawn. Return the table of probabilities: row $i$ is the softmax of `scale * similarity` over the captions of other groups, and `0` elsewhere. The scale may be `2000`.

# %%
def negative_shares(similarity, groups, scale):
    """How likely each caption is drawn as a wrong one for each picture: (B, B)."""
    ### BEGIN SOLUTION
    right = groups[:, None] == groups
    logits = np.where(right, -np.inf, scale * similarity)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %%
check("fusion/negative_shares", negative_shares)

# %% [markdown]
# ## 16. What a caption costs
#
# The loss of a decoder. `ids` are captions of shape (batch, length), whole numbers: a start token, words, an end token, then padding, which has the id 0. `logits` have shape (batch, length - 1, words): at place $t$ they speak of the word *after* the words up to place $t$. Return the mean of $-\log p$, natural logarithm, over all words that somebody said, the end tokens among them. What stands in the padding may be NaN, and logits may be large.

# %%
def caption_loss(logits, ids):
    """The mean cost of a said word, in nats."""
    ### BEGIN SOLUTION
    said = ids[:, 1:]
    rows, words = logits[said != 0], said[said != 0]
    largest = rows.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(rows - largest).sum(axis=1)) + largest[:, 0]
    return (log_sums - rows[np.arange(len(rows)), words]).mean()
    ### END SOLUTION


# %%
check("fusion/caption_loss", caption_loss)

# %% [markdown]
# ## 17. Search with a beam
#
# `next_log_p(words)` takes a tuple of words and returns the log-probabilities of the next one, an array. Begin with the empty tuple. At each step extend every beginning by every word, and keep the `width` beginnings with the largest log-probability. One that ends with the token `end` is complete: it is not extended, but stays in the comparison, where `width` better ones can still push it out. Stop when all that are kept are complete, or after `max_length` words. Return the best, as a tuple of words, and its log-probability.

# %%
def beam(next_log_p, end, width, max_length):
    """The best words of a beam search, and their log-probability."""
    ### BEGIN SOLUTION
    beams = [((), 0.0)]
    for _ in range(max_length):
        longer = []
        for words, total in beams:
            if words[-1:] == (end,):
                longer.append((words, total))
                continue
            for word, gain in enumerate(next_log_p(words)):
                longer.append(((*words, word), total + gain))
        beams = sorted(longer, key=lambda pair: -pair[1])[:width]
    return beams[0]
    ### END SOLUTION


# %%
check("fusion/beam", beam)

# %% [markdown]
# ## 18. The cheapest path
#
# `costs` is a table (n, m): what it costs to pair frame i of one sequence with frame j of another. A warping path begins at the first pair, ends at the last, and each step goes on by one frame in the first sequence, in the second, or in both. Return the smallest sum of costs that a path can have.

# %%
def cheapest_path(costs):
    """The cost of the cheapest warping path, one number."""
    ### BEGIN SOLUTION
    n, m = costs.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0
    for i, j in np.ndindex(n, m):
        before = min(total[i, j], total[i, j + 1], total[i + 1, j])
        total[i + 1, j + 1] = costs[i, j] + before
    return total[n, m]
    ### END SOLUTION


# %%
check("fusion/cheapest_path", cheapest_path)

# %% [markdown]
# ## 19. The probability of a transcript
#
# `probabilities` (frames, classes) holds $p_t(k)$, and class 0 is the blank. `target` holds the labels of a transcript, whole numbers above 0, at least one. A path names one class a frame; runs of one class become one, then blanks are left out. Return the probability of the transcript, the sum over all paths that say it, each the product of its probabilities. The check also asks for 120 frames: whoever lists all paths one by one waits for ever, so add them up in a table, frame after frame.

# %%
def transcript_probability(probabilities, target):
    """p(target), one number: not its logarithm."""
    ### BEGIN SOLUTION
    places = np.zeros(2 * len(target) + 1, dtype=int)  # blanks, and between them
    places[1::2] = target
    alpha = np.zeros(len(places))
    alpha[:2] = probabilities[0, places[:2]]
    for frame in probabilities[1:]:
        came = alpha.copy()
        came[1:] += alpha[:-1]
        for s in range(3, len(places), 2):
            if places[s] != places[s - 2]:
                came[s] += alpha[s - 2]
        alpha = frame[places] * came
    return alpha[-2:].sum()
    ### END SOLUTION


# %%
check("fusion/transcript_probability", transcript_probability)

# %% [markdown]
# ## 20. All cosines at once
#
# This exercise and the next five belong to the lesson on contrastive learning. `image` is (n, width), one vector per picture; `text` is (m, width), one per name. Return the table of all cosines, of shape (n, m): row $i$, column $j$ holds that of picture $i$ with name $j$. A vector may be short, but none is zero.

# %%
def cosine_table(image, text):
    """Cosine of every row of image with every row of text: (n, m)."""
    ### BEGIN SOLUTION
    image = image / np.linalg.norm(image, axis=1, keepdims=True)
    text = text / np.linalg.norm(text, axis=1, keepdims=True)
    return image @ text.T
    ### END SOLUTION


# %%
check("fusion/cosine_table", cosine_table)

# %% [markdown]
# ## 21. The contrastive loss
#
# Now `image` and `text` have both $B$ rows, and row $i$ of one belongs to row $i$ of the other. Return InfoNCE in both directions, with `scale` $s$ and from vectors of any length:
#
# $$L = \tfrac12 \Big[ -\frac1B \sum_i \log \frac{e^{s \cos(x_i, t_i)}}{\sum_j e^{s \cos(x_i, t_j)}} \;-\; \frac1B \sum_i \log \frac{e^{s \cos(x_i, t_i)}}{\sum_j e^{s \cos(x_j, t_i)}} \Big] .$$
#
# The scale may be `1000`. What does that do to the exponentials?

# %%
def contrastive_loss(image, text, scale):
    """Symmetric InfoNCE from raw vectors: one number."""
    ### BEGIN SOLUTION
    logits = scale * cosine_table(image, text)
    losses = []
    for table in (logits, logits.T):
        largest = table.max(axis=1, keepdims=True)
        log_sum = largest[:, 0] + np.log(np.exp(table - largest).sum(axis=1))
        losses.append((log_sum - np.diag(table)).mean())
    return np.mean(losses)
    ### END SOLUTION


# %%
check("fusion/contrastive_loss", contrastive_loss)

# %% [markdown]
# ## 22. As low as it gets
#
# In a batch names repeat: the letter A in two styles is two pictures with one name. `names` is a list of texts, one for each pair of the batch; the pictures are all different. Return the least InfoNCE that any model can reach on this batch, if the scale is as large as it likes. Think of one member whose name $m$ members have, itself included. Which probability can it get at best when the picture looks for the name, and which when the name looks for the picture?

# %%
def least_loss(names):
    """Floor of InfoNCE for one batch, in nats."""
    ### BEGIN SOLUTION
    counts = Counter(names)
    return np.mean([np.log(counts[name]) for name in names])
    ### END SOLUTION


# %%
check("fusion/least_loss", least_loss)

# %% [markdown]
# ## 23. Joint right answers
#
# The remedy. `groups` holds a whole number for each pair of the batch, and the rows of one group are right answers of each other. Let $P(i)$ be the rows of the group of $i$, itself included, and $p_{ij}$ the softmax of exercise 21: picture to name over row $i$ of the table, $p_{ij} = e^{s \cos(x_i, t_j)} / \sum_k e^{s \cos(x_i, t_k)}$, and name to picture over column $i$, $p_{ij} = e^{s \cos(x_j, t_i)} / \sum_k e^{s \cos(x_k, t_i)}$. Return
#
# $$L = \tfrac12 \Big[ -\frac1B \sum_i \log \sum_{j \in P(i)} p_{ij}^{\text{picture to name}} \;-\; \frac1B \sum_i \log \sum_{j \in P(i)} p_{ij}^{\text{name to picture}} \Big] .$$
#
# Again the scale may be `1000`.

# %%
def joint_loss(image, text, groups, scale):
    """InfoNCE with joint right answers: one number."""
    ### BEGIN SOLUTION
    def log_sum(table):
        top = table.max(axis=1, keepdims=True)
        return top[:, 0] + np.log(np.exp(table - top).sum(axis=1))

    same = groups[:, None] == groups
    logits = scale * cosine_table(image, text)
    return np.mean([log_sum(table) - log_sum(np.where(same, table, -np.inf))
                    for table in (logits, logits.T)])
    ### END SOLUTION


# %%
check("fusion/joint_loss", joint_loss)

# %% [markdown]
# ## 24. Found among the first k
#
# `similarity` is (queries, candidates), larger is nearer. `right` are booleans of the same shape, at least one True in each row. Return recall at `k`, the share of queries for which one of their right answers is among the first `k` candidates.
#
# Candidates may tie. A model that gives the same similarity to all should find nothing. So a wrong answer that is as similar as the best right one counts as before it; right answers do not stand in each other's way.

# %%
def recall_at_k(similarity, right, k):
    """Share of queries with a right answer among the first k."""
    ### BEGIN SOLUTION
    best = np.where(right, similarity, -np.inf).max(axis=1, keepdims=True)
    wrong_before = (~right & (similarity >= best)).sum(axis=1)
    return (wrong_before < k).mean()
    ### END SOLUTION


# %%
check("fusion/recall_at_k", recall_at_k)

# %% [markdown]
# ## 25. Is the lower loss the better model? (open)
#
# Two teams train the same pair of encoders on the same accented letters, each letter in four styles, with plain InfoNCE and the same number of steps. One takes batches of `16` and the other batches of `64`. Each reports its final loss. Whose model is better? Predict first: what does the size of the batch do to $\log B$, and to the floor of exercise 22?
#
# `train_small_pair` below does the training. Write the study. For each of the two sizes and each seed train a pair. Measure its loss, the mean of InfoNCE over `200` random batches of *the size that it was trained with*, drawn without replacement, at the scale that `train_small_pair` returns. And measure recall at `1`: each picture looks for its name among those of all rows, and all rows of its group are right. You may use `info_nce(x, t, scale=scale)`, `recall_at(similarity, right, 1)`, or what you wrote above.
#
# Return `{"small": {"loss": …, "recall": …}, "large": {"loss": …, "recall": …}, "conclusion": …}` with lists of one number per seed, and as conclusion the sentence that fits the means, word by word:
#
# - `the lower loss belongs to the better model`
# - `the lower loss belongs to the worse model`
# - `the two models are equally good` (mean recall differs by less than `0.02`)
#
# The check trains ten models, which takes some seconds. It repeats a seed, and it hands you pictures that are all alike. What must the loss be then?

# %%
SIZES = {"small": 16, "large": 64}
STEPS = 144
LETTER = re.compile("LATIN (SMALL|CAPITAL) LETTER [AEIOUY] "
                    "WITH (ACUTE|GRAVE|CIRCUMFLEX|DIAERESIS)")


def letters():
    """Pictures, words of the names, and groups of 48 letters in four styles."""
    every = glyphs(("sans", "bold", "serif", "mono"), font_size=16)
    some = every.take([i for i, name in enumerate(every.names)
                       if LETTER.fullmatch(name)])
    tokens = WordTokens(some.vocabulary)
    return some.images, tokens.encode(some.names), some.group


# %%
def train_small_pair(images, texts, batch_size, seed):
    """Trained vectors of the pictures and of the names, and the scale."""
    seed_everything(int(seed))
    of_pictures = ConvolutionalEncoder((4, 8), out_dim=16, pool="mean")
    of_names = MeanOfWords(int(texts.max()), out_dim=16)
    loss = InfoNCE()
    fit_pairs(of_pictures, of_names, loss, images, texts,
              epochs=STEPS * batch_size // len(images), batch_size=batch_size,
              learning_rate=1e-2, seed=seed, device="cpu", progress=False)
    vectors = embed(of_pictures, images), embed(of_names, texts)
    return *vectors, loss.scale().item()


# %%
def batch_study(images, texts, groups, seeds):
    """Loss and recall with small and with large batches, and what follows."""
    ### BEGIN SOLUTION
    found = {name: {"loss": [], "recall": []} for name in SIZES}
    same_group = groups[:, None] == groups
    for name, size in SIZES.items():
        for seed in seeds:
            x, t, scale = train_small_pair(images, texts, size, seed)
            n, rng = len(x), np.random.default_rng(seed)
            picks = [rng.choice(n, size, replace=False) for _ in range(200)]
            values = [info_nce(x[p], t[p], scale=scale) for p in picks]
            found[name]["loss"].append(np.mean(values))
            found[name]["recall"].append(recall_at(x @ t.T, same_group, 1))
    return found | {"conclusion": "the lower loss belongs to the worse model"}
    ### END SOLUTION


# %%
check("fusion/batch_study", batch_study)

# %% [markdown]
# A loss is a number of nats for a question, and the larger batch asks the harder one: more wrong answers, and more of them that are not wrong at all. Measure both models with batches of one size, whichever it is, and the order turns round. The larger batch also saw each picture more often in the same number of steps; that is a reason why it learned more here, and no law.

# %% [markdown]
# ## 26. What is left
#
# Modality dropout drops each modality that is there with its rate, independently of the others, and draws again where nothing is left. Write the probability that it leaves just the modalities `left`. `rates` is a dictionary from *every* modality of the model to its rate; `present` is the list of those that this example has; `left` is a list of names. Ask for something that cannot be, and the probability is zero.
#
# $$P(S) = \frac{\prod_{m \in S} (1 - p_m) \prod_{m \in A,\, m \notin S} p_m}{1 - \prod_{m \in A} p_m}$$
#
# for the modalities $A$ that are there and a subset $S$ of them that is not empty.

# %%
def subset_chance(rates, present, left):
    """Probability that just `left` remains of `present`."""
    ### BEGIN SOLUTION
    if not left or not set(left) <= set(present):
        return 0.0
    chance, nothing = 1.0, 1.0
    for modality in present:
        rate = rates[modality]
        chance *= 1 - rate if modality in left else rate
        nothing *= rate
    return chance / (1 - nothing)
    ### END SOLUTION


# %%
check("fusion/subset_chance", subset_chance)

# %% [markdown]
# ## 27. How hot?
#
# A model is too sure, or not sure enough. Find the one temperature $T > 0$ at which the labels are likeliest:
#
# $$\min_{T > 0} \; -\frac1n \sum_{i=1}^{n} \log \operatorname{softmax}(z_i / T)_{y_i} .$$
#
# `logits` is an array (rows, classes), `labels` (rows,) whole numbers. The loss is convex in $b = 1/T$, so there is one minimum, at which its slope is zero:
#
# $$\frac1n \sum_i \Big( \sum_k p_{ik} z_{ik} - z_{i y_i} \Big) = 0 \quad \text{with} \quad p_i = \operatorname{softmax}(b\, z_i) .$$
#
# Halve an interval of $b$ that holds the place, or search in any other way; three digits of $T$ are enough. The check tries models of both kinds, and logits of another size.

# %%
def best_temperature(logits, labels):
    """The temperature at which the labels are likeliest."""
    ### BEGIN SOLUTION
    z = logits - logits.max(axis=1, keepdims=True)
    of_labels = z[np.arange(len(z)), labels]
    low, high = 1e-6, 1e6
    for _ in range(100):
        b = (low * high) ** 0.5  # halves the interval of the logarithm
        powers = np.exp(b * z)
        p = powers / powers.sum(axis=1, keepdims=True)
        slope = ((p * z).sum(axis=1) - of_labels).mean()
        low, high = (b, high) if slope < 0 else (low, b)
    return 1 / b
    ### END SOLUTION


# %%
check("fusion/best_temperature", best_temperature)

# %%
progress("fusion")

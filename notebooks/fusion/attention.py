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
# # Attention between sequences
#
# Let a question take from a sequence what it asks for, count what that costs, and tell apart the six ways in which models do it.
#
# **Before this:** [Sequence encoders](../concepts/sequence_encoders.ipynb) for attention of a sequence to itself, [Image encoders](../concepts/image_encoders.ipynb) for a picture as a sequence of patches, and [The weighted sum](weighted_sum.ipynb). The proofs are on the page [Reading another sequence](../../book/fusion/attention.md).

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from mmcourse.encoders.numpy import scaled_dot_product_attention
from mmcourse.fusion.numpy import cross_attention
from mmcourse.fusion.torch import AttentionPooling, CrossAttention
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments, parameters, relative_error
from mmcourse.training import seed_everything

setup("fusion/attention")

# %% [markdown]
# ## A summary that forgets
#
# Somebody reads you a list: Ada has a boat, Bo has a tree, Cleo has a key. Then comes the question: what does Bo have? Had you known the question, you would have listened for one line. Since you did not, you had to keep them all.
#
# Models that fuse one vector for each modality are in this position. The list is summed up in a vector of fixed size, and only then the question comes. We make such lists: up to 16 names, each with one of four values, and a question for one of the names. All models below read the items and the question by the same small networks, and answer from a vector of 32 numbers and the question. They differ in how they make that vector of the items.

# %%
def lists(count, length, generator, names=16, values=4):
    """Items (count, length, 20), question (count, 16), the value asked for."""
    named = torch.rand(count, names, generator=generator).argsort(dim=1)[:, :length]
    valued = torch.randint(values, (count, length), generator=generator)
    asked = torch.randint(length, (count,), generator=generator)
    rows = torch.arange(count)
    items = torch.cat([one_hot(named, names), one_hot(valued, values)], dim=2)
    question = one_hot(named[rows, asked], names)
    return items.float(), question.float(), valued[rows, asked]


class Recall(nn.Module):
    def __init__(self, pool, width=32):
        super().__init__()
        self.item = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, width))
        self.question, self.pool = nn.Linear(16, width), pool(width)
        self.answer = nn.Sequential(nn.Linear(2 * width, 128), nn.ReLU(),
                                    nn.Linear(128, 4))

    def forward(self, items, question):
        x, q = self.item(items), self.question(question)
        return self.answer(torch.cat([self.pool(x, q), q], dim=1))


# %% [markdown]
# The first way takes the mean. The second is attention pooling: a learned vector is compared with every item, and items that fit it better count more. It is learned once, so it knows nothing of the question that will come. In the third, the question itself is compared with the items.

# %%
class Mean(nn.Module):
    def __init__(self, width):
        super().__init__()

    def forward(self, items, question):
        return items.mean(dim=1)


class LearnedQuery(AttentionPooling):
    def forward(self, items, question):
        return super().forward(items)[:, 0]


class QuestionAsQuery(CrossAttention):
    def __init__(self, width):
        super().__init__(width, heads=1)

    def forward(self, items, question):
        return super().forward(question[:, None], items)[:, 0]


# %%
def train(model, draw, seed, steps, learning_rate, weight_decay=0.0):
    """AdamW; the rate rises over 30 steps and falls over the second half."""
    generator = torch.Generator().manual_seed(seed + 1)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1, (i + 1) / 30, 2 * (steps - i) / steps))
    for _ in range(steps):
        *inputs, labels = draw(generator)
        loss = cross_entropy(model(*inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()


@torch.no_grad()
def right(model, *inputs_and_labels):
    """The share of right answers."""
    *inputs, labels = inputs_and_labels
    return (model(*inputs).argmax(dim=1) == labels).double().mean().item()


# %%
def recall(pool, length, seed=0, steps=800):
    """Train on fresh lists, test on 4000 others."""
    seed_everything(seed)
    model = Recall(pool)
    train(model, lambda generator: lists(128, length, generator), seed, steps, 1e-2)
    return right(model, *lists(4000, length, torch.Generator().manual_seed(10_000)))


runs = experiment("fusion_attention")
live = {pool: recall(pool, length=8) for pool in (Mean, QuestionAsQuery)}
for pool, name in ((Mean, "mean"), (QuestionAsQuery, "question as query")):
    stored = runs.values("accuracy", sweep="recall", pool=name, length=8)
    claim(f"right answers about eight items, {name}, beside three stored runs",
          live[pool], at_least=stored.min() - 0.03, at_most=min(stored.max() + 0.03, 1),
          key=f"live-{name.replace(' ', '-')}")

# %% [markdown]
# How much can be had without knowing who has what? Whoever knows which values are in the list, but not whose, names the most frequent one.

# %%
LENGTHS = (1, 2, 4, 8, 16)


def best_without_names(length, draws=100_000):
    counts = np.random.default_rng(0).multinomial(length, [1 / 4] * 4, size=draws)
    return counts.max(axis=1).mean() / length


def scores(pool, length):
    """Accuracy of three runs."""
    return runs.values("accuracy", sweep="recall", pool=pool, length=length)


floor = [best_without_names(length) for length in LENGTHS]
assert floor[0] == 1.0
assert np.isclose(floor[1], 5 / 8, atol=0.005)

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
for pool, colour, marker in (("question as query", "C2", "o"), ("mean", "C0", "s"), ("learned query", "C1", "^")):
    runs_of_pool = np.array([scores(pool, length) for length in LENGTHS])
    axis.fill_between(LENGTHS, runs_of_pool.min(axis=1), runs_of_pool.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    axis.plot(LENGTHS, runs_of_pool.mean(axis=1), color=colour, marker=marker, label=pool)
axis.plot(LENGTHS, floor, ":", color="black", label="values known, not whose")
axis.set(xscale="log", xlabel="items in the list", ylabel="right answers", ylim=(0.3, 1.03))
axis.set_xticks(LENGTHS, LENGTHS)
axis.minorticks_off()
axis.legend(loc="lower left")
figure(
    fig,
    "recall",
    caption="Right answers about one item of a list after equally many steps of training, mean and range of three runs. A summary that is made before the question is "
    "known, whether a mean or attention with a learned query, falls to the dotted line; with the question as query nothing is lost.",
    alt="Accuracy against the number of items from one to sixteen. One curve stays at the top. Two others fall together with the "
    "length, from perfect at one item to a dotted line of guesses at sixteen.",
)

# %%
claim("question as query: lowest of all runs at all lengths",
      min(scores("question as query", n).min() for n in LENGTHS),
      at_least=0.99, key="asked-least")
for pool in ("mean", "learned query"):
    above = scores(pool, 16).mean() - floor[-1]
    claim(f"{pool}: mean at sixteen items, above the dotted line", above,
          at_most=0.03, key=f"{pool.replace(' ', '-')}-sixteen")

# %% [markdown]
# Is the mean only slow to learn? Give it five times the steps, or four times the width.

# %%
patient = runs.values("accuracy", sweep="patience")
wide = runs.values("accuracy", sweep="width")
claim("mean of eight items, five times the steps: lowest of three runs",
      patient.min(), at_least=0.7, key="mean-patience-least")
claim("mean of eight items, five times the steps: highest of three runs",
      patient.max(), at_most=0.9, key="mean-patience-most")
claim("mean of eight items, four times the width: highest of three runs",
      wide.max(), at_most=0.5, key="mean-width-most")
claim("mean of sixteen items, five times the steps, one run",
      recall(Mean, length=16, steps=4000), at_most=0.5, key="mean-sixteen-patience")

# %% [markdown]
# A wider summary alone does not help. At eight items the mean learns with patience, at sixteen hardly. So it is not bound to fail: it must learn a code in which all items that might be asked for lie side by side, and this is the harder, the longer the list. With the question as query there is nothing of the kind to learn. Attention is no cure by itself: with a query that does not know the question it forgets as the mean does. What counts is *who asks*.
#
# ## Two queries and three keys, by hand
#
# A picture holds a red circle, a blue square and a red square. Describe each by two numbers, how red and how square: these are the *keys*. Two words ask, "red" and "square": the *queries*. What they get are *values*, here the places of the three things. Each word takes a weighted mean of the values, with weights from comparing its query with every key. With the $n$ queries as rows of $Q$ $(n \times d)$, the $m$ keys as rows of $K$ $(m \times d)$ and the values as rows of $V$,
#
# $$A = \operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt d}\right), \qquad Y = A V ,$$
#
# where the softmax runs over each row: row $i$ of $A$ are the weights of query $i$ over the keys.

# %%
Q = np.array([[3.0, 0.0],  # red
              [0.0, 3.0]])  # square
K = np.array([[1.0, 0.0],  # red circle
              [0.0, 1.0],  # blue square
              [1.0, 1.0]])  # red square
V = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]])  # where they lie

S = Q @ K.T / np.sqrt(2)
A = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
Y = A @ V
print("weights\n", A.round(3), "\nresults\n", Y.round(2))
assert np.isclose(A[0, 0], np.exp(3 / 2**0.5) / (2 * np.exp(3 / 2**0.5) + 1))
for ours, theirs in zip((Y, A), scaled_dot_product_attention(Q, K, V), strict=True):
    assert np.allclose(ours, theirs, rtol=1e-14)

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
axis.fill(*V.T, color="0.9", zorder=-1)
for place, name, colour, marker in zip(
    V, ("red circle", "blue square", "red square"), ("#c42b14", "#1963f7", "#c42b14"), "oss", strict=True
):
    axis.plot(*place, marker, color=colour, markersize=16)
    axis.annotate(name, place, xytext=(14, -4), textcoords="offset points")
for result, weights, name in zip(Y, A, ('"red"', '"square"'), strict=True):
    for place, weight in zip(V, weights, strict=True):
        axis.plot(*zip(result, place, strict=True), color="0.3", linewidth=6 * weight, alpha=0.5, zorder=0)
    axis.plot(*result, "*", color="black", markersize=14)
    axis.annotate(name, result, xytext=(-4, 12), textcoords="offset points", ha="center")
axis.set(xlim=(-0.6, 5.4), ylim=(-0.6, 3.6), xlabel="x", ylabel="y", aspect="equal")
figure(
    fig,
    "by-hand",
    caption="Where the three things lie, and what two words get (stars): weighted means of the places, the wider a line, the larger "
    "the weight. Whatever is asked, the result lies inside the grey triangle.",
    alt="A triangle with a red circle, a blue square and a red square as corners. The star of the word red lies between the two red "
    "things, that of the word square between the two squares.",
)

# %% [markdown]
# ## From scratch
#
# In a network, queries, keys and values are made by matrices that are learned. This is *cross-attention*: queries come from one sequence $x$, keys and values from another, $c$. *Heads* do it several times side by side, each on its own part of the width, and a last matrix joins them. A *mask* hides steps of $c$ that are padding: their scores become $-\infty$, their weights zero.

# %%
def by_hand(x, c, p, heads, present):
    """x: (n, dim);  c: (m, key_dim);  present: (m,);  returns (n, dim)"""
    q = x @ p["query.kernel"] + p["query.bias"]
    k = c @ p["key.kernel"] + p["key.bias"]
    v = c @ p["value.kernel"] + p["value.bias"]
    d, results = q.shape[1] // heads, []
    for head in range(heads):
        own = slice(head * d, (head + 1) * d)  # its part of the width
        scores_of_head = q[:, own] @ k[:, own].T / np.sqrt(d)
        scores_of_head[:, ~present] = -np.inf
        weights = np.exp(scores_of_head)
        weights /= weights.sum(axis=1, keepdims=True)
        results.append(weights @ v[:, own])
    return np.hstack(results) @ p["out.kernel"] + p["out.bias"]


seed_everything(0)
attention = CrossAttention(8, key_dim=6, heads=2).double()
words, patches = torch.randn(3, 5, 8).double(), torch.randn(3, 7, 6).double()
seen = torch.rand(3, 7) > 0.3
p, given = parameters(attention), numpy_arguments(attention)
package = cross_attention(words, patches, heads=2, mask=seen, **given)
for row in range(3):
    mine = by_hand(words[row].numpy(), patches[row].numpy(), p, 2, seen[row].numpy())
    assert np.allclose(mine, package[row], rtol=1e-12)

# %% [markdown]
# What a hidden step holds has no influence, not even NaN. And a row in which nothing can be seen gets zero, so that whoever adds the result to something else adds nothing.

# %%
seen[2] = False  # no patch at all in the third example
before = attention(words, patches, seen)
patches[~seen] = torch.nan
assert torch.equal(attention(words, patches, seen), before)
assert not before[2].any()
assert before[:2].all()

# %% [markdown]
# > **Correction.** Source documents promise fusion by attention ([entry E-25](../../book/corrections.md#e-25)) and give a softmax over three scores, one for each modality, computed from all three vectors joined ([entry S4-C12-06](../../book/corrections.md#s4-c12-06)). That is a *gate*, the one of [The weighted sum](weighted_sum.ipynb): one weight for each modality and example. Queries, keys and values appear in none of them. The two are relatives: take the three vectors, one for each modality, as a sequence of three steps and pool it by attention with a learned query, and you have a gate. What a gate lacks is the second sequence that asks.

# %%
seed_everything(0)
gate = AttentionPooling(8).double()
text_vector, picture_vector, sound_vector = torch.randn(3, 4, 8).double()
vectors = [text_vector, picture_vector, sound_vector]  # of four examples
three_vectors = torch.stack(vectors, dim=1)
shares = gate.attention_weights(three_vectors)[:, 0, 0]
assert shares.shape == (4, 3)
assert torch.allclose(shares.sum(dim=1), torch.ones(4).double())
assert shares.std(dim=0).min() > 0.01  # each example has weights of its own

# %% [markdown]
# ## The same in three frameworks
#
# `CrossAttention` exists for PyTorch and for Keras, with the same parameters under the same names. PyTorch computes it by a fused kernel that never holds the whole of $A$; `attention_weights` computes $A$ by the formula for those who want to look at it.

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.parity import transfer

in_keras = keras_fusion.CrossAttention(8, key_dim=6, heads=2, dtype="float64")
transfer(attention, in_keras)
reference = cross_attention(words, patches, heads=2, mask=seen, **given)
output = attention(words, patches, seen)
(output**2).sum().backward()
with tf.GradientTape() as tape:
    keras_output = in_keras(words.numpy(), patches.numpy(), mask=seen.numpy())
    loss = tf.reduce_sum(keras_output**2)
kernels = ("query", "key", "value", "out")
in_layer = [getattr(in_keras, name).kernel.value for name in kernels]
gradients = tape.gradient(loss, in_layer)

assert relative_error(output.detach(), reference) < 1e-10
assert relative_error(keras_output, reference) < 1e-10
for name, gradient in zip(kernels, gradients, strict=True):
    assert relative_error(gradient, getattr(attention, name).kernel.grad) < 1e-10
layer = nn.MultiheadAttention(8, 2, kdim=6, vdim=6)  # PyTorch's own: as many parameters
assert sum(map(torch.numel, layer.parameters())) == sum(a.size for a in p.values())

# %% [markdown]
# ## One key is no attention
#
# A mistake that runs without an error: sum up the picture in one vector, and let the words attend to it. The softmax of a single score is one, whatever the score. So every word gets the same vector, the picture's own, projected. Nothing was asked; the matrices of queries and keys get no gradient and never learn.

# %%
pooled = torch.randn(3, 1, 6).double()  # the picture as a single key
attention.zero_grad()
answers = attention(words, pooled)
projected = attention.out(attention.value(pooled))
assert torch.allclose(answers, projected.expand(-1, 5, -1), rtol=1e-12)
assert torch.equal(attention.attention_weights(words, pooled),
                   torch.ones(3, 2, 5, 1).double())
(answers**2).sum().backward()
for name, parameter in attention.named_parameters():
    still = name.split(".")[0] in ("query", "key")
    assert (parameter.grad.abs().max() < 1e-12) == still, name

# %% [markdown]
# To attend, the picture must come in pieces.
#
# ## Why divide by the root of the width
#
# Let the entries of a query and of a key be independent, with mean zero and variance one. A score is then a sum of $d$ products, each with variance one, so its variance is $d$. Divided by $\sqrt d$ it is one again. The numbers below show what happens without: in a wide head the softmax gives most of the weight to one key. Its slope by the score is $a(1-a)$ for a weight $a$, which is small both near one and near zero. What hardly slopes hardly learns.

# %%
def scores_at(width, keys=16, draws=4000):
    """Scores of random queries and keys: (draws, keys)."""
    rng = np.random.default_rng(width)
    q, k = rng.normal(size=(draws, 1, width)), rng.normal(size=(draws, keys, width))
    return (q * k).sum(axis=2)


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


for d in (4, 256):
    for root, what in ((1, "as they are"), (np.sqrt(d), "divided by the root")):
        scaled = scores_at(d) / root
        largest = softmax(scaled).max(axis=1)
        key = f"d{d}-{what.split()[0]}"
        exact(f"width {d}, {what}: variance {{:.2f}}", scaled.var(), key=f"{key}-var")
        exact("    mean of the largest of 16 weights {:.3f}", largest.mean(),
              key=f"{key}-largest")
        exact("    mean slope a(1 - a) of it {:.4f}", (largest * (1 - largest)).mean(),
              key=f"{key}-slope")

# %% [markdown]
# At width 4 the root is not needed, at 256 it is. This is a statement about random projections, so about the start of training. Queries and keys that have learned to fit are not independent.
#
# ## Where does it look?
#
# Now words ask a picture. Scenes hold three things of different colours and shapes, and the question is "what shape is the red object?". The picture becomes 64 vectors, one for each place of a grid of eight by eight, by a small convolutional network. It was trained beforehand, on scenes with a single object, to tell its shape and colour, and stays as it is. What is learned now is to find the object that the words mean.

# %%
from mmcourse.data import WordTokens, scenes, vocabulary
from mmcourse.data.scenes import SHAPES


# %%
def picture_encoder():
    """Pictures (n, 3, 32, 32) -> (n, 32, 8, 8), trained on single objects."""
    single = scenes(3000, seed=100, objects=(1, 1), sizes=("large",), moving=0.0)
    shown = torch.tensor(single.images(32))
    shape, colour = (torch.tensor(a[:, 0]) for a in (single.shape, single.colour))
    seed_everything(0)
    encoder = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.ReLU())
    tell = nn.Linear(32, 4 + 6)  # shape and colour, from the largest over all places
    optimizer = torch.optim.AdamW([*encoder.parameters(), *tell.parameters()], lr=5e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(450):
        rows = torch.randint(3000, (48,), generator=generator)
        told = tell(encoder(shown[rows]).amax(dim=(2, 3)))
        loss = (cross_entropy(told[:, :4], shape[rows])
                + cross_entropy(told[:, 4:], colour[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder


# %%
world = scenes(4000, seed=0, objects=(3, 3), all_different=True,
               sizes=("large",), moving=0.0)
asked = world.questions(("shape",), seed=0)
encoder = picture_encoder()
with torch.no_grad():
    grid = encoder(torch.tensor(world.images(32))).flatten(2).transpose(1, 2)
grid = grid / grid[:3000].std()  # (4000, 64, 32)
lexicon = vocabulary(asked.text)
ids = torch.tensor(WordTokens(lexicon).encode(asked.text))  # (4000, 6)
shape_asked = torch.tensor([SHAPES.index(answer) for answer in asked.answer])
training, test = ((grid[part], ids[part], shape_asked[part])
                  for part in (slice(3000), slice(3000, None)))
print(asked.text[0], asked.answer[0])


# %%
class Asking(nn.Module):
    """Words ask places; a network reads the mean of what they got, and the words."""

    def __init__(self, width=32):
        super().__init__()
        self.words = nn.Embedding(len(lexicon) + 1, width)
        self.word_positions = nn.Parameter(torch.randn(6, width) * 0.02)
        self.picture_positions = nn.Parameter(torch.randn(64, width) * 0.02)
        self.attention = CrossAttention(width, heads=4)
        self.answer = nn.Sequential(nn.Linear(2 * width, 64), nn.ReLU(),
                                    nn.Linear(64, len(SHAPES)))

    def read(self, places, ids):
        return self.words(ids) + self.word_positions, places + self.picture_positions

    def forward(self, places, ids, mask=None):
        text, picture = self.read(places, ids)
        got = self.attention(text, picture, mask).mean(dim=1)
        return self.answer(torch.cat([got, text.mean(dim=1)], dim=1))

    def look(self, places, ids):
        """Weights (n, words, 8, 8) of the places, the mean over heads."""
        weights = self.attention.attention_weights(*self.read(places, ids))
        return weights.mean(dim=1).unflatten(2, (8, 8)).detach().numpy()


# %%
def draw_questions(generator):
    rows = torch.randint(3000, (32,), generator=generator)
    return tuple(array[rows] for array in training)


seed_everything(0)
asking = Asking()
train(asking, draw_questions, 0, steps=900, learning_rate=5e-3, weight_decay=1e-2)
found = right(asking, *test)
stored = runs.values("accuracy", sweep="pictures", fusion="cross-attention")
claim("right answers by cross-attention, beside three stored runs", found,
      at_least=stored.min() - 0.03, at_most=stored.max() + 0.03, key="pictures-live")

# %% [markdown]
# Where does it look? Each word has a map of its own. For each test scene and word we add up the weights of the places that the object in question covers, and compare with those of the two other objects, and with the share that even weights would give.

# %%
CENTRES = np.arange(8) * 4 + 2.0  # pixels, of the eight rows and columns
boxes = world.boxes(32)[3000:]  # (1000, 3, 4) left, top, right, bottom
left, top, right_side, bottom = (boxes[..., i, None] for i in range(4))
across = (left - 2 <= CENTRES) & (right_side + 2 >= CENTRES)
down = (top - 2 <= CENTRES) & (bottom + 2 >= CENTRES)
covered = down[..., :, None] & across[..., None, :]  # (1000, 3, 8, 8)
meant = world.shape[3000:] == shape_asked[3000:, None].numpy()  # which of the three

looks = asking.look(*test[:2])  # (1000, 6, 8, 8)
on_object = np.einsum("nwrc,norc->now", looks, covered)  # (1000, 3, 6)
on_meant, on_others = (on_object[chosen].mean(axis=0) for chosen in (meant, ~meant))
COLOUR = 4  # the place of the colour in "what shape is the red object?"
claim("weight of the colour word on the object in question, mean",
      on_meant[COLOUR], at_least=0.45, key="weight-asked")
claim("weight of the colour word on each of the other two, mean",
      on_others[COLOUR], at_most=0.2, key="weight-others")
of_other_words = np.delete(on_meant - on_others, COLOUR)
claim("the other five words: largest difference between the two",
      np.abs(of_other_words).max(), at_most=0.05, key="weight-other-words")
exact("even weights would give each object {:.3f}", covered.mean(), key="weight-even")
most = on_object[..., COLOUR].argmax(axis=1) == meant.argmax(axis=1)
claim("scenes in which the colour word looks most at the object in question, share",
      most.mean(), at_least=0.7, key="weight-most")
assert most[:4].all()  # in the four that are drawn below

# %% tags=["hide-input"]
fig, axes = plt.subplots(2, 4, figsize=(8.4, 4.7), layout="constrained")
shown = world.take(np.arange(3000, 3004)).images(32)
for column, (image, maps, question) in enumerate(zip(shown, looks, asked.text[3000:], strict=False)):
    said = question.removesuffix("?").split()
    for axis, word in zip(axes[:, column], (COLOUR, 2), strict=True):
        axis.imshow(image.transpose(1, 2, 0), extent=(0, 32, 32, 0))
        for (y, x), weight in np.ndenumerate(maps[word]):
            side = 8 * np.sqrt(weight)
            corner = (4 * x + 2 - side / 2, 4 * y + 2 - side / 2)
            axis.add_patch(plt.Rectangle(corner, side, side, fill=False, color="#E69F00", linewidth=1.5))
        axis.set_title(f'"{said[word]}"', fontsize=11)
        axis.set(xticks=[], yticks=[])
figure(
    fig,
    "look",
    caption="Where two words of the question look in four test scenes: above the colour, below the word *is*. The area of an orange "
    "square is the weight of its place, the mean over four heads. The colour word looks more at its object than at either of the others, often at the edge.",
    alt="Four dark pictures with three coloured shapes each, shown twice. Above, the largest orange squares lie on or at the edge of the "
    "object of the colour in the title. Below, the squares are small, of nearly one size on the dark ground, and smallest on the objects.",
)

# %% [markdown]
# Nobody told the model where objects are; the colour word found out. The other five words are the same in every question and cannot know which object is meant: they make no difference between it and the others. The word *is* looks mostly at the background. To see whether the model *needs* what the colour word looks at, hide an object's places by the mask, once the object's that is asked for, once another's.

# %%
hidden = {
    "the object in question": meant,
    "another object": np.roll(meant, 1, axis=1),
}
for what, chosen in hidden.items():
    visible = ~torch.tensor(covered[chosen].reshape(-1, 64))
    with torch.no_grad():
        guesses = asking(*test[:2], visible).argmax(dim=1)
    still_right = (guesses == test[2]).double().mean().item()
    bounds = {"at_most": 0.4} if what == "the object in question" else {"at_least": 0.6}
    claim(f"right answers where {what} is hidden", still_right,
          key=f"hidden-{what.split()[0]}", **bounds)

# %% [markdown]
# Hiding is the test, not the weight. A weight says how much of a *value* is taken, and says nothing about what the value holds. Here are two cases with numbers. In the first, nine tenths of the weight lie on a key whose value is zero: all of the result comes from the other. In the second, two keys have one value: their weights can be exchanged and nothing changes.

# %%
nine_tenths = np.array([0.9, 0.1])
values = np.array([[0.0, 0.0], [5.0, -2.0]])
assert np.allclose(nine_tenths @ values, 0.1 * values[1])  # nothing of the first
twins = np.array([[5.0, -2.0], [5.0, -2.0]])
assert np.allclose(nine_tenths @ twins, nine_tenths[::-1] @ twins)

# %% [markdown]
# So an attention map is a guess about importance, to be tested by taking away. [Jain and Wallace (2019)](../../book/bibliography.md#jain2019) found other weights for trained text classifiers that gave nearly the same answers.
#
# ## One task, five ways
#
# The same scenes and questions, the same encoder, the same training; what differs is how words and picture meet. *Picture alone* sums up the picture by four learned queries and never sees the question. *Means* joins the mean of the places and the mean of the words. *Learned queries* joins those four summaries and the mean of the words. *Cross-attention* is the model above. *Joined* puts places and words into one sequence and lets a Transformer of two layers attend over all of it; this is what visual tokens in a language model come to. Who knows the three shapes in a scene and not which one is meant is right once in three.

# %%
FUSIONS = ("picture alone", "means", "learned queries", "cross-attention", "joined")
by_fusion = {name: runs.values("accuracy", sweep="pictures", fusion=name)
             for name in FUSIONS}

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
for place, accuracies in enumerate(by_fusion.values()):
    axis.scatter(accuracies, np.full(len(accuracies), place), color="C0", s=30, alpha=0.7)
    axis.plot([accuracies.mean()] * 2, [place - 0.3, place + 0.3], color="black", linewidth=2)
axis.axvline(1 / 3, color="0.5", linestyle="--", linewidth=1)
axis.text(0.345, 0.6, "one in three", fontsize=10)
axis.set_yticks(range(len(FUSIONS)), FUSIONS)
axis.set(xlabel="right answers", xlim=(0.2, 1.02), ylim=(4.6, -0.6))
figure(
    fig,
    "fusions",
    caption="Right answers on a thousand test scenes: three runs of each fusion (dots), and their mean (lines).",
    alt="Dots for five ways to fuse. Picture alone and means lie near one in three, learned queries and cross-attention far to the right, "
    "spread widely. Two dots of joined lie left of the line, one far to the right of it.",
)

# %%
summaries = np.concatenate([by_fusion[name] for name in FUSIONS[:2]])
claim("picture alone and means: highest of six runs", summaries.max(),
      at_most=0.4, key="summaries-most")
for name in ("learned queries", "cross-attention"):
    claim(f"{name}: lowest of three runs", by_fusion[name].min(),
          at_least=0.45, key=f"{name.replace(' ', '-')}-least")
difference = by_fusion["cross-attention"] - by_fusion["learned queries"]
claim("cross-attention minus learned queries, mean of three pairs of runs",
      difference.mean(), at_least=-0.05, at_most=0.15, key="cross-minus-learned")
claim("cross-attention: range of three runs", np.ptp(by_fusion["cross-attention"]),
      at_least=0.2, key="cross-range")
claim("joined: middle one of three runs", np.median(by_fusion["joined"]),
      at_most=1 / 3, key="joined-middle")
claim("joined: highest of three runs", by_fusion["joined"].max(),
      at_least=0.45, key="joined-most")

# %% [markdown]
# A mean of places is no better than a picture without a question. But four learned queries, which never hear the question, do nearly as well as the question itself: the three runs of cross-attention lie further apart than the means of the two do. The lists tell why, perhaps. What a summary must hold here are three objects, and there are four vectors to hold them; with more objects than vectors that should change. The joined sequence can express what cross-attention does, and has more to learn. In the steps that all were given, most of its runs did not get beyond a guess.
#
# ## The family
#
# Six arrangements are in use. All are made of attention, of a small network that sees each step alone, and of norms. They differ in who may ask whom. Take four examples of six words and 64 places.

# %%
from mmcourse.fusion.torch import BottleneckTransformer, CrossmodalTransformer
from mmcourse.fusion.torch import GatedCrossAttention, PerceiverResampler, QFormer

seed_everything(0)
text, places = torch.randn(4, 6, 32), torch.randn(4, 64, 32)
features, dims = {"text": text, "picture": places}, {"text": 32, "picture": 32}
sizes = {"dim": 32, "heads": 4, "layers": 2, "out_dim": 16}


def hears(module):
    """Does a change of the picture change the stream of the text?"""
    changed = features | {"picture": places + 1}
    difference = module.streams(changed)["text"] - module.streams(features)["text"]
    return bool(difference.abs().max() > 0)


# %% [markdown]
# **Crossmodal Transformer** ([Tsai et al., 2019](../../book/bibliography.md#tsai2019)). For every ordered pair of modalities the first asks the second, layer by layer; then each attends to what it has gathered. Lengths may differ and need no alignment. With $M$ modalities there are $M(M-1)$ such pairs.

# %%
crossmodal = CrossmodalTransformer(dims, **sizes)
assert crossmodal(features).shape == (4, 16)
assert hears(crossmodal)
of_three = CrossmodalTransformer(dims | {"sound": 8}, **sizes)
assert sum(len(asks) for asks in of_three.crossmodal.values()) == 3 * 2

# %% [markdown]
# **Bottleneck** ([Nagrani et al., 2021](../../book/bibliography.md#nagrani2021)). Each modality attends to itself and to a few shared tokens, which are averaged between modalities after every layer. The average is the only place where they meet. Write the layers out, take the average away, and nothing crosses. With it, crossing takes two layers: in one the picture tells the tokens, in the next the text reads them.

# %%
def text_stream(module, features, exchange=True):
    """The bottleneck by hand; without exchange each modality keeps its own tokens."""
    steps = {m: module.projections[m](x) for m, x in features.items()}
    tokens = {m: module.bottleneck.expand(len(x), -1, -1) for m, x in features.items()}
    count = len(module.bottleneck)
    for layer in module.layers:
        for m in features:
            both = layer[m](torch.cat([steps[m], tokens[m]], dim=1), None)
            steps[m], tokens[m] = both[:, :-count], both[:, -count:]
        if exchange:
            tokens = dict.fromkeys(tokens, sum(tokens.values()) / len(tokens))
    return module.norms["text"](steps["text"])


# %%
bottleneck = BottleneckTransformer(dims, tokens=4, **sizes)
assert bottleneck(features).shape == (4, 16)
assert torch.allclose(text_stream(bottleneck, features),
                      bottleneck.streams(features)["text"], atol=1e-5)
assert hears(bottleneck)
kept_apart = text_stream(bottleneck, features, exchange=False)
other_picture = features | {"picture": places + 1}
assert torch.equal(text_stream(bottleneck, other_picture, exchange=False),
                   kept_apart)
bottleneck.layers = bottleneck.layers[:1]  # take the second layer away
assert not hears(bottleneck)

# %% [markdown]
# How much passes? The text stream of one example holds $6 \times 32 = 192$ numbers. A small change of the picture moves them, by the matrix of their derivatives, and the rank of that matrix says in how many independent directions. With two layers the text reads the averaged tokens once, and a norm takes the mean of each away first. So 31 directions for each token are the most.

# %%
def directions(module):
    """In how many directions can a small change of the picture move the text stream?"""
    module = module.double()
    one = {m: x[:1].double() for m, x in features.items()}
    derivatives = torch.autograd.functional.jacobian(
        lambda picture: module.streams(one | {"picture": picture})["text"],
        one["picture"], vectorize=True).reshape(6 * 32, 64 * 32)
    strengths = torch.linalg.svdvals(derivatives)
    return int((strengths > 1e-10 * strengths[0]).sum())


for tokens in (1, 2, 4):
    narrow = BottleneckTransformer(dims, tokens=tokens, **sizes)
    claim(f"directions through a bottleneck of {tokens}", directions(narrow),
          at_most=31 * tokens, key=f"directions-{tokens}")
claim("directions in the crossmodal Transformer", directions(crossmodal),
      at_least=31 * 4 + 1, key="directions-crossmodal")

# %% [markdown]
# Does that matter? Take the lists of the beginning, eight items as one modality, the question as the other, and answer from the question's stream. Steps and data are those of the first figure; the learning rate is `0.003` where it was `0.01`.

# %%
def family(pool):
    return runs.values("accuracy", sweep="family", pool=pool, length=8)


claim("crossmodal Transformer, eight items: lowest of three runs",
      family("crossmodal").min(), at_least=0.99, key="family-crossmodal-least")
for layers in ("two", "three"):
    above = family(f"bottleneck of {layers} layers").max() - floor[3]
    claim(f"one token, {layers} layers: highest of three runs, above the dotted line",
          above, at_most=0.05, key=f"family-bottleneck-{layers}")

# %% [markdown]
# In the crossmodal Transformer the question asks the list. Through one token comes hardly more than the dotted line of the first figure. With two layers the token is written before it can know the question, so this is the summary of the first section again. With three the question could tell the token what to listen for. In the steps that all were given this was not learned.

# %% [markdown]
# **Perceiver resampler** ([Alayrac et al., 2022](../../book/bibliography.md#alayrac2022), after [Jaegle et al., 2021](../../book/bibliography.md#jaegle2021)). A fixed number of learned latents ask the picture, so that whatever comes after sees that many vectors, however large the picture. It is attention pooling in several layers, and it does not know the question.
#
# **Gated cross-attention** ([Alayrac et al., 2022](../../book/bibliography.md#alayrac2022)). Layers in which words ask the picture are put between the layers of a language model that exists already. What they add is multiplied by $\tanh g$ with a learned number $g$ that is 0 at the start, so that at the start the language model is what it was.
#
# **Q-Former** ([Li et al., 2023](../../book/bibliography.md#li2023)). Learned queries ask the picture and attend to the words too; which of them sees which, a mask says.

# %%
resampler = PerceiverResampler(32, latents=8, layers=2, heads=4)
assert resampler(places).shape == resampler(places[:, :20]).shape == (4, 8, 32)
gated = GatedCrossAttention(32, heads=4)
assert torch.equal(gated(text, places), text)  # closed at the start
queries, words_read = QFormer(32, queries=8, layers=2, heads=4)(places, text)
assert queries.shape == (4, 8, 32)
assert words_read.shape == (4, 6, 32)

# %% [markdown]
# **Visual tokens** ([Liu et al., 2023](../../book/bibliography.md#liu2023)), the usual way at the time of writing. A projector brings the places to the width of a language model, which reads them before the words, as if they were words. There is no fusion module at all. A word sees all places; a place sees no word.

# %%
from mmcourse.decoders.torch import TransformerDecoder, VisualTokenDecoder

decoder = TransformerDecoder(len(lexicon) + 1, dim=32, layers=2, heads=4, length=70)
reader = VisualTokenDecoder(decoder, patch_dim=32)
next_word = reader(ids[:4], places)
assert next_word.shape == (4, 6, len(lexicon) + 1)
assert not torch.allclose(next_word[:, 0], reader(ids[:4], places + 1)[:, 0])
other_words = ids[:4].clone()
other_words[:, 1:] = ids[:4, 1:].flip(1)  # the first word cannot know
assert torch.allclose(reader(other_words, places)[:, 0], next_word[:, 0], atol=1e-5)

# %% [markdown]
# ## What each costs
#
# A layer of attention multiplies each of its $n$ vectors with matrices, which costs a multiple of $n$, and each query with each key, which costs a multiple of their number of pairs. So every cost here is $a n^2 + b n + c$ in the length $n$ of the picture, with the text fixed. The functions count multiply-adds, one multiplication with its addition, exactly, and the tests compare them with what runs. Counted is each module as it stands, for visual tokens the whole decoder. The last three need a language model beside them. It is not counted; it sees only the words or a fixed number of vectors, so its cost would go into $c$. A causal mask hides half of the pairs; counted is the whole square, and a kernel that leaves the hidden half out halves $a$. From three lengths we solve for $a$ and $b$; a fourth confirms them. Where $a n^2 = b n$, at $n = b/a$, the square overtakes the line.

# %%
from mmcourse.fusion import attention_counts as costs
from mmcourse.fusion.sequence_counts import count_bottleneck_transformer
from mmcourse.fusion.sequence_counts import count_crossmodal_transformer

D, WORDS, LAYERS, PLACE_DIM = 512, 64, 6, 768
STACK = {"heads": 8, "layers": LAYERS}
BOTH = {"dims": {"text": D, "picture": D}, "dim": D, "out_dim": D, **STACK}
WAYS = {
    "crossmodal": lambda n: count_crossmodal_transformer(
        {"text": WORDS, "picture": n}, **BOTH),
    "bottleneck": lambda n: count_bottleneck_transformer(
        {"text": WORDS, "picture": n}, **BOTH),
    "visual tokens": lambda n: costs.count_visual_tokens(
        n, WORDS, D, picture_dim=PLACE_DIM, **STACK),
    "resampler": lambda n: costs.count_perceiver_resampler(n, D, latents=32, **STACK),
    "gated cross-attention": lambda n: costs.total(
        [costs.count_gated_cross_attention(WORDS, n, D, heads=8)] * LAYERS),
    "Q-Former": lambda n: costs.count_q_former(n, WORDS, D, queries=32, **STACK),
}


# %%
def square_and_line(way, step=1000):
    """a and b of  multiply_adds(n) = a n^2 + b n + c."""
    def cost(n):
        return WAYS[way](n).multiply_adds

    one, two, three = (cost(k * step) for k in (1, 2, 3))
    a, rest = divmod(three - 2 * two + one, 2 * step**2)
    b, rest_of_b = divmod(two - one - 3 * a * step**2, step)
    c = one - a * step**2 - b * step
    assert rest == rest_of_b == 0
    assert cost(7777) == a * 7777**2 + b * 7777 + c
    return a, b


crossing = {}
for way in WAYS:
    a, b = square_and_line(way)
    print(f"{way:22} a = {a:>6,}   b = {b:>12,}", end="   ")
    print(f"square overtakes at n = {b / a:,.0f}" if a else "no square")
    if a:
        crossing[way] = b / a
        assert np.isclose(a * crossing[way]**2, b * crossing[way])

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(7.4, 4.4), layout="constrained")
lengths = np.unique(np.geomspace(16, 60_000, 40).astype(int))
for (way, count), style, colour in zip(WAYS.items(), ("-", "-", ":", "--", "-.", "--"), ("C0", "C1", "C2") * 2, strict=True):
    axis.plot(lengths, [count(n).multiply_adds for n in lengths], style, color=colour, label=way, linewidth=3 if style == ":" else 1.8)
    if way in crossing:
        place = round(crossing[way])
        axis.plot(place, count(place).multiply_adds, "o", color=colour, markersize=8)
for place, name, height, side in ((620, "a picture of LLaVA-1.5", 2.5e13, "left"), (53_000, "a hundred pictures", 6e8, "right")):
    axis.axvline(576 if side == "left" else 57_600, color="0.6", linewidth=1)
    axis.text(place, height, name, fontsize=10, ha=side, color="0.35")
axis.set(xscale="log", yscale="log", xlabel="vectors of the picture, n", ylabel="multiply-adds")
axis.legend(loc="upper left", fontsize=10)
figure(
    fig,
    "costs",
    caption="Counted cost of one example with 64 words, against the number of vectors that the picture has. In crossmodal, bottleneck and "
    "visual tokens the picture attends to itself; a dot marks where the square overtakes the line. In the other three it is only asked.",
    alt="Six curves on logarithmic axes. At the right end three lower curves rise with slope one. Three upper curves are steeper there, "
    "each with a dot where the bend begins; two of them, bottleneck and visual tokens, lie on each other.",
)

# %% [markdown]
# Three ways grow with the first power to the end: there the picture is only asked. In the other three it attends to itself, and this brings the square (in the crossmodal Transformer only in the single layer in which it attends to what it has gathered, so that its crossing lies far out). For visual tokens, whose $a$ and $b$ are easy to read off the layers, $n = 2d + h + 2t + p/(2L)$, with the width $d$, the hidden width $h = 4d$, $t$ words, places of width $p$ and $L$ layers. Most of that is $2d + h = 6d$: the crossing lies where the picture has about six times as many vectors as a vector has numbers.

# %%
by_formula = 2 * D + 4 * D + 2 * WORDS + PLACE_DIM / (2 * LAYERS)
assert np.isclose(crossing["visual tokens"], by_formula)
alone = costs.crossing_length(D, hidden_size=4 * D)  # without words and projector
assert alone == 6 * D
exact("visual tokens: the square overtakes the line at {:.0f} vectors",
      crossing["visual tokens"], key="crossing-visual")
exact("bottleneck: at {:.0f}", crossing["bottleneck"], key="crossing-bottleneck")
exact("crossmodal: at {:.0f}", crossing["crossmodal"], key="crossing-crossmodal")
a, b = square_and_line("visual tokens")
exact("share of the square in what 576 visual tokens add {:.3f}",
      a * 576 / (a * 576 + b), key="square-share-one")
exact("and in what a hundred such pictures add {:.3f}",
      a * 57_600 / (a * 57_600 + b), key="square-share-hundred")
_, b_gated = square_and_line("gated cross-attention")
for pictures, n in (("one", 576), ("a hundred", 57_600)):
    exact(f"what {pictures} of them adds, over gated cross-attention {{:.1f}}",
          (a * n + b) / b_gated, key=f"visual-over-gated-{pictures.split()[-1]}")

# %% [markdown]
# A picture of `LLaVA-1.5` ([Liu et al., 2024](../../book/bibliography.md#liu2024)) is cut into $24 \times 24 = 576$ patches. So with one picture the famous square is a small part of the bill, and the matrices are most of it. Wider models push the crossing further out, since it grows with $d$. With a hundred pictures, or a long video, the square is nearly everything, and the same pictures cost a small fraction where they are only asked.
#
# The counts leave out memory and the work of a kernel that waits for it; the page [Reading another sequence](../../book/fusion/attention.md) counts bytes too.
#
# ## What this does not show
#
# The lists and scenes are small and made so that the question matters; where any summary would do, attention gains nothing. The encoder of the pictures stayed fixed. Each comparison has one size and one number of steps for all, and larger models may order the ways differently. Crossmodal Transformer and bottleneck were trained on lists alone, the bottleneck with a single token. And the counts say what a way costs, not what it is worth.
#
# ## What to keep
#
# A summary made before the question is known must have room for all that might be asked. Cross-attention lets the question choose: weights from comparing its queries with keys, a weighted mean of values. It needs several keys; with one it is a projection. Through a bottleneck passes what a few tokens hold, and no more. Its map is a guess at importance; hide what it looks at to find out. It costs the pairs of those who may look at each other, and the square counts only beyond a length of several times the width.
#
# **Try it.** Ask a longer list: `print(recall(QuestionAsQuery, length=16, steps=200))`. Give the mean more patience: `print(recall(Mean, length=4, steps=2000))`. Where does the crossing go with half the width: `D = 256; print(costs.crossing_length(D, hidden_size=4 * D))`. The [exercises](exercises.ipynb) continue here.
#
# **Further reading.** [Vaswani et al. (2017)](../../book/bibliography.md#vaswani2017) for scaled dot products and heads, [Bahdanau et al. (2015)](../../book/bibliography.md#bahdanau2015) for the first attention between two sequences, [Lee et al. (2019)](../../book/bibliography.md#lee2019) for pooling by learned queries, [Alayrac et al. (2022)](../../book/bibliography.md#alayrac2022) and [Liu et al. (2023)](../../book/bibliography.md#liu2023) for the two ways between which today's models choose.

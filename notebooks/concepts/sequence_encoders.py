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
# # Sequence encoders
#
# Write the step of a recurrent network, of an LSTM, of a GRU and of attention by hand, and say before training which of them can know the order, what came long ago, and where the padding begins.
#
# **Before this:** matrices and the derivative of a composed function, the softmax, and that a network is trained by gradient steps on a cross-entropy.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab preprocessing

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from mmcourse.data.scenes import scenes_by_hand
from mmcourse.encoders.numpy import embedding
from mmcourse.lesson import claim, exact, experiment, figure, setup

setup("concepts/sequence_encoders")

# %% [markdown]
# ## The same words in another order
#
# Two rooms, seen from above. In one of them a red circle lies left of a blue square. In the other the colours are exchanged. Each room comes with a sentence.

# %%
def room(circle, square):
    """A circle on the left and a square on the right, in these colours."""
    return [{"colour": circle, "shape": "circle", "position": (0.25, 0.5)},
            {"colour": square, "shape": "square", "position": (0.75, 0.5)}]


captions = scenes_by_hand([room("red", "blue"), room("blue", "red")]).captions()
tokens = [caption.split() for caption in captions]
assert sorted(tokens[0]) == sorted(tokens[1])  # the same words
print(*captions, sep="\n")

# %% [markdown]
# A computer needs numbers. List the words of the vocabulary, give each a number, its *id*, and give each id a vector of its own, its *embedding*. Write $V$ for the number of words, $d$ for the width of a vector, and $E$ for the table of all vectors, with a row for each word: it is $(V, d)$. Looking up row $i$ is a product with the *one-hot* row of word $i$, which is $1$ at place $i$ and $0$ elsewhere:
#
# $$e = \mathrm{onehot}(i)\, E .$$
#
# Here the vectors are random. A network learns them with everything else.

# %%
rng = np.random.default_rng(0)
vocabulary = sorted(set(tokens[0]))
ids = np.array([[vocabulary.index(word) for word in row] for row in tokens])
table = rng.normal(size=(len(vocabulary), 4))  # a row of four numbers for each word

one_hot = np.eye(len(vocabulary))[ids]
looked_up = embedding(ids, vectors=table)
assert np.allclose(one_hot @ table, looked_up)
assert looked_up.shape == (2, len(tokens[0]), 4)  # (batch, time, dim)
print("from", one_hot.shape, "to", looked_up.shape)

# %% [markdown]
# > **Correction.** A source document ([entry C-47](../../book/corrections.md#c-47)) says that a word embedding maps words into a space of high dimension. It goes the other way: from one number for each word of the vocabulary to a few numbers. Eleven numbers become four here, one for each word of the vocabulary before, and in a language model the vocabulary is far larger than the vector.
#
# A sentence is now a *sequence* of vectors, an array (batch, time, dim). Most tasks want one vector for all of it. The simplest is the mean over time. It fails at once.

# %%
means = looked_up.mean(axis=1)  # (batch, time, dim) -> (batch, dim)
assert np.allclose(means[0], means[1])
print("two rooms, one vector:", means[0].round(3))

# %% [markdown]
# Whatever is learned, the table included, a mean gives both sentences one vector. No later layer can tell them apart. We need encoders that see the order.
#
# ## One step at a time
#
# Read as people do: word after word, with something in mind. A *recurrent network* carries a vector along, the *hidden state* $h$. Each step makes a new state from the input and the old state:
#
# $$h_t = \tanh(x_t W_x + h_{t-1} W_h + b), \qquad h_0 = 0 .$$
#
# Here $x_t$ is the vector at step $t$, a row; the matrices $W_x$ and $W_h$ and the row $b$ are learned, and they are the same at every step. Take one number for $x$ and one for $h$, with $W_x = 1$, $W_h = \tfrac12$, $b = 0$. Read $1$ and then $0$: the states are $\tanh 1$ and $\tanh(\tfrac12 \tanh 1)$. Read $0$ and then $1$: they are $0$ and $\tanh 1$.

# %%
one_zero = [np.tanh(1), np.tanh(0.5 * np.tanh(1))]
zero_one = [np.tanh(0), np.tanh(1)]
print("after 1, 0:", round(one_zero[-1], 4))
print("after 0, 1:", round(zero_one[-1], 4))

# %% [markdown]
# The last state knows the order, and an input of long ago counts less than a fresh one. Now with vectors, a batch, and a loop. The first axis is the batch, the second is time, and the loop runs over time.

# %%
def recurrent_step(x, hidden, kernel, recurrent_kernel, bias):
    """One step of a batch.  x: (batch, dim);  hidden: (batch, hidden)"""
    return np.tanh(x @ kernel + hidden @ recurrent_kernel + bias)


def read(sequence, kernel, recurrent_kernel, bias):
    """States 1 to T of (batch, T, dim): (batch, T, hidden)."""
    hidden = np.zeros((len(sequence), len(recurrent_kernel)))
    states = []
    for t in range(sequence.shape[1]):
        x = sequence[:, t]
        hidden = recurrent_step(x, hidden, kernel, recurrent_kernel, bias)
        states.append(hidden)
    return np.stack(states, axis=1)


weights = {"kernel": rng.normal(size=(4, 3)),  # dim 4, hidden 3
           "recurrent_kernel": rng.normal(size=(3, 3)),
           "bias": rng.normal(size=3)}
states = read(looked_up, **weights)
assert states.shape == (2, len(tokens[0]), 3)  # T inputs, T states
assert not np.allclose(states[0, -1], states[1, -1])  # the two rooms differ

# %%
from mmcourse.encoders.numpy import recurrent

outputs, last = recurrent(looked_up, **weights)
assert np.allclose(outputs, states, rtol=1e-12)
assert np.allclose(last, states[:, -1], rtol=1e-12)
scalar, _ = recurrent([[[1.0], [0.0]]], kernel=[[1.0]],
                      recurrent_kernel=[[0.5]], bias=[0.0])
assert np.allclose(scalar[0, :, 0], one_zero)

cell = nn.RNNCell(4, 3, dtype=torch.float64)  # PyTorch's; it turns its matrices
cell.weight_ih.data = torch.tensor(weights["kernel"].T)
cell.weight_hh.data = torch.tensor(weights["recurrent_kernel"].T)
cell.bias_ih.data = torch.tensor(weights["bias"])
cell.bias_hh.data.zero_()
x, hidden = looked_up[:, 1], states[:, 0]
step = recurrent_step(x, hidden, **weights)
assert np.allclose(cell(torch.tensor(x), torch.tensor(hidden)).detach(), step)

# %%
joined = np.hstack([x, hidden])  # (batch, dim + hidden)
stacked = np.vstack([weights["kernel"], weights["recurrent_kernel"]])
assert np.allclose(np.tanh(joined @ stacked + weights["bias"]), step)

# %% [markdown]
# > **Correction.** A source document gives input and state *one* matrix ([C-30](../../book/corrections.md#c-30)), although they have different widths ([S4-C08-03](../../book/corrections.md#s4-c08-03)), calls the input a sequence where the function takes one step ([S4-C08-05](../../book/corrections.md#s4-c08-05)), and names no activation; the program does not parse ([S4-C08](../../book/corrections.md#s4-c08)). Two matrices are needed, or one on the joined vector, as the last cell shows.
#
# > **Correction.** Its loop over the sequence ([S4-C09](../../book/corrections.md#s4-c09)) returns the initial state among the results, so that $T$ inputs give $T + 1$ states ([S4-C09-02](../../book/corrections.md#s4-c09-02)). It also runs over the first axis; where that is the batch, it reads across sentences and not along them ([S4-C09-03](../../book/corrections.md#s4-c09-03)).
#
# ## What fades
#
# Training tells an early input what to do through the chain of states between it and the loss. In one number, by the chain rule,
#
# $$\frac{\partial h_T}{\partial h_0} = \prod_{t=1}^{T} W_h \,(1 - h_t^2) ,$$
#
# a product of $T$ factors. With $W_h = \tfrac12$ each of them is at most one half. After twenty steps less than a millionth is left.

# %%
def last_number(start, inputs, weight):
    """All states of h = tanh(x + weight h) from a start, in one number."""
    hidden = start
    states = []
    for x in inputs:
        hidden = torch.tanh(x + weight * hidden)
        states.append(hidden)
    return torch.stack(states)


start = torch.zeros((), dtype=torch.float64, requires_grad=True)
inputs = torch.tensor(rng.normal(size=20))
along = last_number(start, inputs, weight=0.5)
along[-1].backward()
factors = 0.5 * (1 - along.detach() ** 2)
assert torch.allclose(start.grad, factors.prod())  # the formula and autograd
assert start.grad <= 0.5**20

# %% [markdown]
# The *long short-term memory*, LSTM, changes the path ([Hochreiter and Schmidhuber, 1997](../../book/bibliography.md#hochreiter1997); the forget gate is of [Gers et al., 2000](../../book/bibliography.md#gers2000)). Beside the state $h$ it keeps a *cell* $c$, to which it adds. Three *gates* between $0$ and $1$ decide: $i$, how much of a candidate $g$ is written; $f$, how much of the old cell is kept; $o$, how much of the cell is shown.
#
# $$i, f, o = \sigma(\dots), \quad g = \tanh(\dots), \quad c_t = f \odot c_{t-1} + i \odot g, \quad h_t = o \odot \tanh(c_t) .$$
#
# Each of the four dots stands for $x_t W_x + h_{t-1} W_h + b$ with matrices and a bias of its own, $\sigma(a) = 1/(1+e^{-a})$, and $\odot$ multiplies number by number. The *gated recurrent unit*, GRU, manages with one state ([Cho et al., 2014](../../book/bibliography.md#cho2014)). Its gate $u$ keeps the state or replaces it by a candidate, and its gate $r$ decides how much of the state the candidate sees:
#
# $$h_t = u \odot h_{t-1} + (1 - u) \odot \tanh(x_t W_n + b_n + r \odot (h_{t-1} W_n' + b_n')) .$$

# %%
def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_step(x, hidden, cell, kernel, recurrent_kernel, bias):
    """New state and cell; columns of the parameters in the order i, f, g, o."""
    i, f, g, o = np.split(x @ kernel + hidden @ recurrent_kernel + bias, 4, axis=1)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def gru_step(x, hidden, kernel, recurrent_kernel, bias, recurrent_bias):
    """New state; columns of the parameters in the order r, u, n."""
    r, u, n = np.split(x @ kernel + bias, 3, axis=1)
    r_, u_, n_ = np.split(hidden @ recurrent_kernel + recurrent_bias, 3, axis=1)
    keep = sigmoid(u + u_)
    return keep * hidden + (1 - keep) * np.tanh(n + sigmoid(r + r_) * n_)


# %%
from mmcourse.encoders.numpy import gru, lstm


def parameters(gates, biases=("bias",)):
    """Random kernels for dim 4 and hidden 3, and the biases."""
    wide = 3 * gates
    return {"kernel": rng.normal(size=(4, wide)),
            "recurrent_kernel": rng.normal(size=(3, wide)),
            **{name: rng.normal(size=wide) for name in biases}}


of_lstm, of_gru = parameters(4), parameters(3, ("bias", "recurrent_bias"))
hidden, memory, gated = np.zeros((3, 2, 3))
for t in range(looked_up.shape[1]):
    hidden, memory = lstm_step(looked_up[:, t], hidden, memory, **of_lstm)
    gated = gru_step(looked_up[:, t], gated, **of_gru)
assert np.allclose(lstm(looked_up, **of_lstm)[1], (hidden, memory), rtol=1e-12)
assert np.allclose(gru(looked_up, **of_gru)[1], gated, rtol=1e-12)

# %% [markdown]
# Now follow the cell back through time, by the direct path on which the gates are taken as given. From $c_t = f \odot c_{t-1} + \dots$ it follows that $\partial c_T / \partial c_0$ is the product of the forget gates. No matrix and no slope of a $\tanh$ stands in it, and a gate near one lets everything pass. In the GRU it is the product of the gates $u$. If the gates do not look at the state, $W_h = 0$, there is no other path, and this can be checked to the last digit: the cell is then linear in where it started.

# %%
for function, values in ((lstm, of_lstm), (gru, of_gru)):
    blind = values | {"recurrent_kernel": 0 * values["recurrent_kernel"]}
    ends = []
    for begin in (np.zeros((2, 3)), np.ones((2, 3))):
        state = (0 * begin, begin) if function is lstm else begin
        after = function(looked_up, **blind, initial_state=state)[1]
        ends.append(after[1] if function is lstm else after)
    bias = blind["bias"] + blind.get("recurrent_bias", 0)
    keep = sigmoid(looked_up @ blind["kernel"] + bias)[..., 3:6]  # gate f or u
    assert np.allclose(ends[1] - ends[0], keep.prod(axis=1), rtol=1e-9)

# %% [markdown]
# How near to one is a gate at the start? Its kernels are small, so mostly its bias decides. With a bias of zero it is one half, and then a gate forgets as fast as the network above. Gates alone save nothing; they must begin open.

# %%
for bias, key in ((0, "kept-zero"), (1, "kept-one"), (3, "kept-three")):
    exact(f"a gate with bias {bias} keeps, after forty steps, {{:.1e}}",
          sigmoid(bias) ** 40, key=key)

# %% [markdown]
# > **Correction.** A source document names LSTM and GRU, without an equation and far from the fading that they answer ([C-31](../../book/corrections.md#c-31), [E-26](../../book/corrections.md#e-26)). The equations stand above, with the gradient that they let pass: a product of gates.
#
# ## Who remembers?
#
# A test of memory. Draw $T$ symbols at random, out of eight; then comes a question mark; the answer is the *first* symbol. An encoder reads all of it, and a linear layer reads what comes out at the question mark. Both are trained for 500 steps, each on 64 fresh sequences.
#
# Two bounds are known beforehand. Chance is one eighth. And who sees a *bag*, the symbols without their order, does best with the most frequent symbol. Given the bag, each of its places is equally likely to have been the first, so this answer is right with probability (largest count)$/T$.

# %%
SYMBOLS, WIDTH = 8, 32


def bag_ceiling(length, symbols=SYMBOLS):
    """Mean of (largest count) / length over all sequences of this length."""
    at_most = []  # probability that no symbol comes more than m times
    for m in range(length):
        terms = np.ones(m + 1)  # of x^k / k!
        for k in range(1, m + 1):
            terms[k] = terms[k - 1] / k
        power = np.array([1.0])
        for _ in range(symbols):
            power = np.convolve(power, terms)[: length + 1]
        arrangements = power[length] if len(power) > length else 0.0
        for k in range(1, length + 1):
            arrangements *= k / symbols
        at_most.append(arrangements)
    return (length - np.sum(at_most)) / length  # the mean is the sum of the tails


# %%
every = np.array(list(product(range(3), repeat=4)))  # 3 symbols, 4 places
largest = [np.bincount(row).max() for row in every]
assert np.isclose(bag_ceiling(4, symbols=3), np.mean(largest) / 4)
exact("best accuracy from the bag of 40 symbols {:.3f}",
      bag_ceiling(40), key="bag-40")


# %%
class Reader(nn.Module):
    """Front, encoder, a linear head on the last step present (or on the mean)."""

    def __init__(self, front, encoder, width, classes):
        super().__init__()
        self.front, self.encoder = front, encoder
        self.head = nn.Linear(width, classes)

    def forward(self, x, mask=None):
        steps, given = self.front(x), () if mask is None else (mask,)
        if mask is None:
            mask = torch.ones(steps.shape[:2], dtype=torch.bool)
        count = mask.sum(dim=1)
        if self.encoder is None:  # the mean over the steps that are present
            total = torch.where(mask[..., None], steps, 0.0).sum(dim=1)
            return self.head(total / count[:, None])
        steps = self.encoder(steps, *given)
        steps = steps[0] if isinstance(steps, tuple) else steps
        return self.head(steps[torch.arange(len(steps)), count - 1])


# %%
from mmcourse.training import accuracy, seed_everything


def train(model, batches, learning_rate, weight_decay=0.0):
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    for *inputs, labels in batches:
        loss = nn.functional.cross_entropy(model(*inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def questions(rng, count, distance):
    """Symbols with a question mark at the end, and the first of each row."""
    ids = rng.integers(SYMBOLS, size=(count, distance + 1))
    ids[:, -1] = SYMBOLS
    return torch.tensor(ids), torch.tensor(ids[:, 0])


# %%
from mmcourse.encoders.torch import Embedding, LSTMEncoder


def recall(build, distance, seed, steps=500):
    """Accuracy after training; build makes an encoder of width WIDTH."""
    seed_everything(seed)
    draw = np.random.default_rng([seed, distance])
    encoder = build()
    front = Embedding(SYMBOLS + 1, out_dim=WIDTH)
    model = Reader(front, encoder, WIDTH, SYMBOLS)
    questions(draw, 64, distance)  # the stored runs look at a batch first
    train(model, (questions(draw, 64, distance) for _ in range(steps)), 3e-3)
    ids, answers = questions(np.random.default_rng(distance), 2000, distance)
    with torch.no_grad():
        return accuracy(model(ids).numpy(), answers.numpy())


def open_lstm():
    return LSTMEncoder(WIDTH, hidden_size=WIDTH, forget_bias=3.0)


# %%
runs = experiment("concepts_sequence_encoders")
live_recall = recall(open_lstm, distance=40, seed=0)
at_forty = {"sweep": "recall", "distance": 40}
three = runs.values("accuracy", encoder="LSTM, forget bias 3", **at_forty)
claim("recall over 40 symbols, LSTM with forget bias 3, beside three stored runs",
      live_recall, at_least=three.min() - 0.01, at_most=three.max() + 0.01,
      key="live-recall")

# %% tags=["hide-input"]
DISTANCES = np.array(sorted({run["distance"] for run in runs if run["sweep"] == "recall"}))
RECURRENT = {
    "RNN, small start": ("C0", "o", "-"),
    "RNN": ("C0", "o", "--"),
    "GRU": ("C2", "s", "-"),
    "GRU, update bias 3": ("C2", "s", "--"),
    "LSTM, forget bias 1": ("C1", "^", "-"),
    "LSTM, forget bias 3": ("C1", "^", "--"),
}
LABELS = {"RNN": "RNN, orthogonal start"}


# %% tags=["hide-input"]
def draw_recall(axis, styles):
    for name, (colour, marker, line) in styles.items():
        seeds = np.array([runs.values("accuracy", sweep="recall", encoder=name, distance=d) for d in DISTANCES])
        axis.fill_between(DISTANCES, seeds.min(axis=1), seeds.max(axis=1), color=colour, alpha=0.12, linewidth=0)
        face = colour if line == "-" else "white"
        axis.plot(
            DISTANCES, seeds.mean(axis=1), line, color=colour, marker=marker, markerfacecolor=face,
            label=LABELS.get(name, name),
        )  # fmt: skip
    axis.plot(DISTANCES, [bag_ceiling(d) for d in DISTANCES], ":", color="black", label="best from the bag")
    axis.axhline(1 / SYMBOLS, color="0.6", linewidth=1)
    axis.set(xscale="log", xlabel="symbols T before the question", ylabel="recall accuracy", ylim=(0.05, 1.04))
    axis.set_xticks(DISTANCES, DISTANCES.tolist())
    axis.minorticks_off()


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.8, 4.3), layout="constrained")
draw_recall(axes[0], RECURRENT)
for name, (colour, marker, line) in RECURRENT.items():
    points = [runs.values(key, sweep="recall", encoder=name) for key in ("reach", "accuracy")]
    points[0] = np.maximum(points[0], 1e-12)
    axes[1].plot(*points, marker, color=colour, markerfacecolor=colour if line == "-" else "white", alpha=0.8)
axes[1].axhline(1 / SYMBOLS, color="0.6", linewidth=1)
axes[1].set(xscale="log", xlabel="reach of the gradient before training", ylim=(0.05, 1.04))
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=10)
figure(
    fig,
    "recall",
    caption="Recall of the first of $T$ symbols after 500 steps of training: mean of three seeds, the band from the least to the "
    "largest. Left: the distance. RNN and GRU with their usual starts drop to chance (grey line) first. At the top three "
    "curves lie on one another up to forty symbols. Right: each run of the left side, against the reach of its gradient "
    "before the training; where the reach is below $10^{-12}$, the point is drawn there.",
    alt="Left: accuracy against distance from five to eighty symbols. Six curves start at one; two are at one eighth from twenty on, "
    "two at eighty, one falls a little, one not at all. Right: points of single runs, at chance for a small reach, mostly near "
    "one for a large reach.",
)

# %% [markdown]
# Look at the left side. At twenty symbols the GRU with the usual start, all biases zero, answers by chance, which is worse than a mean. The plain recurrent network answers right, if it starts with an *orthogonal* $W_h$, a matrix that keeps the length of the state that it multiplies ([Saxe et al., 2013](../../book/bibliography.md#saxe2013)). With the small random $W_h$ that PyTorch draws for its own, it fails as well. So the name of the cell does not decide.
#
# The right side shows what goes with success. Before any training, take the gradient of the loss by the *first* input and by the *last*; call the ratio of their sizes the *reach*. Where it is far below one hundredth, nobody learns. Where it is well above, nearly all do.

# %%
def of_recurrent(key):
    """A number of all recurrent runs on recall."""
    return np.concatenate([runs.values(key, sweep="recall", encoder=name)
                           for name in RECURRENT])


reach, reached = of_recurrent("reach"), of_recurrent("accuracy")
claim("largest recall where the reach is below 0.001",
      reached[reach < 0.001].max(), at_most=0.3, key="short-reach")
claim("least recall where the reach is above 0.03",
      reached[reach > 0.03].min(), at_least=0.55, key="far-reach")
claim("share of runs above 0.03 that recall nine in ten",
      np.mean(reached[reach > 0.03] >= 0.9), at_least=0.9, key="far-reach-share")
between = (reach >= 0.001) & (reach <= 0.03)
claim("share of all runs in between", between.mean(),
      at_most=0.25, key="doubtful-share")

# %% [markdown]
# In between is doubt, and the reach does not rank one cell against another: a plain network learns with a reach at which an LSTM fails. Nor is more always better. With a forget bias of three and eighty symbols the reach is far *above* one, and one of three seeds learns only half.
#
# Can the GRU not remember at all? Its twin differs in one bias at the start, and recalls at every distance. So it can, and training does not get there. At twenty symbols four times as many steps do not help.

# %%
at_twenty = {"sweep": "recall", "distance": 20}
claim("recall over 20 symbols, RNN with orthogonal start, least of three seeds",
      runs.values("accuracy", encoder="RNN", **at_twenty).min(),
      at_least=0.95, key="orthogonal-at-twenty")
claim("recall over 20 symbols, GRU with zero biases, best of three seeds",
      runs.values("accuracy", encoder="GRU", **at_twenty).max(),
      at_most=0.15, key="gru-at-twenty")
claim("the same after 2000 steps of training",
      runs.values("accuracy", sweep="longer", encoder="GRU").max(),
      at_most=0.15, key="gru-longer")
claim("recall at any distance, GRU with update bias 3, least of all runs",
      runs.values("accuracy", sweep="recall", encoder="GRU, update bias 3").min(),
      at_least=0.95, key="open-gru")
claim("largest reach, LSTM with forget bias 3",
      runs.values("reach", sweep="recall", encoder="LSTM, forget bias 3").max(),
      at_least=10, key="largest-reach")

# %% [markdown]
# This is one task, one width, one learning rate. Real sequences give hints on the way; the answer here stands in one place. The chapter on backpropagation returns to gradients that vanish and explode.

# %% [markdown]
# ## Look at all of it
#
# Recurrence passes everything through one state. *Self-attention* lets every step look at every other step directly ([Vaswani et al., 2017](../../book/bibliography.md#vaswani2017)). Each step asks a *query* $q$, offers a *key* $k$ and a *value* $v$, all three products of $x_t$ with learned matrices. A step takes the mean of all values, weighted by how well their keys answer its query:
#
# $$y_t = \sum_s a_{ts}\, v_s, \qquad a_{ts} = \frac{e^{q_t \cdot k_s / \sqrt d}}{\sum_r e^{q_t \cdot k_r / \sqrt d}} .$$
#
# Here $d$ is the width of queries and keys; the root keeps the scores from growing with it. On paper, for one query and three words with $d = 1$: let $q = 1$ and the keys be $0$, $\log 2$, $\log 3$. The exponentials are $1, 2, 3$, the weights $\tfrac16, \tfrac26, \tfrac36$. With the values $6, 12, 18$ the step gets $1 + 4 + 9 = 14$.

# %%
def attend(queries, keys, values):
    """Weighted means of the values.  all: (time, d)"""
    scores = queries @ keys.T / np.sqrt(keys.shape[1])  # (queries, keys)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))  # cannot overflow
    return powers / powers.sum(axis=1, keepdims=True) @ values


on_paper = attend(np.ones((1, 1)), np.log([[1.0], [2.0], [3.0]]),
                  np.array([[6.0], [12.0], [18.0]]))
assert np.isclose(on_paper, 14)

# %% [markdown]
# The package has several *heads*: queries, keys and values are cut into parts, each part attends by itself, the results are joined and multiplied by one more matrix.

# %%
from mmcourse.encoders.numpy import self_attention

names = ("query", "key", "value", "out")
projections = {name: {"kernel": rng.normal(size=(4, 4)), "bias": rng.normal(size=4)}
               for name in names}
sentence = looked_up[0]  # (time, 4)
q, k, v = (sentence @ projections[name]["kernel"] + projections[name]["bias"]
           for name in names[:3])
heads = [attend(*(part[:, columns] for part in (q, k, v)))
         for columns in (slice(0, 2), slice(2, 4))]
by_hand = np.hstack(heads) @ projections["out"]["kernel"]
by_hand += projections["out"]["bias"]
assert np.allclose(self_attention(looked_up, **projections, heads=2)[0], by_hand)

# %% [markdown]
# A *Transformer* layer adds the result to its input, then adds what a small network makes of each step alone, with a normalisation before each. Layers are stacked. The way from any step to any other is one step long, however far apart they stand.
#
# But where do they stand? The formula nowhere asks for $t$. Exchange the words, and the outputs are exchanged in the same way, with no other change. Their mean is that of a bag.

# %%
order = rng.permutation(len(sentence))
shuffled = self_attention(looked_up[:, order], **projections, heads=2)
assert np.allclose(shuffled[0], by_hand[order])  # the permutation law
encoded = self_attention(looked_up, **projections, heads=2)
assert np.allclose(*encoded.mean(axis=1))  # two rooms, one vector again

# %% [markdown]
# So attention must be told the positions. There are two common ways. *Learned positions* add a vector $p_t$ of its own for each place to $x_t$; the table of places is learned, and ends at some length ([Gehring et al., 2017](../../book/bibliography.md#gehring2017)). *Rotary positions* turn queries and keys instead ([Su et al., 2021](../../book/bibliography.md#su2021)): each pair of numbers is turned by an angle that is proportional to the place, with a speed of its own for each pair. The scalar product of two turned vectors depends only on the angle between them, so the score depends on the *difference* of the places.

# %%
from mmcourse.encoders.numpy import rotary_positions

one_query, one_key = rng.normal(size=(2, 1, 8))


def score(at_query, at_key):
    """Score of a query at one place with a key at another."""
    turned = rotary_positions(one_query, positions=[at_query])
    return (turned @ rotary_positions(one_key, positions=[at_key]).T).item()


assert np.isclose(score(5, 2), score(105, 102))  # the difference is what counts
assert not np.isclose(score(5, 2), score(5, 3))
turned = self_attention(looked_up, **projections, heads=2, rotary=True)
assert not np.allclose(*turned.mean(axis=1))  # two rooms, two vectors

# %% [markdown]
# The test of memory again, now for one layer of a Transformer with four heads, read at the question mark. Without positions it sees a bag, so the dotted line is a bound for it, known before training.

# %% tags=["hide-input"]
LOOKING = {
    "Transformer, learned": ("C4", "D", "-"),
    "Transformer, rotary": ("C3", "o", "-"),
    "Transformer, no positions": ("C5", "s", "-"),
    "mean": ("C6", "x", "-"),
}
fig, axis = plt.subplots(figsize=(6.6, 3.8), layout="constrained")
draw_recall(axis, LOOKING)
axis.legend(loc="center left", bbox_to_anchor=(0.0, 0.6), fontsize=10)
figure(
    fig,
    "positions",
    caption="The same test, three seeds each. With positions of either kind a single layer of attention recalls at every distance; the two "
    "curves lie on each other. Without positions it can do what the mean can do, and both come to the dotted bound.",
    alt="Two curves at accuracy one for all distances; two others close to a dotted line that falls from two fifths to one sixth.",
)

# %% [markdown]
# Both ways of telling the position solve the test at every distance, with no gates and no special start. Without positions the Transformer stays on the bound, as the mean does: it has found what a bag can give, and there is no more to find. Its gradient does reach the first symbol. Reach is needed, and it is not enough.

# %%
def gap_to_the_bag(name):
    """Mean recall of three seeds minus the bound, at each distance."""
    return np.array([
        runs.values("accuracy", sweep="recall", encoder=name, distance=d).mean()
        - bag_ceiling(d) for d in DISTANCES])


claim("recall, both kinds of positions, least of all distances and seeds",
      min(runs.values("accuracy", sweep="recall", encoder=name).min()
          for name in ("Transformer, learned", "Transformer, rotary")),
      at_least=0.95, key="positions-least")
claim("Transformer without positions: largest distance from the bound",
      np.abs(gap_to_the_bag("Transformer, no positions")).max(),
      at_most=0.05, key="no-positions-gap")

# %% [markdown]
# ## Padding that leaks
#
# Sentences have different lengths, and an array has one. Short ones are filled up, with zeros say. A *mask* tells the encoder which steps are present. Forget the mask, and the filling is read like words. The same sentence then gets another vector, which depends on how long its *neighbours* in the batch are.

# %%
padded = np.zeros((1, 20, 4))
padded[:, : sentence.shape[0]] = sentence
mask = np.arange(20)[None] < sentence.shape[0]
alone = gru(sentence[None], **of_gru)[1]
leaking = gru(padded, **of_gru)[1]
exact("largest change of the GRU's state without a mask {:.3f}",
      np.abs(leaking - alone).max(), key="gru-leak")
first_step = self_attention(padded, **projections, heads=2)[0, 0]
exact("largest change of the attention's first step without a mask {:.3f}",
      np.abs(first_step - by_hand[0]).max(), key="attention-leak")

padded[~mask] = np.nan  # with a mask, anything may stand there
assert np.allclose(gru(padded, **of_gru, mask=mask)[1], alone)
masked = self_attention(padded, **projections, heads=2, mask=mask)
assert np.allclose(masked[0, mask[0]], by_hand)

# %% [markdown]
# A recurrent encoder keeps its state where nothing is present. Attention gives such a step the weight zero, *before* the weights are made to sum to one.
#
# ## Sound is a sequence too
#
# A sound of half a second has thousands of samples. It is cut into overlapping windows, *frames*. For each frame a Fourier transform measures the energy at each frequency, and the energies are added up in bands that are equally wide on the *mel* scale, a scale of pitch: narrow bands at low pitch, wide ones at high pitch. The logarithm turns ratios of energy into differences. The result, a *log-mel spectrogram*, is an array (time, bands), a sequence of vectors like a sentence. The package's formula equals that of librosa, the library that people use.

# %%
import librosa

from mmcourse.data import spoken_digits
from mmcourse.encoders.numpy import log_mel, log_mel_frames

SOUND = {"n_fft": 256, "hop_length": 128, "n_mels": 32}  # windows of 32 ms
heard = {part: spoken_digits(part, language="english")
         for part in ("train", "test")}
assert not set(heard["train"].voices) & set(heard["test"].voices)  # unheard
waveform = heard["test"].waveforms[0].astype(float)
ours = log_mel(waveform, sample_rate=8000, **SOUND)
power = librosa.feature.melspectrogram(
    y=waveform, sr=8000, pad_mode="constant", **SOUND)
in_decibels = librosa.power_to_db(power, top_db=80).T
assert np.allclose(ours, in_decibels, atol=1e-4)
for part, recordings in heard.items():
    print(part, recordings)

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9, 2.7), layout="constrained", sharey=True)
for axis, digit in zip(axes, (1, 4, 6), strict=True):
    row = np.flatnonzero(heard["test"].labels == digit)[0]
    bands = log_mel(heard["test"].waveforms[row], sample_rate=8000, **SOUND)
    seconds = heard["test"].lengths[row] / 8000
    axis.imshow(bands.T, origin="lower", aspect="auto", cmap="viridis", extent=(0, seconds, 0, 32))
    axis.set(title=heard["test"].words[row], xlabel="seconds")
axes[0].set(ylabel="mel band")
figure(
    fig,
    "spoken",
    caption="Three spoken digits as log-mel frames, bright is loud. Each column is one vector of the sequence.",
    alt="Three spectrograms of half a second each. One has a bright patch that grows upwards, four a long one with a dark band above "
    "it, six a short one between two stretches of noise.",
)

# %% [markdown]
# Ten digits, nine voices to learn from, four other voices to be tested on. The frames pass a linear layer with a ReLU, then an encoder, then a linear head. The baseline takes the mean of the frames. One GRU is trained here; the table is of five seeds each.

# %%
def frames_of(recordings):
    """Frames (n, time, bands), and where there is sound (n, time)."""
    waveforms, _ = recordings.padded()
    frames = log_mel(waveforms, sample_rate=recordings.sample_rate, **SOUND)
    counts = log_mel_frames(recordings.lengths, n_fft=256, hop_length=128)
    return frames, np.arange(frames.shape[1]) < counts[:, None]


def standardised(recordings, middle, spread):
    """Tensors of frames, mask, labels; statistics of the training part."""
    frames, mask = frames_of(recordings)
    frames = np.where(mask[..., None], (frames - middle) / spread, 0)
    return (torch.tensor(frames, dtype=torch.float32), torch.tensor(mask),
            torch.tensor(recordings.labels))


# %%
def hear(encoder_of, seed, epochs=40, width=48):
    """Test accuracy; encoder_of(width) makes an encoder, or None for the mean."""
    frames, mask = frames_of(heard["train"])
    statistics = frames[mask].mean(axis=0), frames[mask].std(axis=0)
    rows = standardised(heard["train"], *statistics)
    draw = np.random.default_rng(seed)
    seed_everything(seed)
    front = nn.Sequential(nn.Linear(32, width), nn.ReLU())
    model = Reader(front, encoder_of(width), width, 10)
    batches = (tuple(part[chosen] for part in rows) for _ in range(epochs)
               for chosen in torch.tensor(draw.permutation(len(mask))).split(30))
    train(model, batches, 3e-3, weight_decay=1e-2)
    frames, mask, labels = standardised(heard["test"], *statistics)
    with torch.no_grad():
        return accuracy(model(frames, mask).numpy(), labels.numpy())


# %%
from mmcourse.encoders.torch import GRUEncoder


def gru_of(width):
    return GRUEncoder(width, hidden_size=width)


live_digits = hear(gru_of, seed=0)
five = runs.values("accuracy", sweep="digits", encoder="GRU", frames="in order")
claim("digits in unheard voices, GRU, beside five stored runs", live_digits,
      at_least=five.min() - 0.02, at_most=five.max() + 0.02, key="live-digits")

# %% tags=["hide-input"]
LISTENING = ["mean", "RNN", "GRU", "LSTM, forget bias 1", "Transformer, rotary"]
fig, axis = plt.subplots(figsize=(7.4, 3.4), layout="constrained")
for shift, (frames, colour, marker) in enumerate((("in order", "C0", "o"), ("shuffled", "C1", "s"))):
    for place, name in enumerate(LISTENING):
        scores = runs.values("accuracy", sweep="digits", encoder=name, frames=frames)
        at = place + 0.24 * shift - 0.12
        label = frames if place == 0 else None
        axis.plot(np.full(len(scores), at), scores, marker, color=colour, alpha=0.5, markersize=5, label=label)
        axis.plot(at, scores.mean(), "_", color=colour, markersize=18)
axis.set_xticks(range(5), ["mean", "RNN", "GRU", "LSTM", "Transformer"])
axis.set(ylabel="test accuracy", ylim=(0, 1))
axis.axhline(0.1, color="0.6", linewidth=1)
axis.legend(title="frames", loc="center right")
figure(
    fig,
    "digits",
    caption="Spoken digits in unheard voices: each point is one of five seeds, each bar their mean. In order (circles) and with the "
    "frames of each recording shuffled in training and test (squares). Grey line: chance.",
    alt="Pairs of columns of points for five encoders. The mean of frames, RNN, GRU and LSTM in order lie near eight tenths, the "
    "Transformer above nine tenths. With shuffled frames all but the mean lie lower.",
)

# %% [markdown]
# The baseline is hard to beat. A mean of frames knows which sounds a word holds, and the ten words differ in that. The recurrent encoders gain little over it, less than their own spread over seeds. The Transformer, with rotary positions, gains much.
#
# Does it gain by reading the order? Shuffle the frames of each recording in time, in training and in test, so that no order is left to read.

# %%
def heard_right(name, frames="in order"):
    """Mean accuracy of five seeds."""
    return runs.values(
        "accuracy", sweep="digits", encoder=name, frames=frames).mean()


in_order = {name: heard_right(name) for name in LISTENING}
by_order = {name: in_order[name] - heard_right(name, "shuffled")
            for name in LISTENING}
gain = {name: in_order[name] - in_order["mean"] for name in LISTENING}
recurrent_names = LISTENING[1:4]  # RNN, GRU, LSTM
claim("largest gain over the mean of frames among the three recurrent encoders",
      max(gain[name] for name in recurrent_names),
      at_most=0.08, key="recurrent-gain")
claim("gain of the Transformer over the mean of frames",
      gain["Transformer, rotary"], at_least=0.08, key="transformer-gain")
claim("the mean of frames, in order minus shuffled", by_order["mean"],
      at_least=-0.02, at_most=0.02, key="order-mean")
claim("least loss by shuffling among the three recurrent encoders",
      min(by_order[name] for name in recurrent_names),
      at_least=0.01, key="order-recurrent")

# %%
claim("least difference of loss and gain among the three recurrent encoders",
      min(by_order[name] - gain[name] for name in recurrent_names),
      at_least=-0.01, key="recurrent-loss-and-gain")
claim("loss of the Transformer by shuffling, as a share of its gain",
      by_order["Transformer, rotary"] / gain["Transformer, rotary"],
      at_least=0.5, at_most=0.9, key="order-transformer")

# %% [markdown]
# A mean cannot lose by shuffling, and its small difference comes from another shuffling of the training batches. All others lose, so they did read the order. For the Transformer, what is lost is the larger part of its gain; for the recurrent encoders it is about as large as their gain, or larger. A digit takes some tens of frames, so that here no memory over long distances is asked for.
#
# These are voices of a synthesiser, four of them in the test, and 120 recordings: one of them is nearly one hundredth of the accuracy. No encoder was tuned. What carries over to other data is the control: shuffle, and see what the order was worth.
#
# ## The same in three frameworks
#
# All these encoders exist for PyTorch and for Keras, with the same parameters under the same names. The same weights and the same padded batch go in; the same numbers and the same gradients come out, and the formula in NumPy agrees.

# %%
import tensorflow as tf

import mmcourse.encoders.keras as in_keras
from mmcourse.parity import keras_variables, numpy_arguments
from mmcourse.parity import relative_error, transfer

batch = rng.normal(size=(3, 7, 4))
present = np.arange(7) < np.array([[7], [4], [2]])
batch[~present] = np.nan  # padding


# %%
def first(result):
    """Outputs of every step; recurrent encoders also return a state."""
    return result[0] if isinstance(result, tuple) else result


def compare(ours, theirs, formula):
    """Assert that outputs and gradients of a module and its twin agree."""
    transfer(ours, theirs)
    outputs = first(ours(torch.tensor(batch), torch.tensor(present)))
    (outputs**2).sum().backward()
    with tf.GradientTape() as tape:
        answers = first(theirs(tf.constant(batch), mask=tf.constant(present)))
        loss = tf.reduce_sum(answers**2)
    variables = {name: v.value for name, v in keras_variables(theirs).items()}
    gradients = tape.gradient(loss, variables)
    reference = first(formula(batch, mask=present, **numpy_arguments(ours)))
    assert relative_error(outputs.detach(), reference) < 1e-10
    assert relative_error(answers, reference) < 1e-10
    for name, parameter in ours.named_parameters():
        assert relative_error(gradients[name], parameter.grad) < 1e-10


# %%
from mmcourse.encoders.torch import SelfAttention


def with_two_heads(sequence, **arguments):
    return self_attention(sequence, heads=2, rotary=True, **arguments)


compare(GRUEncoder(4, hidden_size=3).double(),
        in_keras.GRUEncoder(4, hidden_size=3, dtype="float64"), gru)
compare(LSTMEncoder(4, hidden_size=3).double(),
        in_keras.LSTMEncoder(4, hidden_size=3, dtype="float64"), lstm)
two = {"heads": 2, "rotary": True}
compare(SelfAttention(4, **two).double(),
        in_keras.SelfAttention(4, **two, dtype="float64"), with_two_heads)
print("GRU, LSTM and attention: three frameworks, one function")

# %% [markdown]
# ## What to keep
#
# An encoder turns a sequence of vectors into vectors that know their context. A mean, and attention without positions, see a bag: what order decides, they cannot tell, and the bound on their accuracy can be computed beforehand. Recurrence sees order, and remembers as far as its gradient reaches at the start: gates help if they begin open. Attention reaches everything in one step, at the price of having to be told the positions. A mask belongs to every padded batch. And before you credit an encoder with reading the order, shuffle the sequence and look at what is lost.
#
# **Try it.** Let the LSTM begin to forget: `recall(lambda: LSTMEncoder(WIDTH, hidden_size=WIDTH, forget_bias=-1.0), distance=10, seed=0)`. Give it time: `recall(open_lstm, distance=160, seed=0, steps=1000)`. Take the mean of the frames in place of the GRU: `hear(lambda width: None, seed=0)`. Turn the score around and see that only the difference of the places counts: `score(2, 5), score(102, 105)`. The [exercises](exercises.ipynb) ask you to read a padded batch and to attend to what is present.
#
# **Further reading.** [Elman (1990)](../../book/bibliography.md#elman1990) for the recurrent network, [Bengio et al. (1994)](../../book/bibliography.md#bengio1994) for why it forgets, [Hochreiter and Schmidhuber (1997)](../../book/bibliography.md#hochreiter1997) for the remedy, [Vaswani et al. (2017)](../../book/bibliography.md#vaswani2017) for attention without recurrence.

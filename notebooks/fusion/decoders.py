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
# # Decoders: from a picture to words
#
# Turn a picture into words one after the other, train all words at once, search for a good caption, and see when a decoder names what the nearest picture cannot.
#
# **Before this:** [Sequence encoders](../concepts/sequence_encoders.ipynb) for the gated recurrent unit, self-attention and the Transformer; [A first model](../concepts/first_model.ipynb) for training and test part; probabilities and conditional probabilities.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab language

# %%
import re

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from mmcourse.lesson import claim, exact, experiment, figure, setup

setup("fusion/decoders")

# %% [markdown]
# ## Two right captions, and a wrong mixture
#
# An encoder makes a vector of a picture. A *decoder* goes the other way, from vectors to a signal, here to words. The obvious decoder is a classifier for each place of the caption: one for the first word, one for the second, each of them reading the same vector.
#
# Show it a red circle and a blue square. People say *red circle and blue square*, and equally often *blue square and red circle*. Trained on both, each classifier does its best: its place holds `red` or `blue`, with probability one half each.

# %%
right = ["red circle and blue square", "blue square and red circle"]
places = list(zip(*(text.split() for text in right), strict=True))
marginals = [{word: said.count(word) / len(right) for word in said} for said in places]
print(marginals[:2], "...")

rng = np.random.default_rng(0)
drawn = [" ".join(rng.choice(list(p), p=list(p.values())) for p in marginals)
         for _ in range(2000)]
print(drawn[:4])
expected = 2 * 0.5**4  # two captions, four places where they differ
exact("share of right ones among 2,000 captions drawn place by place: {:.3f}",
      np.mean([text in right for text in drawn]), key="independent-drawn")
exact("the same share by calculation: {:.3f}", expected, key="independent")
assert abs(np.mean([text in right for text in drawn]) - expected) < 0.03

# %% [markdown]
# No word is wrong by itself, and seven captions of eight are wrong: *red square and red circle*. The classifiers cannot agree on which of the two captions they are saying, since none of them knows the words of the others. More training does not help: these *are* the best probabilities for each place.
#
# The same happens with real training. In a stored experiment a network learned from pictures of two coloured shapes, whose captions name the shapes in an order drawn by chance. One version gives all words at once, each from the picture and the word's place. The other version gives them one after the other, and each word is computed from the words before it, too. Nothing else differs; both take the most probable word every time.

# %%
runs = experiment("fusion_decoders")
at_once, by_word = (runs.values("right", sweep="orders", model=model)
                    for model in ("all at once", "word by word"))
claim("all at once: largest share of captions right in one of both orders, three seeds",
      at_once.max(), at_most=0.35, key="all-at-once")
claim("word by word: smallest such share, three seeds", by_word.min(),
      at_least=0.6, key="word-by-word")

# %% [markdown]
# ## The chain rule
#
# Every probability of a whole sequence is a product, whatever the words:
#
# $$p(w_1 \dots w_n \mid x) = \prod_{t=1}^{n} p(w_t \mid x, w_1 \dots w_{t-1}) .$$
#
# Here $x$ is what the words are about, and the last word $w_n$ is an *end token*, which says that nothing follows. A *start token* stands before the first word, so that there is something to read. A model that gives each factor is called *autoregressive*. The product loses nothing: with the right factors it is the right probability of every caption, in both orders. Below is a model with random factors. Its captions are made of two words, `a` and `b`, and are cut after three words where no end token came before; their probabilities sum to one.

# %%
from mmcourse.decoders.decoding import Prefixes, PrefixStep, log_probability

PADDING, A, B, END, START = range(5)


def random_factors(words):
    """log p(next | words before), one row for each row of words; any numbers."""
    rows = []
    for row in words:
        scores = np.random.default_rng([7, *row]).normal(size=5)
        scores[[PADDING, START]] = -np.inf  # never said
        rows.append(scores - np.log(np.exp(scores).sum()))
    return np.array(rows)


# %%
step = PrefixStep(random_factors)  # what reads a word and tells the next ones


def score(words):
    """log p of a caption by the chain rule."""
    state = Prefixes.empty(1)
    return log_probability(step, state, np.array([words]), first=np.array([START]))[0]


def all_captions(longest):
    """Every sequence that ends, or is cut at the greatest length."""
    unfinished = [()]
    for _ in range(longest):
        yield from ((*words, END) for words in unfinished)
        unfinished = [(*words, w) for words in unfinished for w in (A, B)]
    yield from unfinished


probabilities = {words: np.exp(score(words)) for words in all_captions(3)}
assert np.isclose(sum(probabilities.values()), 1)
print(len(probabilities), "captions; the first three:",
      {words: round(float(p), 3) for words, p in list(probabilities.items())[:3]})

# %% [markdown]
# The chain rule also says how to train. The cost of a caption is $-\log p$, which is a sum of cross-entropies, one for each word. While we train, the true words are known, so all factors can be computed at the same time, each from the true words before it. This is *teacher forcing*: the decoder reads `start red circle` and must say `red circle end`. Captions of different lengths are padded, and padding costs nothing. In the numbers below 0 is padding, 1 to 5 are the words as they stand in the vocabulary, 6 is the start token and 7 the end token.

# %%
from mmcourse.data import CaptionTokens
from mmcourse.decoders import numpy as formulas

tokens = CaptionTokens(("and", "blue", "circle", "red", "square"))
ids = tokens.encode(["red circle", "red circle and blue square"])
print(ids)
read, said = ids[:, :-1], ids[:, 1:]  # the same words, shifted by one
logits = rng.normal(size=(*said.shape, tokens.count))
log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
costs = [-log_p[b, t, said[b, t]] for b, t in np.argwhere(said != 0)]
loss = formulas.sequence_cross_entropy(logits, said, mask=said != 0)
assert np.isclose(np.mean(costs), loss)

# %% [markdown]
# ## A recurrent decoder
#
# The first family of decoders keeps what was said in a state. Its first state comes from the picture's vector $v$; each word moves the state by a gated recurrent unit, and a linear layer turns the state into scores for the next word, its *logits* ([Sutskever et al., 2014](../../book/bibliography.md#sutskever2014); for pictures, [Vinyals et al., 2015](../../book/bibliography.md#vinyals2015)):
#
# $$h_0 = \tanh(v W_s + b_s), \qquad h_t = \mathrm{GRU}(E[w_t], h_{t-1}), \qquad \text{logits}_t = h_t W_h + b_h .$$
#
# $E[w]$ is the vector of the word $w$; $E$, every $W$ and every $b$ are learned, and so are the weights inside GRU. From scratch, word by word:

# %%
def gru_step(x, h, kernel, recurrent_kernel, bias, recurrent_bias):
    r, z, n = np.split(x @ kernel + bias, 3, axis=1)
    r_, z_, n_ = np.split(h @ recurrent_kernel + recurrent_bias, 3, axis=1)
    reset, update = 1 / (1 + np.exp(-(r + r_))), 1 / (1 + np.exp(-(z + z_)))
    return update * h + (1 - update) * np.tanh(n + reset * n_)


def recurrent_from_scratch(ids, v, words, start, recurrence, head):
    h, rows = np.tanh(v @ start["kernel"] + start["bias"]), []
    for t in range(ids.shape[1]):
        h = gru_step(words["vectors"][ids[:, t]], h, **recurrence)
        rows.append(h @ head["kernel"] + head["bias"])
    return np.stack(rows, axis=1)  # (batch, time, count)


# %%
from mmcourse.decoders.torch import RecurrentDecoder
from mmcourse.parity import numpy_arguments

recurrent = RecurrentDecoder(tokens.count, dim=4, hidden_size=6, vector_dim=3).double()
v, parameters = rng.normal(size=(2, 3)), numpy_arguments(recurrent)
by_hand = recurrent_from_scratch(read, v, **parameters)
assert np.allclose(by_hand, formulas.recurrent_decoder(read, v, **parameters))
in_torch = recurrent(torch.tensor(read), torch.tensor(v)).detach()
assert np.allclose(by_hand, in_torch)

# %% [markdown]
# ## A Transformer decoder, and its mask
#
# The second family keeps all words and looks back at them by self-attention. One thing must be added to the attention of an encoder. The query of word $t$ may look only at words up to itself: the scores of later words are set to $-\infty$ before the softmax,
#
# $$\mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d}} + M\right) V, \qquad M_{ts} = \begin{cases} 0 & s \le t \\ -\infty & s > t . \end{cases}$$
#
# The rows of $Q$, $K$ and $V$ are the queries, keys and values of the words, $d$ is the width of a query, and $M_{ts}$ is added to the score of query $t$ with key $s$. For three words:

# %%
queries, keys, values = rng.normal(size=(3, 3, 2))
M = np.where(np.tri(3, dtype=bool), 0.0, -np.inf)
scores = queries @ keys.T / np.sqrt(2) + M
weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
print(weights.round(2))
assert weights[0, 0] == 1  # the first word sees itself alone

# %% [markdown]
# What if the mask is forgotten? At place $t$ the decoder must say word $t+1$, and word $t+1$ stands in what it reads, one place further. It need only copy. We train two small decoders on names of letters, `LATIN SMALL LETTER A WITH ACUTE` and several hundred more, without any picture. The two differ in the mask alone.

# %%
from mmcourse.decoders.torch import sequence_cross_entropy
from mmcourse.encoders.torch import LearnedPositions, TransformerEncoder


class TextModel(nn.Module):
    """The next word from words, with a causal mask or without."""

    def __init__(self, count, causal):
        super().__init__()
        self.words, self.head = nn.Embedding(count, 32), nn.Linear(32, count)
        self.places = LearnedPositions(32, length=12)
        self.layers = TransformerEncoder(32, layers=1, heads=2, causal=causal)

    def forward(self, ids, mask=None):
        x = self.places(self.words(ids), mask)
        return self.head(self.layers(x, mask))


def cost(model, ids):
    """Nats a word, all places at once."""
    read, said = ids[:, :-1], ids[:, 1:]
    return sequence_cross_entropy(model(read, read != 0), said, said != 0)


# %%
from mmcourse.data import glyphs, vocabulary
from mmcourse.training import seed_everything

LETTER = r"LATIN (SMALL|CAPITAL) LETTER [A-Z]( WITH .*)?"
FONTS, OTHER_FONT = ("sans", "bold", "serif"), "mono"


def letters():
    """Latin letters in four fonts, with and without marks."""
    every = glyphs((*FONTS, OTHER_FONT))
    return every.take([i for i, n in enumerate(every.names) if re.fullmatch(LETTER, n)])


# %%
characters = letters()
names = sorted(set(characters.names))
name_tokens = CaptionTokens(vocabulary(names))
name_ids = torch.tensor(name_tokens.encode(names))


def train_text(causal, steps=250):
    seed_everything(0)
    model = TextModel(name_tokens.count, causal)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for rows in torch.randint(len(names), (steps, 64)):
        optimiser.zero_grad()
        cost(model, name_ids[rows]).backward()
        optimiser.step()
    return model


models = {causal: train_text(causal) for causal in (True, False)}

# %% [markdown]
# While a decoder speaks, there are no later words to look at. So we also measure the cost of each true word when only the words before it are given, one beginning after the other.

# %%
from mmcourse.decoders.decoding import sample


def speaking_cost(model, ids):
    """Nats a word when the model is given each prefix alone, as when it speaks."""
    total = count = 0
    for t in range(1, ids.shape[1]):
        rows = ids[ids[:, t] != 0]
        log_p = model(rows[:, :t])[:, -1].log_softmax(dim=1)
        total -= log_p.gather(1, rows[:, [t]]).sum().item()
        count += len(rows)
    return total / count


def speak(model, n=200):
    """Names drawn word by word."""
    step = PrefixStep(lambda ids: model(torch.tensor(ids))[:, -1].double()
                      .log_softmax(dim=1).numpy())
    said = sample(step, Prefixes.empty(n), first=np.full(n, name_tokens.start),
                  end=name_tokens.end, max_length=11, rng=np.random.default_rng(0))
    return name_tokens.decode(said.words)


# %%
with torch.no_grad():
    forced = {causal: cost(m, name_ids).item() for causal, m in models.items()}
    alone = {causal: speaking_cost(m, name_ids) for causal, m in models.items()}
    spoken = {causal: speak(m) for causal, m in models.items()}
marked = {causal: np.mean(["WITH" in n.split() for n in said])
          for causal, said in spoken.items()}
for causal in models:
    print("with" if causal else "without", "a mask:", ", ".join(spoken[causal][:3]))

# %%
assert np.isclose(forced[True], alone[True], rtol=1e-4)  # the mask makes them one
claim("training loss without a mask, nats a word", forced[False],
      at_most=0.05, key="unmasked-training")
claim("training loss with a mask, nats a word", forced[True],
      at_least=0.5, at_most=1.1, key="masked-training")
claim("cost of a true word without a mask while it speaks, nats a word",
      alone[False], at_least=3.5, key="unmasked-speaking")
claim("with a mask: share of 200 spoken names with marks", marked[True],
      at_least=0.75, key="masked-marks")
claim("without a mask: share of 200 spoken names with marks", marked[False],
      at_most=0.1, key="unmasked-marks")
exact("share of true names with marks: {:.2f}",
      np.mean(["WITH" in n.split() for n in names]), key="true-marks")
exact("cost if every word were equally likely: {:.2f} nats",
      np.log(name_tokens.count), key="uniform-cost")

# %% [markdown]
# The lower loss belongs to the useless model: while it speaks, a true word costs it about as much as a guess among all words would. What it says looks right at first: names of single letters. But nine true names of ten have marks, `WITH` and what follows, and it says hardly any. A training loss near zero for text is a reason to look for a leak. With the mask, the cost in training *is* the cost while speaking, and one pass over a caption gives all its factors.
#
# > **Correction.** A source document ([entry C-45](../../book/corrections.md#c-45)) gives self-attention as the whole of a Transformer text decoder. Two things are missing: the causal mask, without which the decoder learns to copy, and a way for the picture to reach the text. That way comes next.
#
# There are two usual ways. *Cross-attention*: between self-attention and feed-forward, each layer has a second attention, with queries from the words, and keys and values from the vectors of the picture, the *memory* ([Vaswani et al., 2017](../../book/bibliography.md#vaswani2017)). *Visual tokens*: a small network, the *projector*, brings each patch vector to the width of a word's vector, and the patches are put before the words of a plain causal decoder ([Liu et al., 2023](../../book/bibliography.md#liu2023)). The package has both as formulas and as modules.

# %%
from mmcourse.decoders.torch import TransformerDecoder, VisualTokenDecoder
from mmcourse.parity import relative_error

sizes = {"dim": 8, "layers": 2, "heads": 2, "length": 12}
cross = TransformerDecoder(tokens.count, memory_dim=5, **sizes).double()
patches = rng.normal(size=(2, 4, 5))  # (batch, patches, width)
wanted = formulas.transformer_decoder(read, patches, heads=2, **numpy_arguments(cross))
assert relative_error(cross(torch.tensor(read), torch.tensor(patches)).detach(),
                      wanted) < 1e-12

visual = VisualTokenDecoder(TransformerDecoder(tokens.count, **sizes), patch_dim=5)
visual = visual.double()
given = torch.tensor(patches, requires_grad=True)
spoken_logits = visual(torch.tensor(read), given)
assert spoken_logits.shape == (*read.shape, tokens.count)  # words alone have logits
for t in range(read.shape[1]):  # every patch reaches every word
    (reach,) = torch.autograd.grad(spoken_logits[:, t].square().sum(), given,
                                   retain_graph=True)
    assert (reach.abs().amax(dim=2) > 0).all()

# %% [markdown]
# A visual token sees the visual tokens up to itself and no word, since the words stand after it; the loss counts words alone. In Keras the package has the recurrent decoder and the one with cross-attention, with the same parameters. Here are outputs and gradients of the second; the package's tests compare the first:

# %%
import keras
import tensorflow as tf

from mmcourse.decoders.keras import TransformerDecoder as KerasDecoder
from mmcourse.parity import transfer

twin = KerasDecoder(tokens.count, memory_dim=5, dtype="float64", **sizes)
transfer(cross, twin)
memory = tf.Variable(patches)
with tf.GradientTape() as tape:
    in_keras = twin(read, tf.convert_to_tensor(memory))
    total = tf.reduce_sum(in_keras**2)
same = torch.tensor(patches, requires_grad=True)
cross(torch.tensor(read), same).square().sum().backward()
assert relative_error(in_keras, wanted) < 1e-12
assert relative_error(tape.gradient(total, memory), same.grad) < 1e-10
print("Keras", keras.__version__.split(".")[0], "agrees with PyTorch and NumPy")

# %% [markdown]
# ## The cache
#
# To speak, a decoder must go word by word. It could read the whole beginning anew for each word, but this repeats nearly all the work: because of the mask, the keys and values of a word do not depend on the words after it. So they are kept, in a *cache*. For one head:

# %%
vectors = rng.normal(size=(6, 4))  # of six words
kernels = rng.normal(size=(3, 4, 4))  # of queries, keys and values


def attend(q, k, v):
    s = q @ k.T / 2  # sqrt of the width 4
    return np.exp(s) / np.exp(s).sum(axis=1, keepdims=True) @ v


kept_keys, kept_values = np.zeros((0, 4)), np.zeros((0, 4))
for t in range(6):
    q, k, v_t = (vectors[[t]] @ kernel for kernel in kernels)  # the new word alone
    kept_keys, kept_values = np.vstack([kept_keys, k]), np.vstack([kept_values, v_t])
    cached = attend(q, kept_keys, kept_values)
    so_far = vectors[: t + 1]
    anew = attend(q, so_far @ kernels[1], so_far @ kernels[2])
    assert np.allclose(cached, anew)

# %% [markdown]
# The package's decoders keep such keys and values for each layer; keys and values of the memory are computed once for all words. `begin` makes the cache, `extend` reads on. The logits are those of the whole pass. The multiplications are counted by a formula, which the package's tests compare with PyTorch's own counter.

# %%
from mmcourse.decoders.counts import count_generation

cache, steps = cross.begin(torch.tensor(patches)), []
for t in range(read.shape[1]):
    one_more, cache = cross.extend(torch.tensor(read[:, [t]]), cache)
    steps.append(one_more.detach())
    assert cache.length == t + 1
assert relative_error(torch.cat(steps, dim=1), wanted) < 1e-12

LENGTHS = np.array([1, 2, 5, 10, 20, 50, 100, 200])
size = {"dim": 64, "layers": 2, "count": 100, "memory_steps": 25, "memory_dim": 64}
cost_of = {cached: np.array([count_generation(int(n), cached=cached, **size)
                             for n in LENGTHS]) for cached in (True, False)}
ratio = cost_of[False] / cost_of[True]
assert ratio[0] == 1
assert (np.diff(ratio) > 0).all()
exact("multiply-adds without a cache over those with one, 10 words: {:.2f}",
      ratio[3], key="cache-ten")
exact("the same ratio for 200 words: {:.1f}", ratio[-1], key="cache-two-hundred")

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
for cached, label, colour, marker in ((False, "all words anew", "C1", "s"), (True, "with a cache", "C0", "o")):
    axis.loglog(LENGTHS, cost_of[cached] / 1e6, marker=marker, color=colour, label=label)
axis.set(xlabel="words generated", ylabel="million multiply-adds")
axis.legend()
figure(
    fig,
    "cache",
    caption="Multiply-adds to generate a caption, by formula: two layers of width 64, a memory of 25 vectors, 100 words to "
    "choose from. In long captions the cost grows with the length where there is a cache, and with about its square where there is none.",
    alt="Two rising lines on logarithmic axes over the number of words from 1 to 200. They begin together; the line without a "
    "cache becomes twice as steep and ends about a hundred times higher.",
)

# %% [markdown]
# How much time the cache saves depends on the machine; the page of [benchmarks](../../book/benchmarks.md) measures it. The price is memory: a key and a value for every word in every layer.
#
# ## Which caption?
#
# A model gives probabilities; from these, words must be chosen. *Greedy* search takes the most probable word each time. *Beam search* keeps the best few beginnings; how many they are is its *width*. With width one it is greedy search, and with room for everything it finds the most probable caption. In between, nothing is promised. Here is a model for which three widths find three captions:

# %%
from mmcourse.decoders.decoding import beam_search

AFTER = {(): (0.5, 0.4, 0.1), (A,): (0.36, 0.34, 0.3), (B,): (0.5, 0.5, 0.0),
         (A, A): (0.25, 0.25, 0.5),
         (A, B): (0.0, 0.0, 1.0)}  # p(a), p(b), p(end); anything else: even


def small_model(words):
    rows = [AFTER.get(tuple(row[1:].tolist()), (0.34, 0.33, 0.33)) for row in words]
    with np.errstate(divide="ignore"):
        return np.log([(0, *row, 0) for row in rows])


def found(width):
    best = beam_search(PrefixStep(small_model), Prefixes.empty(1), width=width,
                       first=np.array([START]), end=END, max_length=3).best()
    spelled = {A: "a", B: "b", END: "end"}
    words = [spelled[w] for w in best.words[0, : best.length[0]]]
    return " ".join(words), np.exp(best.log_probability[0])


# %%
for width in (1, 2, 4):
    print(f"width {width}: {found(width)[0]:8} p = {found(width)[1]:.3f}")
assert found(1)[1] > found(2)[1]  # a wider beam, a worse caption
assert found(4) == found(50)  # all there is
assert found(4)[1] > found(1)[1]

# %% [markdown]
# With width two, the beginnings `b a` and `b b` push out `a a` and `a b`, but have no probable continuation. Usually a wider beam finds a more probable caption, but no law says so. Captions of different lengths are compared by $\log p$, which falls with every word. If short captions win too often, a *length penalty* divides $\log p$ by a power of the length.
#
# *Sampling* draws each word by its probability. A *temperature* below one sharpens the probabilities, towards greedy search as it nears zero; above one it flattens them. *Top-k* draws among the $k$ most probable words, *top-p* among the fewest that together have the probability $p$ ([Holtzman et al., 2020](../../book/bibliography.md#holtzman2020)).

# %%
from mmcourse.decoders.decoding import greedy, sampling_probabilities

p = np.array([0.5, 0.25, 0.15, 0.1])
for options in ({}, {"temperature": 0.5}, {"temperature": 2.0}, {"top_k": 2},
                {"top_p": 0.8}):
    kept = sampling_probabilities(np.log(p), **options)
    print(f"{options or 'as it is'!s:20}", kept.round(3))
assert np.allclose(sampling_probabilities(np.log(p), top_p=0.8),
                   [5 / 9, 2.5 / 9, 1.5 / 9, 0])

one = greedy(step, Prefixes.empty(1), first=np.array([START]), end=END, max_length=3)
cold = sample(step, Prefixes.empty(1), first=np.array([START]), end=END, max_length=3,
              temperature=1e-4, rng=rng)
assert (cold.words == one.words).all()

# %% [markdown]
# ## Name what you see
#
# Now the decoder sees a picture of a letter and must say its Unicode name, word by word. A name is exactly right or wrong. We train on three fonts and ask about three kinds of picture. The first kind is drawn in a fourth *font*; all its names occur in training. The second kind has new *names*: combinations of a letter and its marks that no training picture shows, though the letter and each mark occur in other names. The third kind is new in *both*. The baseline takes the name of the training picture that is nearest in pixels.

# %%
KINDS = {"font": "new font, known names", "name": "known fonts, new names",
         "both": "new font, new names"}


def glyph_parts(seed=0, held_out=60):
    """Training pictures, and the three tests."""
    known, unseen = characters.split(seed, held_out=held_out)
    other = [np.array(part.styles) == OTHER_FONT for part in (known, unseen)]
    tests = {"font": known.take(other[0]), "name": unseen.take(~other[1]),
             "both": unseen.take(other[1])}
    return known.take(~other[0]), tests


# %%
def nearest_names(train, asked):
    known, new = (part.images.reshape(len(part), -1) for part in (train, asked))
    distances = (known**2).sum(axis=1) - 2 * new @ known.T
    return [train.names[row] for row in distances.argmin(axis=1)]


def share_right(said, true):
    return np.mean([a == b for a, b in zip(said, true, strict=True)])


train, tests = glyph_parts()
nearest = {kind: nearest_names(train, part) for kind, part in tests.items()}
for kind, part in tests.items():
    assert len(set(part.names) & set(train.names)) == (
        len(set(part.names)) if kind == "font" else 0)
    print(f"{KINDS[kind]}: {len(part)} pictures, for example {part.names[7]}")

# %% [markdown]
# The captioner has two parts, trained together by teacher forcing: a small convolutional network, whose last map of nine places is the memory, and a decoder of two layers with cross-attention. Each training picture comes three times: as it is, and twice moved and resized a little.

# %%
from mmcourse.decoders.torch import Captioner, FeatureMap

LONGEST = 12  # words of a name, with the end token
WIDTHS = {"dim": 48, "hidden_size": 96}


def captioner(count, size, channels, visual_tokens=False, seed=0):
    """A feature map and a Transformer decoder that looks at it in one of two ways."""
    seed_everything(seed)
    places = FeatureMap((16, 32, 48), size=size, channels=channels, check_values=False)
    options = WIDTHS | {"layers": 2, "heads": 4, "check_values": False}
    if not visual_tokens:
        decoder = TransformerDecoder(count, length=LONGEST, memory_dim=48, **options)
        return Captioner(places, decoder)
    plain = TransformerDecoder(count, length=LONGEST + places.places, **options)
    decoder = VisualTokenDecoder(plain, patch_dim=48, check_values=False)
    return Captioner(places, decoder)


# %%
from mmcourse.training import caption, fit_captions


def train_on_glyphs(train, seed=0, epochs=12):
    rng = np.random.default_rng(seed)
    images = np.concatenate([train.images,
                             *(train.jittered(rng).images for _ in range(2))])
    known_words = CaptionTokens(vocabulary(train.names))
    model = captioner(known_words.count, 20, 1, seed=seed)
    fit_captions(model, images[:, None], known_words.encode(train.names * 3),
                 epochs=epochs, learning_rate=4e-3, seed=seed, device="cpu",
                 progress=False)
    return model, known_words


# %%
def glyph_score(model, kind):
    """Shares of three stored runs."""
    return runs.values(kind, sweep="glyphs", model=model)


namer, glyph_tokens = train_on_glyphs(train)
named = {kind: caption(namer, part.images[:, None], glyph_tokens,
                       max_length=LONGEST)[0] for kind, part in tests.items()}
live = {kind: share_right(named[kind], part.names) for kind, part in tests.items()}
for kind in tests:
    three = glyph_score("cross-attention", kind)
    claim(f"{KINDS[kind]}: exact names, beside the three stored runs", live[kind],
          at_least=three.min() - 0.05, at_most=three.max() + 0.05,
          key=f"live-{kind}")
    assert share_right(nearest[kind], tests[kind].names) in (
        glyph_score("nearest picture", kind))

# %% tags=["hide-input"]
MODELS = ("nearest picture", "recurrent", "cross-attention", "visual tokens")
fig, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
for place, model in enumerate(MODELS):
    colour, marker = f"C{(6, 4, 0, 2)[place]}", "xs^o"[place]
    for column, kind in enumerate(KINDS):
        seeds = glyph_score(model, kind)
        x = column + 0.17 * (place - 1.5)
        axis.bar(x, seeds.mean(), width=0.15, color=colour, alpha=0.35, label=None if column else model)
        axis.plot(np.full(len(seeds), x), seeds, marker, color=colour, markersize=6)
axis.set(xticks=range(3), xticklabels=[kind.replace(", ", ",\n") for kind in KINDS.values()], ylabel="share of exact names", ylim=(0, 1))
axis.legend(ncols=2, loc="upper right")
figure(
    fig,
    "names",
    caption="Exact names of letters: three seeds (marks), each with other held-out names and other first weights, and their mean "
    "(bars). Where all names occur in training, the nearest picture is a strong baseline. Where the name is new, it is never right, "
    "and every decoder is right sometimes.",
    alt="Three groups of four bars. For a new font with known names, the nearest picture and the two Transformer decoders are "
    "close together and the recurrent decoder is lower. For new names, in known fonts and in a new font, the nearest picture is at zero "
    "and the decoders are above it.",
)

# %%
for kind in ("name", "both"):
    assert (glyph_score("nearest picture", kind) == 0).all()
    claim(f"{KINDS[kind]}: exact names by cross-attention, least of three seeds",
          glyph_score("cross-attention", kind).min(), at_least=0.2,
          key=f"cross-{kind}")
    assert glyph_score("recurrent", kind).min() > 0
lead = glyph_score("cross-attention", "font") - glyph_score("nearest picture", "font")
claim("new font: mean lead of cross-attention over the nearest picture, three seeds",
      lead.mean(), at_least=0.0, at_most=0.1, key="font-lead")
behind = glyph_score("nearest picture", "font") - glyph_score("recurrent", "font")
claim("new font: mean lead of the nearest picture over the recurrent decoder",
      behind.mean(), at_least=0.25, key="recurrent-behind")

# %% [markdown]
# On known names the nearest picture needs no training and is hard to beat. On new names the nearest picture cannot be right, by construction: it can only repeat a name of the training part. A decoder can put known words together in an order that no training name has. The recurrent decoder receives the picture as one long vector at the start, while the other two can look at the places of the picture at every word; so not only the family differs here.
#
# How near is the nearest picture? A name consists of a letter and its marks, and each of the two can be graded alone. In known fonts both methods read nearly all letters of new names. The marks are what only the decoder finds:

# %%
letter, marks = (np.array([glyph_score("nearest picture", f"name_{part}").mean(),
                           glyph_score("cross-attention", f"name_{part}").mean()])
                 for part in ("letter", "marks"))
claim("new names: share of right letters by the nearest picture, mean of three",
      letter[0], at_least=0.9, key="nearest-letter")
claim("new names: share of right marks by the nearest picture, mean of three",
      marks[0], at_most=0.1, key="nearest-marks")
claim("new names: share of right letters by cross-attention, mean of three",
      letter[1], at_least=0.9, key="cross-letter")
claim("new names: share of right marks by cross-attention, mean of three",
      marks[1], at_least=0.3, key="cross-marks")

# %% tags=["hide-input"]
def brief(name):
    return name.removeprefix("LATIN ").replace("LETTER ", "").replace(" WITH ", " WITH\n")


fig, axes = plt.subplots(1, 5, figsize=(10, 3.5), layout="constrained")
for axis, row in zip(axes, range(0, 40, 8), strict=True):
    axis.imshow(tests["name"].images[row], cmap="gray_r")
    axis.set_title(brief(tests["name"].names[row]), fontsize=8)
    below = f"nearest picture:\n{brief(nearest['name'][row])}\n\ndecoder:\n{brief(named['name'][row])}"
    axis.set_xlabel(below, fontsize=8)
    axis.set(xticks=[], yticks=[])
figure(
    fig,
    "said",
    caption="Five pictures with new names in known fonts. Above each its true name, without the words LATIN and LETTER; below, what the nearest "
    "picture and the decoder say. Both have every letter right. The nearest picture has other marks or none; the decoder has the right "
    "marks twice, below N and below b.",
    alt="Five small pictures: I with acute, e with ogonek, N with cedilla, a with diaeresis and macron, b with a dot below. Nearest picture: "
    "I with dot above, e, N with dot below, a with breve and hook above, b. Decoder: I with caron, e with circumflex below, N with "
    "cedilla, a with circumflex and tilde, b with dot below.",
)

# %% [markdown]
# *Does a wider beam help?* Hardly, here. It finds slightly more probable names, and no more right ones:

# %%
hardest = tests["both"]
wide, slim = (caption(namer, hardest.images[:, None], glyph_tokens,
                      max_length=LONGEST, width=width) for width in (5, 1))
claim("mean log-probability that width 5 gains over greedy, new names in a new font",
      (wide[1] - slim[1]).mean(), at_least=0.0, at_most=0.15, key="beam-gain")
claim("share of exact names that width 5 gains over greedy",
      share_right(wide[0], hardest.names) - live["both"],
      at_least=-0.05, at_most=0.02, key="beam-names")

# %% [markdown]
# *Does the decoder suffer from its own mistakes?* In training it read true words only; when it speaks, it reads its own. After a wrong word it has to go on from a beginning that training never showed; this is *exposure bias* ([Bengio et al., 2015](../../book/bibliography.md#bengio2015)). We count the share of right words, place by place, in two ways: with the true words before each place, and with the decoder's own.

# %%
new_font = tests["font"]
true_ids = glyph_tokens.encode(new_font.names)
namer.eval()
with torch.no_grad():
    word_logits = namer(torch.tensor(new_font.images[:, None]),
                        torch.tensor(true_ids[:, :-1]))
forced_right = word_logits.argmax(dim=2).numpy() == true_ids[:, 1:]
own_ids = np.zeros((len(true_ids), LONGEST + 1), int)
own = glyph_tokens.encode(named["font"])
own_ids[:, : own.shape[1]] = own
own_right = own_ids[:, 1 : true_ids.shape[1]] == true_ids[:, 1:]
present = true_ids[:, 1:] != 0
claim("new font: share of right words after true words", forced_right[present].mean(),
      at_least=0.9, key="forced-words")
claim("new font: loss of this share after the decoder's own words",
      forced_right[present].mean() - own_right[present].mean(),
      at_least=0.005, at_most=0.08, key="exposure")
exactly = np.where(present, forced_right, True).all(axis=1).mean()
assert np.isclose(exactly, live["font"], atol=0.01)

# %% [markdown]
# After its own words the decoder is right less often. The loss need not be exposure bias alone: after one word too many, even a good continuation stands at the wrong places. Exact match does not show the loss, and the last line asserts this: if every word is right after the true words before it, greedy search says the same words, and if one is not, the name is wrong in both countings.
#
# ## A score for parts, and what it hides
#
# A longer caption can be nearly right, so captions are also graded in parts. *BLEU* ([Papineni et al., 2002](../../book/bibliography.md#papineni2002)) asks which share of a caption's single words, pairs, triples and quadruples of neighbouring words occur in the true caption, each counted at most as often as there. BLEU counts over all captions together, takes the geometric mean of the four shares, lowers it where the captions are too short, and gives a number from 0 to 100. The cutting into words and the treatment of rare pieces change the number; the library sacrebleu has fixed choices and names them in a *signature* ([Post, 2018](../../book/bibliography.md#post2018)). Each name is a sentence here.

# %%
import sacrebleu

metric = sacrebleu.BLEU()


def bleu(said, true):
    """Of all captions together, from 0 to 100."""
    return metric.corpus_score(list(said), [list(true)]).score


new_names = tests["name"].names
same_for_all = ["LATIN SMALL LETTER A WITH ACUTE"] * len(new_names)
exact("new names: exact names by the nearest picture: {:.0f}",
      share_right(nearest["name"], new_names), key="nearest-exact")
claim("new names: BLEU of the nearest picture", bleu(nearest["name"], new_names),
      at_least=60, at_most=75, key="bleu-nearest")
claim("new names: BLEU of the decoder", bleu(named["name"], new_names),
      at_least=75, at_most=90, key="bleu-decoder")
claim("new names: BLEU of one name for all pictures", bleu(same_for_all, new_names),
      at_most=25, key="bleu-same")
print(str(metric.get_signature()).rsplit("|", 1)[0])

# %% [markdown]
# The nearest picture is wrong on every new name, and BLEU gives it more than half of the points. `LATIN` and `LETTER` stand in every name, the letter is nearly always right, and a word of the marks counts no more than these. BLEU puts the two methods in the right order here, but does not show that one of them is never right. Where there is one true name, exact match says more; where many captions are right, read some captions beside the score.
#
# ## Visual tokens on scenes
#
# Now the other way for the picture to reach the words, on rooms with one or two coloured shapes. We also hold out two pairs of a colour and a shape: no training picture shows them. A feature map gives sixteen vectors, a projector of two layers makes them as wide as words, and a plain causal decoder reads sixteen visual tokens, then the caption.

# %%
from mmcourse.data import scenes


def small_world(n, seed=0, objects=(1, 2)):
    return scenes(n, seed=seed, objects=objects, sizes=("large",), moving=0.0,
                  colours=("red", "yellow", "green", "blue"),
                  shapes=("circle", "square", "triangle"))


seen, strange = small_world(4500).split(0, held_out=2)
places_test, rooms = seen.take(slice(500)), seen.take(slice(500, None))
told = rooms.captions(about=())
room_tokens = CaptionTokens(vocabulary(told))
speaker = captioner(room_tokens.count, 32, 3, visual_tokens=True)
fit_captions(speaker, rooms.images(32), room_tokens.encode(told), epochs=10,
             learning_rate=4e-3, seed=0, device="cpu", progress=False)
told_live, _ = caption(speaker, places_test.images(32), room_tokens, max_length=LONGEST)
in_place = runs.values("place", sweep="scenes", model="visual tokens")
claim("exact captions of new rooms, beside three stored runs",
      share_right(told_live, places_test.captions(about=())),
      at_least=in_place.min() - 0.08, at_most=in_place.max() + 0.08, key="live-rooms")

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.9), layout="constrained")
for axis, row in zip(axes, range(4), strict=True):
    axis.imshow(places_test.take([row]).images(32)[0].transpose(1, 2, 0))
    axis.set_title(told_live[row].removeprefix("there is ").replace(" and ", "\nand "), fontsize=10)
    axis.set(xticks=[], yticks=[])
figure(
    fig,
    "rooms",
    caption="Four new rooms and what the decoder with visual tokens says of them, after *there is*. The colours are right, and "
    "their order from left to right; two circles and a square are taken for other shapes, so that two captions of the four are right.",
    alt="Four small pictures of yellow and green shapes on a dark floor, each with the generated caption above it. A yellow circle is "
    "called a yellow square, a green square and a yellow circle are called a green circle and a yellow square; two captions are right.",
)

# %%
def room_score(model, kind):
    return runs.values(kind, sweep="scenes", model=model)


claim("new rooms: exact captions by the nearest picture, mean of three seeds",
      room_score("nearest picture", "place").mean(), at_least=0.3, at_most=0.4,
      key="rooms-nearest")
assert (room_score("nearest picture", "combination") == 0).all()
for model in ("cross-attention", "visual tokens"):
    key = model.replace(" ", "-")
    ahead = room_score(model, "place") - room_score("nearest picture", "place")
    claim(f"new rooms: least lead of {model} over the nearest picture, three seeds",
          ahead.min(), at_least=0.15, key=f"rooms-{key}")
    claim(f"colours and shapes never seen together: most exact captions by {model}",
          room_score(model, "combination").max(), at_most=0.05,
          key=f"combination-{key}")

# %% [markdown]
# In new rooms the nearest picture is right in about one room of three, perhaps because two shapes can stand in very many ways, and both decoders lead. But where a colour and a shape never occurred together, the decoders fail as the nearest picture does. What do they say?

# %%
asked = strange.take(slice(500))
true_pairs = asked.captions(about=())
told_pairs, _ = caption(speaker, asked.images(32), room_tokens, max_length=LONGEST)
for row in range(3):
    print(f"true: {true_pairs[row]}\ntold: {told_pairs[row]}\n")


def things(texts):
    """Of each text the coloured things, such as red circle."""
    return [re.findall(r"(?:red|yellow|green|blue) \w+", text) for text in texts]


def colours(texts):
    return [[thing.split()[0] for thing in found] for found in things(texts)]


# %%
known_things = set().union(*things(told))
assert len(known_things) == 4 * 3 - 2
claim("pairs never seen: share of captions with the right colours in order",
      share_right(colours(told_pairs), colours(true_pairs)),
      at_least=0.9, key="pairs-colours")
claim("pairs never seen: share of captions with only known pairs",
      np.mean([set(found) <= known_things for found in things(told_pairs)]),
      at_least=0.98, key="pairs-known")
claim("pairs never seen: BLEU", bleu(told_pairs, true_pairs), at_least=50,
      key="pairs-bleu")

# %% [markdown]
# The decoder nearly always says the right colours, and with each colour a shape that it has seen in this colour. Perhaps the ten pairs of the training part are few enough to be learned by heart, while several hundred names of letters had to be learned in parts. A decoder *can* combine; whether it does depends on what the data make it learn. BLEU does not see this failure either.
#
# ## What this does not show
#
# The vocabularies are tiny, the captions have one right form, and all networks are small and trained for seconds. On photographs many captions are right, so that exact match says little, and scores such as BLEU are taken over several references. The stored runs have three seeds, and the third kind of letters about fifty pictures, so a small difference between two decoders means little. The two ways for a picture to reach the words were compared at one size only. The recurrent decoder here has no attention to places; others have had one ([Xu et al., 2015](../../book/bibliography.md#xu2015)).
#
# ## What to keep
#
# Words that do not know each other mix captions of which each is right; by the chain rule each word knows those before it. Teacher forcing trains all factors at once, and the causal mask makes that honest: without it the loss is low and the model useless. The picture reaches the text by a first state, by cross-attention, or as visual tokens. A cache gives the same numbers for far fewer multiplications. Beams promise nothing between width one and all. Compare with the nearest picture: it is strong where the answer was seen, and never right where it is new. Show exact match beside a score for parts, since BLEU can be high where no caption is right.
#
# **Try it.** Leave the mask out and train longer: `print(cost(train_text(False, steps=500), name_ids).item())`. Other beams on the small model: `print([found(w) for w in range(1, 6)])`. Hotter sampling: `print(sampling_probabilities(np.log(p), temperature=5.0))`. BLEU of your own caption: `print(bleu(["there is a red square"], ["there is a red circle"]))`. The [exercises](exercises.ipynb) continue here.
#
# **Further reading.** [Sutskever et al. (2014)](../../book/bibliography.md#sutskever2014) for decoding from a vector, with a beam; [Vinyals et al. (2015)](../../book/bibliography.md#vinyals2015) for captions; [Vaswani et al. (2017)](../../book/bibliography.md#vaswani2017) for mask and cross-attention; [Liu et al. (2023)](../../book/bibliography.md#liu2023) for visual tokens; [Holtzman et al. (2020)](../../book/bibliography.md#holtzman2020) for sampling.

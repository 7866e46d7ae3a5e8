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
# # Contrastive learning
#
# Train two encoders until a picture and its name point the same way, predict before the training how low the loss can go, and name pictures that the model has never seen.
#
# **Before this:** [The weighted sum](weighted_sum.ipynb) for lengths and cosines, the cross-entropy of a classifier, and that a convolution looks for small patterns everywhere in a picture. The derivations are on the page [Matching pairs](../../book/fusion/contrastive.md).

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import torch

import mmcourse.alignment.torch as losses
from mmcourse.alignment.numpy import expected_floor, info_nce, least_info_nce
from mmcourse.alignment.numpy import multi_positive_info_nce, siglip
from mmcourse.data import WordTokens, glyphs, same_words
from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords
from mmcourse.encoders.torch import WordTransformer
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import relative_error
from mmcourse.training import embed, fit_pairs, hits_at, modality_gap
from mmcourse.training import seed_everything

setup("fusion/contrastive")

# %% [markdown]
# ## Names for pictures
#
# Every character of a font has a name, given by people: ẅ is called `LATIN SMALL LETTER W WITH DIAERESIS`. The fonts that come with Matplotlib hold thousands of characters in four styles. That makes pairs of picture and text, real ones, without a download.
#
# We keep a hundred accented letters away from the training, in all styles. Each letter among them was seen in training with other accents, and each accent on other letters. Their combination was not. After training we show such a picture and ask for its name among the names of *all* characters.

# %%
everything = glyphs(("sans", "bold", "serif", "mono"), font_size=16)
train, test = everything.split(seed=0)
names = everything.one_per_character()  # the answers to choose from
print("training", train)
print("held out", test)
print("names to choose from:", len(names))
assert not set(test.names) & set(train.names)
assert set(test.vocabulary) <= set(train.vocabulary)

# %% tags=["hide-input"]
def show(axis, image, text="", colour="black", width=17):
    axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    axis.set_title("\n".join(textwrap.wrap(text.title(), width)), fontsize=8, color=colour)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


shown = np.random.default_rng(0).choice(len(test), 7, replace=False)
fig, axes = plt.subplots(1, 7, figsize=(10, 2.4), layout="constrained")
for axis, row in zip(axes, shown, strict=True):
    show(axis, test.images[row], test.names[row])
figure(
    fig,
    "held-out",
    caption="Seven of the pictures that no training sees, with the names that must be found. They have 20 by 20 pixels.",
    alt="Seven small pictures of accented letters in several fonts, each with its Unicode name above it.",
)

# %% [markdown]
# ## One table of cosines
#
# One encoder turns a picture into a vector, another turns a name into a vector of the same width. Take a batch of pairs and the cosines of all pictures with all names. On the diagonal stand the pairs that belong together. Each row is a question, *which of these names?*, and each column another, *which of these pictures?* Multiply by a scale $s$, and both are classifications with a cross-entropy:
#
# $$L = \tfrac12 \Big[ -\frac1B \sum_i \log \frac{e^{s \cos(x_i, t_i)}}{\sum_j e^{s \cos(x_i, t_j)}} \;-\; \frac1B \sum_i \log \frac{e^{s \cos(x_i, t_i)}}{\sum_j e^{s \cos(x_j, t_i)}} \Big] .$$
#
# This is InfoNCE ([van den Oord et al., 2018](../../book/bibliography.md#oord2018)) in the symmetric form of CLIP ([Radford et al., 2021](../../book/bibliography.md#radford2021)). The wrong answers are simply the other members of the batch.

# %%
rng = np.random.default_rng(0)
x, t = rng.normal(size=(2, 5, 8))  # five pictures, five names, vectors of eight
unit_x, unit_t = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, t))
table = 10.0 * unit_x @ unit_t.T  # scale times cosine


def cross_entropy(logits):
    """Mean of -log softmax at the diagonal, row by row."""
    return (np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)).mean()


by_hand = (cross_entropy(table) + cross_entropy(table.T)) / 2
assert np.isclose(by_hand, info_nce(x, t, scale=10.0), rtol=1e-12)
assert np.isclose(info_nce(5 * x, t, scale=10.0), by_hand)  # lengths do not matter
assert np.isclose(info_nce(x, t, scale=1e-9), np.log(5))  # no opinion: log B
print("by hand and by the package:", round(by_hand, 4))

# %% [markdown]
# > **Note.** A value of InfoNCE means nothing without the size of its batch. A model without any opinion has $\log B$, so the same model looks worse in a larger batch. And only cosines enter: that a picture and its name are *closest* does not mean that they coincide.
#
# ## How low can it go?
#
# Before training, ask what the best possible loss is. It is not zero, for three reasons, and each can be computed.
#
# *The scale.* Cosines end at $1$ and $-1$. Even if every pair is at $1$ and all others are spread as far as they can be, the wrong answers keep some probability. For $B$ pairs the least loss is $\log\big(1 + (B-1)\, e^{-sB/(B-1)}\big)$.

# %%
for scale in (1.0, 5.0, 14.0):
    least = least_info_nce(scale, np.ones(64, dtype=int))
    assert np.isclose(least, np.log1p(63 * np.exp(-scale * 64 / 63)))
    print(f"scale {scale:4}: at least {least:.5f}, of log B = {np.log(64):.3f}")

# %% [markdown]
# *False negatives.* A batch may hold the letter `A` in two styles. Both pictures have the same name, and the loss calls each the wrong answer of the other. Nobody can do better than one half on each, which costs $\log 2$. *Twins.* The Latin, the Greek and the Cyrillic capital A are drawn with the same pixels and have three names. Nobody can tell which is meant.
#
# Let $a_i$ members of the batch share the picture of member $i$, let $b_i$ share its name, and $c_i$ both. Then the least possible loss is the mean of $\log(a_i b_i / c_i)$, and its expectation over random batches can be counted exactly. Here is a set on which to test it: digits, letters in four styles, and capitals with twins.

# %%
simple = "0123456789abdefghklmnqrtuwzDFGLQRUVW#%&+=?@"
twins = "ABEHIKMNOPTXZ" + "ΑΒΕΗΙΚΜΝΟΡΤΧΖ" + "АВЕНІКМОРТХ"  # Latin, Greek, Cyrillic
kept = [c in simple or (c in twins and style == "sans")
        for c, style in zip(everything.characters, everything.styles, strict=True)]
small = everything.take(np.flatnonzero(kept))
pixels = small.images.reshape(len(small), -1)
picture = np.unique(pixels, axis=0, return_inverse=True)[1].ravel()
name = np.unique(small.names, return_inverse=True)[1]
B = 64
floor = expected_floor(picture, name, B)
print(small)
print("different pictures:", len(set(picture)), " different names:", len(set(name)))
exact("toy-floor", floor, "with batches of 64 no model gets below {:.4f}")
exact("toy-log-b", np.log(B), "a model without an opinion has {:.4f}")

# %% [markdown]
# Now train. The image encoder is a small convolutional network. The text encoder gives each word of a name a vector and takes their mean. The scale is learned with them.

# %%
def train_pair(data, loss, epochs, batch_size, seed=0):
    """Train a pair of encoders; returns how to embed pictures and names."""
    tokens = WordTokens(train.vocabulary)
    seed_everything(seed)
    image_encoder, text_encoder = ConvolutionalEncoder(), MeanOfWords(len(tokens))
    history = fit_pairs(image_encoder, text_encoder, loss, data.images,
                        tokens.encode(data.names), data.group, epochs=epochs,
                        batch_size=batch_size, seed=seed)

    def embed_names(some):
        return embed(text_encoder, tokens.encode(some))

    return history, lambda images: embed(image_encoder, images), embed_names


def mean_loss(loss, vectors, texts, groups=None, batches=300):
    """Mean of a loss over random batches of trained vectors, without training."""
    picks = [rng.choice(len(vectors), B, replace=False) for _ in range(batches)]
    scale = loss.scale().item()
    if groups is None:
        return np.mean([info_nce(vectors[p], texts[p], scale=scale) for p in picks])
    return np.mean([multi_positive_info_nce(vectors[p], texts[p], groups[p], scale=scale)
                    for p in picks])


# %%
plain, several = losses.InfoNCE(), losses.MultiPositiveInfoNCE()
plain_history, pictures_of, names_of = train_pair(small, plain, 50, B)
plain_loss = mean_loss(plain, pictures_of(small.images), names_of(small.names))
several_history, pictures_of, names_of = train_pair(small, several, 50, B)
several_loss = mean_loss(
    several, pictures_of(small.images), names_of(small.names), small.group)
claim("the trained loss lies above the predicted floor by",
      plain_loss - floor, at_least=-0.02, at_most=0.06, key="floor-excess")
claim("with joint right answers the loss is", several_loss,
      at_most=0.06, key="several-loss")

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
epochs = np.arange(1, 51)
axis.plot(epochs, plain_history.loss, color="C1", label="InfoNCE: one right answer")
axis.plot(epochs, several_history.loss, color="C2", label="joint right answers")
axis.axhline(floor, color="black", linestyle="--", label="floor, predicted before training")
axis.axhline(np.log(B), color="0.5", linestyle=":", label="no opinion, log B")
axis.set(xlabel="epoch", ylabel="training loss (nats)", ylim=(0, 4.4), xlim=(0, 50))
axis.legend()
figure(
    fig,
    "floor",
    caption="The loss comes to rest at the floor that was computed from the data alone. With joint right answers the "
    "floor is gone, and so is what the model was punished for without fault.",
    alt="Two falling curves over fifty epochs. One levels off at a dashed line near one half, the other goes on to zero.",
)

# %% [markdown]
# A loss of one half looks like a model with something to learn. It has nothing left to learn. The remedy is to say which members of a batch are joint right answers, and to ask only that the probability of all of them together be high, $-\log \sum_{j \in P(i)} p_{ij}$ ([Miech et al., 2020](../../book/bibliography.md#miech2020)). For glyphs the groups are known: same character, or same pixels.
#
# ## The real thing
#
# All training pictures, batches of 256, joint right answers, and four epochs, to save you time. This takes about a minute.

# %%
loss = losses.MultiPositiveInfoNCE()
history, pictures_of, names_of = train_pair(train, loss, epochs=4, batch_size=256)
asked, answers = pictures_of(test.images), names_of(names.names)
similarity = asked @ answers.T  # (queries, names)
right = test.group[:, None] == names.group  # joint right answers
found = {k: hits_at(similarity, right, k) for k in (1, 5)}
exact("chance", right.mean(), "a random name is right with probability {:.5f}")
for k, at_least in ((1, 0.45), (5, 0.8)):
    claim(f"held-out pictures whose name is among the first {k} of all names",
          found[k].mean(), at_least=at_least, key=f"live-recall{k}")

# %% [markdown]
# The model has never seen these pictures, nor anything with these names. It found the letter and the accent in the picture, and it knows both words.

# %% tags=["hide-input"]
queries = np.random.default_rng(3).choice(len(test), 5, replace=False)
picture_of = dict(zip(names.characters, names.images, strict=True))
fig, axes = plt.subplots(5, 6, figsize=(8.4, 7), layout="constrained")
for line, row in zip(axes, queries, strict=True):
    show(line[0], test.images[row], "asked")
    line[0].spines[:].set_visible(True)
    for axis, best in zip(line[1:], np.argsort(-similarity[row]), strict=False):
        good = right[row, best]
        show(axis, picture_of[names.characters[best]], ("✓ " if good else "") + names.names[best],
             "#00664a" if good else "black")
figure(
    fig,
    "answers",
    caption="Five held-out pictures (left) and the five names that the model puts first, each with a picture of the character "
    "that bears it. A tick marks right answers. Wrong ones share the letter or the accent.",
    alt="A table of small pictures. In each row an accented letter is followed by five similar accented letters with "
    "their names; right answers are marked.",
)

# %% [markdown]
# ## More than one run
#
# One run is an anecdote. The experiment behind this lesson trains the same recipe for six epochs, with three seeds on each of three splits, and changes one thing at a time. The intervals are over characters: four pictures of one character are not four witnesses.

# %%
results = experiment("fusion_contrastive")


def stored(key, **wanted):
    """One number from all stored runs with a setting."""
    return np.array([run[key] for run in results if wanted.items() <= run.items()])


recipe = {"sweep": "recipe"}
same = stored("recall1", split=0, **recipe)
distance = max(same.min() - found[1].mean(), found[1].mean() - same.max(), 0)
claim("distance of the shorter run above from the range of the stored ones",
      distance, at_most=0.1, key="live-point")
claim("mean of nine runs: right name first", stored("recall1", **recipe).mean(),
      at_least=0.5, key="recall1")
claim("mean of nine runs: right name among five", stored("recall5", **recipe).mean(),
      at_least=0.9, key="recall5")
claim("worst lower end of their intervals", stored("recall1_low", **recipe).min(),
      at_least=0.4, key="recall1-low")

# %% tags=["hide-input"]
VARIANTS = {"the recipe": {"sweep": "recipe", "split": 0},
            **{name: {"sweep": "variants", "variant": name} for name in (
                "one right answer", "sigmoid as published", "sigmoid, tuned", "Transformer",
                "Transformer, faster", "mean pooling", "jitter")}}
BASELINES = {"nearest letter and mark": "parts", "pixels, linear": "linear",
             "random convolutions, linear": "untrained"}

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(8.5, 4.4), layout="constrained")
for row, wanted in enumerate(VARIANTS.values()):
    for key, colour in (("recall1", "C0"), ("recall5", "C2")):
        axis.plot(stored(key, **wanted), [row] * len(stored(key, **wanted)), "o", color=colour, alpha=0.6)
for row, key in enumerate(BASELINES.values(), start=len(VARIANTS)):
    for k, colour in ((1, "C0"), (5, "C2")):
        values = stored(f"{key}_recall{k}", sweep="baselines", split=0)
        axis.plot(values, [row] * len(values), "D", color=colour, alpha=0.8)
axis.plot([], [], "o", color="C0", label="first")
axis.plot([], [], "o", color="C2", label="among five")
axis.set(yticks=range(len(VARIANTS) + len(BASELINES)), yticklabels=[*VARIANTS, *BASELINES])
axis.set(xlabel="held-out pictures whose name is found, split 0", xlim=(0, 1))
axis.axhline(len(VARIANTS) - 0.5, color="0.6", linewidth=1)
axis.invert_yaxis()
axis.legend(loc="lower left")
figure(
    fig,
    "variants",
    caption="One change at a time, three seeds each (dots). Below the line: methods that learn no image encoder (diamonds).",
    alt="Rows of dots for the recipe, seven variants and three baselines. The recipe and most variants lie close together; "
    "the baseline with random convolutions comes near them for the first answer and stays behind among five.",
)

# %% [markdown]
# Below the line stand methods that a sceptic would try first. Take the nearest picture that has the letter and the nearest that has the mark: poor. Predict the words of the name from the pixels by a linear map: better. Then the surprise. A convolutional network with *random* filters, never trained, and one linear regression from what it gives to the words of names, rare words counting more: it comes closest to the trained pair.

# %%
shared = {"sweep": "baselines"}
for label, key, at_least, at_most in (
    ("the nearest letter and mark", "parts", 0.05, 0.2),
    ("pixels and a linear map", "linear", 0.2, 0.35),
    ("random convolutions and a linear map", "untrained", 0.45, 0.65),
):
    claim(f"{label}: right name first", stored(f"{key}_recall1", **shared).mean(),
          at_least=at_least, at_most=at_most, key=f"{key}-recall1")
for k, low in ((1, 0.02), (5, 0.07)):
    lead = stored(f"recall{k}", **recipe).mean()
    lead -= stored(f"untrained_recall{k}", **shared).mean()
    claim(f"training leads random convolutions, among the first {k}, by",
          lead, at_least=low, key=f"lead-recall{k}")

# %% [markdown]
# So it is not the training alone that makes unseen combinations readable. A convolution sees parts, wherever they are, and names are sums of words; both were our choice. Training adds a clear lead, for the first name and among five, and it needed nobody to say which words count. Without the baseline we would have praised the loss for the work of the architecture. (The rows named *sigmoid* are a loss that comes below.)

# %% [markdown]
# And the changes? One right answer in place of joint ones makes hardly a difference here. That could be predicted: in batches of 256 drawn from all characters a name seldom comes twice, and the floor is low. The difference between the two final losses is about this floor.

# %%
picture = np.unique(train.images.reshape(len(train), -1), axis=0, return_inverse=True)[1]
name = np.unique(train.names, return_inverse=True)[1]
low_floor = expected_floor(picture.ravel(), name, 256)
exact("full-floor", low_floor, "floor of InfoNCE on all training pictures {:.4f}")


def variant(key, name):
    return stored(key, sweep="variants", variant=name).mean()


in_recipe = {key: stored(key, split=0, **recipe).mean()
             for key in ("recall1", "last_loss", "train_recall1")}
excess = variant("last_loss", "one right answer") - in_recipe["last_loss"]
claim("the final losses differ by more than the floor by",
      excess - low_floor, at_least=-0.02, at_most=0.02, key="full-floor-excess")
claim("the plain loss changes the right names first by",
      variant("recall1", "one right answer") - in_recipe["recall1"],
      at_least=-0.06, at_most=0.06, key="plain-difference")

# %% [markdown]
# The mean over places, in place of a matrix that sees each place by itself, loses a lot: a dot above and a dot below are then the same. Moving the pictures about, a usual remedy against learning by heart, hurts as well: in six epochs the model is far from knowing anything by heart.
#
# The Transformer, which should read names better than a mean of words, reads them worse and takes longer. Why? Not because it fails to carry over to new names: replace what it says of a new name by the sum that its own word parts predict, and the result is no better. It is behind on the *training* pictures too. A mean of words is the right guess about how names are made, and what is guessed right need not be learned.

# %%
for label, short in (("mean pooling", "pooling"), ("jitter", "jitter"),
                     ("Transformer", "transformer")):
    claim(f"{label}: behind the recipe by", in_recipe["recall1"] - variant("recall1", label),
          at_least=0.04, key=f"{short}-loss")
claim("Transformer: behind on training pictures by",
      in_recipe["train_recall1"] - variant("train_recall1", "Transformer"),
      at_least=0.05, key="transformer-train-loss")
claim("Transformer: new names as sums of their words add",
      variant("recall1_names_as_sums", "Transformer") - variant("recall1", "Transformer"),
      at_most=0.04, key="transformer-sums-gain")
claim("Transformer: times the processor time of the recipe",
      variant("cpu_seconds", "Transformer") / stored("cpu_seconds", split=0, **recipe).mean(),
      at_least=1.2, key="transformer-cost")

# %% [markdown]
# ## Ask the other way round
#
# The table of cosines can be read by columns as well: type a name, get pictures. The name below was never seen in training either, as long as each of its words was.

# %%
everyone = np.concatenate([pictures_of(train.images), asked])
all_images = np.concatenate([train.images, test.images])
all_names = train.names + test.names
new = [test.names[row] for row in queries[:3]]
by_name = names_of(new) @ everyone.T  # (names asked, pictures)
first = np.argsort(-by_name, axis=1)[:, :5]

# %% tags=["hide-input"]
fig, axes = plt.subplots(3, 6, figsize=(7.6, 3.8), layout="constrained")
for line, asked_name, places in zip(axes, new, first, strict=True):
    line[0].text(0.5, 0.5, "\n".join(textwrap.wrap(asked_name.title(), 14)), ha="center", va="center", fontsize=9)
    line[0].set_axis_off()
    for axis, place in zip(line[1:], places, strict=True):
        good = all_names[place] == asked_name
        show(axis, all_images[place], "✓" if good else all_names[place], "#00664a" if good else "black", width=16)
figure(
    fig,
    "neighbours",
    caption="Three of the names, asked as text: the five nearest of all pictures. A tick marks the character asked for, in "
    "whatever style; the others bear their own names.",
    alt="Three rows: a name at the left, five small pictures of similar accented letters at the right, several marked as right.",
)

# %% [markdown]
# ## One space, two places
#
# Do pictures and names now lie in the same spot? Take the mean direction of all pictures and that of all names. Their distance is the *modality gap* ([Liang et al., 2022](../../book/bibliography.md#liang2022)). Nothing in the loss asks it to be zero: adding one vector to all names changes every cosine of a row by the same amount, as long as lengths stay, and a softmax does not see it.

# %%
seed_everything(0)
tokens = WordTokens(train.vocabulary)
untrained = modality_gap(
    embed(ConvolutionalEncoder(), test.images),
    embed(MeanOfWords(len(tokens)), tokens.encode(test.names)))
own_names = names_of(test.names)
gap = modality_gap(asked, own_names)
pair_cosine = (asked * own_names).sum(axis=1)
claim("distance between mean picture and mean name before training",
      untrained, at_least=0.5, key="gap-before")
claim("and after", gap, at_most=0.4, key="gap-after")
claim("mean cosine of a held-out picture with its own name",
      pair_cosine.mean(), at_most=0.9, key="pair-cosine")

# %% [markdown]
# The gap has shrunk, and it is not gone. Nor do pairs coincide: the cosine of a picture with its own name stays well below one. *Nearest* is all that retrieval needs, and all that the loss has asked for.
#
# > **Correction.** A source document puts pictures and texts into a shared semantic space, and names no objective that would bring it about. InfoNCE is one. What it brings about is that pairs are nearest neighbours among what the batches showed, not that they coincide: both modalities can keep to places of their own.
#
# ## What a bag of words cannot tell
#
# The text encoder takes a mean, so it is blind to order. Are there names that differ in nothing else?

# %%
families = same_words(names.names)
print(len(families), "families, such as:", *families[0][:2], sep="\n  ")
one, other = names_of(families[0][:2])
assert np.allclose(one, other, atol=1e-6)  # the same vector for two names

ordered = WordTransformer(len(tokens))  # untrained, and yet it sees the order
first_name, second_name = embed(ordered, tokens.encode(list(families[0][:2])))
assert not np.allclose(first_name, second_name, atol=1e-5)

# %% [markdown]
# For such pairs the model can only toss a coin, whatever the picture. A caption is worse: *a red square on a blue circle* and *a blue square on a red circle* are one bag, and what belongs to what is lost. This is called *binding*. Large models trained in this way are surprisingly blind to it as well, although their text encoders could see the order: the batches hardly ever contain the other arrangement as a wrong answer, so nothing makes them look ([Yuksekgonul et al., 2023](../../book/bibliography.md#yuksekgonul2023)).
#
# ## Pairs one at a time
#
# InfoNCE compares within rows and columns. SigLIP ([Zhai et al., 2023](../../book/bibliography.md#zhai2023)) asks of each of the $B^2$ pairs alone, *do these belong together?*, with a bias $b$ since nearly all do not:
#
# $$L = -\frac1B \sum_{i,j} \log \sigma\big(z_{ij}\,(s \cos(x_i, t_j) + b)\big), \qquad z_{ij} = \pm 1 .$$

# %%
logits = 10.0 * unit_x @ unit_t.T - 10.0
signs = 2 * np.eye(5) - 1
by_hand = np.log1p(np.exp(-signs * logits)).sum() / 5
assert np.isclose(by_hand, siglip(x, t, scale=10.0, bias=-10.0), rtol=1e-12)

groups = np.array([0, 1, 0, 2, 1])
joint = multi_positive_info_nce(x, t, groups, scale=10.0)
chances = np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)
same_group = groups[:, None] == groups
rows = -np.log((chances * same_group).sum(axis=1)).mean()
chances = np.exp(table) / np.exp(table).sum(axis=0)
columns = -np.log((chances * same_group).sum(axis=0)).mean()
assert np.isclose((rows + columns) / 2, joint, rtol=1e-12)

# %% [markdown]
# ## The same in three frameworks

# %%
import tensorflow as tf

from mmcourse.alignment.keras import info_nce as keras_info_nce
from mmcourse.alignment.torch import info_nce as torch_info_nce

in_torch = [torch.tensor(v, requires_grad=True) for v in (x, t)]
torch_loss = torch_info_nce(*in_torch, scale=10.0)
torch_loss.backward()
in_keras = [tf.Variable(v) for v in (x, t)]
with tf.GradientTape() as tape:
    keras_loss = keras_info_nce(*in_keras, scale=10.0)
gradients = tape.gradient(keras_loss, in_keras)

reference = info_nce(x, t, scale=10.0)
assert relative_error(torch_loss.detach(), reference) < 1e-10
assert relative_error(keras_loss, reference) < 1e-10
for v, gradient in zip(in_torch, gradients, strict=True):
    assert relative_error(gradient, v.grad) < 1e-10

# %% [markdown]
# ## What to keep
#
# Contrastive training turns pairs into a classification among the members of a batch. Before you train, count: repeated names and twin pictures set a floor under the loss, and naming joint right answers removes it. Never compare losses across batch sizes. Report recall among all candidates, with chance, with intervals over what is independent, and beside the best that can be had without learning. Nearest does not mean equal, and a bag of words cannot bind.
#
# **Try it.** Train with pictures of one style and ask with another. Take the plain InfoNCE for all pictures: its floor is small there, so what do you expect? Let the scale start at one. The [exercises](exercises.ipynb) continue here.
#
# **Further reading.** [Radford et al. (2021)](../../book/bibliography.md#radford2021) for CLIP, [Khosla et al. (2020)](../../book/bibliography.md#khosla2020) for joint right answers in another form, [Liang et al. (2022)](../../book/bibliography.md#liang2022) for the gap, [Yuksekgonul et al. (2023)](../../book/bibliography.md#yuksekgonul2023) for what retrieval hides.

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
# # The weighted sum
#
# Fuse two modalities by adding their vectors or by joining them, predict when one drowns the other, and know what the weights of a sum do not tell you.
#
# **Before this:** vectors and their lengths, the dot product, and the idea of a linear classifier. The proofs are on the page [Adding vectors](../../book/fusion/weighted_sum.md).

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

from mmcourse.data import controlled_pairs, digits_with_words, root_mean_square_norms
from mmcourse.errors import ShapeError
from mmcourse.fusion.numpy import concatenation, weighted_sum
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier, GatedFusion, WeightedSumFusion
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments
from mmcourse.training import accuracy, additive, baselines, fit, predict, seed_everything

setup("fusion/weighted_sum")

# %% [markdown]
# ## A sum that is hardly better than half of itself
#
# Somebody writes a digit by hand, somebody else types its name in a hurry. Neither is easy to read. Together they should be.

# %%
noise = {"typo_rate": 0.7, "pixel_noise": 0.2, "seed": 0}
train = digits_with_words("train", limit=300, **noise)
test = digits_with_words("test", **noise)
print({modality: rows.shape for modality, rows in train.features.items()}, "labels", train.labels.shape)

fig, axes = plt.subplots(1, 8, figsize=(8, 1.5))
for axis, picture, word in zip(axes, train.images, train.words, strict=False):
    axis.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
    axis.set_title(word)
    axis.set_axis_off()
figure(
    fig,
    "pairs",
    caption="Eight training pairs: a handwritten digit with noise on its pixels, and its English word, "
    "mistyped. The picture becomes 64 pixel values, the word becomes 26 letter counts.",
    alt="Eight small grey pictures of handwritten digits, each with a misspelt number word above it.",
)

# %% [markdown]
# The simplest fusion gives each modality a matrix, so that both vectors get one width, and adds. A linear classifier reads the sum, and everything is trained together:
#
# $$F = \tfrac12\, x_I P_I + \tfrac12\, x_T P_T, \qquad \text{logits} = F H + b .$$
#
# Here $x_I$ is a row of 64 pixels, $x_T$ a row of 26 letter counts, and $F$ has 32 numbers.

# %%
TRAINING = {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2}


def equal_sum(dims):
    """The sum above, with weights that stay equal and matrices at a random start."""
    seed_everything(0)
    return WeightedSumFusion(dims, out_dim=32, learned=False)


def train_and_score(train, test, fusion):
    """Train fusion and linear head together; return the model and its accuracy on the test part."""
    model = FusionClassifier(fusion, classes=len(train.classes))
    fit(model, train, seed=0, **TRAINING)
    return model, accuracy(predict(model, test), test.labels)


# %% [markdown]
# Two people build this model. One hands over the pixels as the file has them, from 0 to 16. The other first brings the pictures to the same average length as the word vectors. Nothing else differs.

# %%
norms = root_mean_square_norms(train)
matched = norms["text"] / norms["image"]  # the scale at which pictures are as long as words
file_ratio = 16 * norms["image"] / norms["text"]
file_train, file_test = (part.scaled({"image": 16}) for part in (train, test))
even_train, even_test = (part.scaled({"image": matched}) for part in (train, test))

halves = {m: (even_train.only(m), even_test.only(m)) for m in train.widths}
best_alone = max(train_and_score(*data, equal_sum(data[0].widths))[1] for data in halves.values())
_, file_score = train_and_score(file_train, file_test, equal_sum(train.widths))
model, even_score = train_and_score(even_train, even_test, equal_sum(train.widths))

exact("file-norm-ratio", file_ratio, "in the file's scale a picture is {:.1f} times as long as a word")
claim("in the file's scale, the sum gains over its better half", file_score - best_alone,
      at_most=0.05, key="file-gain")
claim("at equal lengths, the sum gains over its better half", even_score - best_alone,
      at_least=0.07, key="equal-gain")

# %% [markdown]
# The first model has two modalities and gains little by the second. No error, no warning, a loss that falls. The cause is the length of a vector.
#
# ## Three numbers
#
# Take a picture vector three long and a word vector one long, at a right angle, and add them. How much of each is in the sum? The cosine of the angle says it: 1 is the same direction, 0 is nothing in common.

# %%
def cosine(a, b):
    """Cosine of the angle between vectors, along the last axis."""
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


picture, word = np.array([3.0, 0.0]), np.array([0.0, 1.0])
fused = 0.5 * picture + 0.5 * word
print("sum", fused)
print("cosine with the picture", cosine(fused, picture).round(3), "and with the word", cosine(fused, word).round(3))

# %% [markdown]
# Equal weights, and yet the sum points along the picture. Turning the word does not help it much. Leave out the halves, which change no angle: whatever the word's direction, the tip of picture plus word lies on a circle around the tip of the picture, and the line from the origin that strays farthest is the tangent. With lengths in the ratio $k > 1$ the sine of that angle is $1/k$, so
#
# $$\cos(F, x_I) \;\ge\; \sqrt{1 - 1/k^2} .$$

# %%
def bound(k):
    return np.sqrt(1 - 1 / k**2)


rng = np.random.default_rng(0)
short, long = rng.normal(size=(2, 10_000, 32))
k = rng.uniform(1, 20, size=10_000)
long *= (k * np.linalg.norm(short, axis=1) / np.linalg.norm(long, axis=1))[:, None]
assert (cosine(0.5 * long + 0.5 * short, long) >= bound(k) - 1e-12).all()

worst = np.array([-1.0, np.sqrt(3**2 - 1)]) / 3  # the word turned until the line to the sum is a tangent
assert np.isclose(np.linalg.norm(worst), 1)
assert np.isclose(cosine(picture + worst, picture), bound(3.0))

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6.4, 3), layout="constrained")
axis.add_patch(plt.Circle(picture, 1, fill=False, linestyle=":", color="C0"))
for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
    axis.plot([0, 3 + np.cos(angle)], [0, np.sin(angle)], color="0.75", linewidth=0.8)
for tip, tail, colour in (((3, 0), (0, 0), "C0"), (picture + worst, (3, 0), "C1"), (picture + worst, (0, 0), "C2")):
    axis.annotate("", tip, tail, arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 2.5})
axis.text(1.6, -0.25, "picture", color="C0")
axis.text(2.9, 0.45, "word", color="C1")
axis.text(1.0, 0.6, "sum", color="C2")
axis.set(xlim=(-0.1, 4.2), ylim=(-1.15, 1.15), aspect="equal")
axis.set(xlabel="first coordinate", ylabel="second coordinate")
figure(
    fig,
    "tangent",
    caption="A picture vector of length 3 and a word vector of length 1. However the word is turned (grey), "
    "the sum ends on the dotted circle. The worst case for the picture is the tangent: its sine is $1/3$.",
    alt="An arrow three long to the right, a circle of radius one around its tip, and a tangent from the "
    "origin to the circle, which makes the largest possible angle between the sum and the long arrow.",
)

# %% [markdown]
# ## The sum from scratch
#
# One line a term: bring each modality to the common width, weigh it, add. The package has the same formula as `weighted_sum`, in double precision.

# %%
features = {modality: rows[:4] for modality, rows in test.features.items()}
projections = {"image": rng.normal(size=(64, 32)), "text": rng.normal(size=(26, 32))}
weights = {"image": 0.5, "text": 0.5}

by_hand = np.zeros((4, 32))
for modality, x in features.items():
    by_hand += weights[modality] * (x @ projections[modality])  # w_m x_m P_m: (4, dim_m) -> (4, 32)

assert np.allclose(by_hand, weighted_sum(features, weights, projections=projections), rtol=1e-12)

# %% [markdown]
# The package also looks at what it is given, and not for show. Without matrices 64 and 26 numbers do not add, and NumPy says so. But a modality that is one number wide is spread over all the others, and NumPy says nothing.

# %%
loudness = features["text"].sum(axis=1, keepdims=True)  # one number for each example
silently = 0.5 * features["image"] + 0.5 * loudness
assert silently.shape == (4, 64)
try:
    weighted_sum({"image": features["image"], "loudness": loudness}, {"image": 0.5, "loudness": 0.5})
except ShapeError as error:
    refusal = str(error)
assert "loudness: got width 1, wanted 64" in refusal
print(features["image"].shape, "+", loudness.shape, "=", silently.shape, "without a word; the package says:")
print(refusal)

# %% [markdown]
# > **Correction.** A source document writes the fusion of image and text as a sum with two weights and leaves out what makes it defined: the vectors need one width, so in general each modality has a matrix of its own. Its program adds the vectors without weights, without matrices and without a look at their lengths.
#
# ## Loudness decides
#
# How loud may a modality be? We turn the pictures up and down against the words. On the left is the geometry, on the real pairs after random matrices. On the right each point is the mean of ten models trained from scratch: an experiment of some minutes, whose stored results are read here. The model trained above is one of its points.

# %%
results = experiment("fusion_weighted_sum")


def accuracies(**wanted):
    """Stored accuracies of all seeds for one setting."""
    return np.array([row["accuracy"] for row in results if wanted.items() <= row.items()])


stored = accuracies(sweep="loudness", fusion="fixed weights", norm_ratio=1)
outside = max(stored.min() - even_score, even_score - stored.max(), 0)
claim("the model trained above lies outside the range of the ten stored ones by", outside,
      at_most=0.01, key="live-point")

projected = {m: rows @ projections[m] for m, rows in test.features.items()}
unit = {m: rows / np.linalg.norm(rows, axis=1, keepdims=True) for m, rows in projected.items()}
fine = np.geomspace(0.01, 100, 81)
toward_image = np.array([cosine(k * unit["image"] + unit["text"], unit["image"]) for k in fine])
assert (toward_image[fine > 1] >= bound(fine[fine > 1])[:, None] - 1e-12).all()

# %% tags=["hide-input"]
def draw_geometry(axis):
    axis.fill_between(fine, toward_image.min(axis=1), toward_image.max(axis=1), alpha=0.25, linewidth=0)
    axis.plot(fine, np.median(toward_image, axis=1), label="real pairs: median, range")
    axis.plot(fine[fine > 1], bound(fine[fine > 1]), "--", color="black", label=r"bound $\sqrt{1-1/k^2}$")
    axis.set(xscale="log", ylabel="cosine of sum and picture", ylim=(-0.6, 1.05))
    axis.legend(loc="lower right", fontsize=10)


def draw_accuracy(axis):
    ratios = np.array(sorted({row["norm_ratio"] for row in results if row["sweep"] == "loudness"}))
    for fusion, colour, marker in (("fixed weights", "C2", "o"), ("learned weights", "C1", "s")):
        seeds = np.array([accuracies(sweep="loudness", fusion=fusion, norm_ratio=k) for k in ratios])
        axis.fill_between(ratios, seeds.min(axis=1), seeds.max(axis=1), color=colour, alpha=0.2, linewidth=0)
        axis.plot(ratios, seeds.mean(axis=1), color=colour, marker=marker, label=f"sum, {fusion}")
    for modality, style in (("image", ":"), ("text", "-.")):
        level = accuracies(sweep="fusions", fusion=f"{modality} alone", pixels="equal norms").mean()
        axis.axhline(level, color="0.35", linestyle=style, label=f"{modality} alone")
    axis.axvline(file_ratio, color="0.6", linewidth=1)
    axis.text(file_ratio * 1.1, 0.975, "file's\nscale", color="0.35", fontsize=10, va="top")
    axis.set(ylabel="test accuracy", ylim=(0.75, 0.98))
    axis.legend(loc="lower center", fontsize=10)


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.7), sharex=True, layout="constrained")
for draw, axis in zip((draw_geometry, draw_accuracy), axes, strict=True):
    draw(axis)
    axis.set(xlabel="length of picture / length of word, k")
figure(
    fig,
    "norm-ratio",
    caption="Left: the longer vector takes over the direction of the sum, never less than the bound. Right: "
    "test accuracy of models trained on pictures $k$ times as long as the words, mean and range of ten seeds. "
    "Near $k = 1$ the sum is far better than both halves; at the ends it is no better than one.",
    alt="Two panels over the ratio of lengths from one hundredth to one hundred. Left, the cosine rises from near "
    "zero to one and stays above a dashed bound. Right, accuracy peaks at ratio one and falls on both sides "
    "to the level of a single modality or below it.",
)

# %%
peak = accuracies(sweep="loudness", fusion="fixed weights", norm_ratio=1)
words = accuracies(sweep="fusions", fusion="text alone", pixels="equal norms")
pictures = accuracies(sweep="fusions", fusion="image alone", pixels="equal norms")
better_half = np.maximum(words, pictures)
claim("at k = 1, in the worst of ten seeds, the sum gains over its better half", (peak - better_half).min(),
      at_least=0.05, key="peak-gain")
for ratio, key in ((0.01, "quiet-gain"), (100, "loud-gain")):
    far = accuracies(sweep="loudness", fusion="fixed weights", norm_ratio=ratio)
    claim(f"at k = {ratio}, the mean gain over the better half is", (far - better_half).mean(),
          at_most=0.0, key=key)
far = accuracies(sweep="loudness", fusion="learned weights", norm_ratio=100)
claim("at k = 100 with learned weights it is", (far - better_half).mean(), at_most=0.0, key="learned-loud-gain")
in_file = accuracies(sweep="fusions", fusion="image alone", pixels="as in the file")
claim("the pictures alone lose by the file's scale", (pictures - in_file).mean(),
      at_least=0.02, key="image-file-loss")

# %% [markdown]
# At both ends two modalities are worth no more than one. On the far right they are worth less than the pictures alone, and part of that is not the sum's doing: pictures alone train worse at a large scale too, as the last claim says.
#
# A model could undo any scale by making one matrix small. In sixty epochs it does not: it starts with matrices of one size, and its steps do not know how loud the input is that a matrix multiplies. So match the lengths before you train. Divide each modality by its root mean square length on the training part, or normalise each vector.
#
# ## Four ways to choose the weights
#
# Fixed weights are a choice. Learned weights are two more parameters. Softmax weights are learned and kept positive with sum one. A gate scores the modalities of each example and takes the softmax of the scores. Concatenation, beside them, has no weights: it writes the vectors one after the other, and a matrix reads the whole.

# %% tags=["hide-input"]
kinds = ["fixed weights", "learned weights", "softmax weights", "gate per example", "concatenation"]
fig, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
for row, kind in enumerate(["image alone", "text alone", *kinds]):
    for pixels, colour, shift in (("equal norms", "C2", -0.15), ("as in the file", "C1", 0.15)):
        scores = accuracies(sweep="fusions", fusion=kind, pixels=pixels)
        axis.plot(scores, np.full(len(scores), row + shift), "o", color=colour, alpha=0.35, markersize=5)
        axis.plot(scores.mean(), row + shift, "|", color=colour, markersize=15, markeredgewidth=3,
                  label=None if row else pixels)
axis.set(yticks=range(7), yticklabels=["image alone", "text alone", *kinds], xlabel="test accuracy")
axis.invert_yaxis()
axis.legend(title="pixels", loc="center left", bbox_to_anchor=(1, 0.5))
figure(
    fig,
    "fusions",
    caption="Ten seeds (dots) and their mean (bars) for each way to fuse. With equal lengths four of them "
    "agree; the gate stays near the single modalities. In the file's scale all of them lose.",
    alt="Seven rows of dots. With equal norms, fixed, learned and softmax weights and concatenation cluster "
    "together at the right; the gate lies far to their left, near the two single modalities. In the file's "
    "scale all fusions lie further left.",
)

# %%
means = {kind: accuracies(sweep="fusions", fusion=kind, pixels="equal norms").mean() for kind in kinds}
gate_mean = means.pop("gate per example")
claim("largest difference between the means of the other four", max(means.values()) - min(means.values()),
      at_most=0.02, key="kinds-spread")
claim("the gate's mean stays behind the lowest of them by", min(means.values()) - gate_mean,
      at_least=0.04, key="gate-loss")

# %% [markdown]
# The gate is a surprise. It has more parameters than the others, it sees each example, and it loses. Look at what it does:

# %%
seed_everything(0)
gate = GatedFusion(train.widths, out_dim=32, hidden_size=16)
train_and_score(even_train, even_test, gate)
with torch.no_grad():
    shares = gate.gate({m: torch.tensor(rows).float() for m, rows in even_test.features.items()})
assert torch.allclose(shares.sum(dim=1), torch.ones(len(shares)))  # (examples, 2): over the modalities
decided = (shares.max(dim=1).values > 0.9).double().mean()
claim("share of test examples of which one modality gets over nine tenths", decided,
      at_least=0.5, key="gate-decided")

# %% [markdown]
# For most examples it listens to one witness and dismisses the other. But here both are half readable, and what helps is to add up the evidence. A gate chooses; a sum collects. A gate should pay where one modality is broken and can be seen to be; this chapter returns to it.
#
# The other four agree because they are nearly the same function. A vector of two parts times a matrix is the sum of two products, one with the upper rows and one with the lower:
#
# $$[x_I ; x_T]\, W = x_I W_I + x_T W_T .$$
#
# Concatenation followed by a linear layer is a weighted sum whose weights are matrices. Joining two vectors makes nothing interact.

# %%
stacked = np.vstack([projections["image"], projections["text"]])  # (64 + 26, 32)
both = concatenation(features, ["image", "text"], kernel=stacked)
as_sum = weighted_sum(features, {"image": 1, "text": 1}, projections=projections)
assert np.allclose(both, as_sum, rtol=1e-12)
assert concatenation(features, ["image", "text"]).shape == (4, 64 + 26)  # the widths add up

# %% [markdown]
# > **Correction.** A source document gives `F = [T, I, S]` as concatenation. In Python that is a list of three arrays, and a linear layer refuses it. Concatenation joins along the feature axis, and its width is the sum of the widths.
#
# ## The weights say nothing about importance
#
# Multiply a weight by ten and divide its matrix by ten: the sum stays the same. So where a matrix stands beside it, the weight of a modality can be anything.

# %%
louder = {"image": 10 * weights["image"], "text": weights["text"]}
compensated = {"image": projections["image"] / 10, "text": projections["text"]}
same = weighted_sum(features, louder, projections=compensated)
assert np.allclose(same, weighted_sum(features, weights, projections=projections), rtol=1e-12)

scores, ratios = [], []
for start in (0.5, 3.0):  # two runs that differ only in where the text's weight starts
    seed_everything(0)
    fusion = WeightedSumFusion(train.widths, out_dim=32, weights={"image": 0.5, "text": start})
    scores.append(train_and_score(even_train, even_test, fusion)[1])
    learned = numpy_arguments(fusion)["weights"]
    ratios.append(learned["text"] / learned["image"])
claim("the two runs differ in accuracy by", abs(scores[1] - scores[0]), at_most=0.04, key="starts-accuracy")
claim("and in the ratio of text weight to image weight by a factor of", ratios[1] / ratios[0],
      at_least=2, key="starts-ratio")

# %% [markdown]
# Perhaps the weights mean something where no matrix can hide them? Two microphones, one number each. The first hears a voice and the noise of the room, the second hears the noise alone. The label is what the voice says, yes or no. So the second microphone knows nothing about the label.

# %%
apart, wide = {"voice": 2.0, "room": 3.0}, {"voice": 1, "room": 1}
rooms = controlled_pairs("shared_noise", 6_000, separation=apart, widths=wide, seed=0)
upright = {m: float(direction[0]) for m, direction in rooms.directions.items()}  # in one dimension, a sign
rooms_train, rooms_test = (rooms.take(part).scaled(upright) for part in (slice(2_000), slice(2_000, None)))

seed_everything(0)
microphones = WeightedSumFusion(wide, weights={"voice": 1.0, "room": 0.0})
listener = FusionClassifier(microphones, classes=2)
fit(listener, rooms_train, seed=0, epochs=40, batch_size=64, learning_rate=2e-2)
heard = accuracy(predict(listener, rooms_test), rooms_test.labels)
learned = numpy_arguments(microphones)["weights"]

exact("room-alone", rooms.alone["room"], "best possible with the room alone {:.3f}")
exact("voice-alone", rooms.alone["voice"], "best possible with the voice alone {:.3f}")
exact("rooms-bayes", rooms.bayes_accuracy, "best possible with both {:.3f}")
claim("the sum falls short of the best possible by", rooms.bayes_accuracy - heard,
      at_most=0.02, key="rooms-shortfall")
claim("weight of the room over weight of the voice", learned["room"] / learned["voice"],
      at_least=-1.05, at_most=-0.75, key="room-weight")

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6.4, 4), layout="constrained")
shown = rooms_test.take(slice(400))
for label, colour, marker in ((0, "C0", "o"), (1, "C1", "^")):
    voice, room = (shown.features[m][shown.labels == label, 0] for m in ("voice", "room"))
    axis.plot(voice, room, marker, color=colour, alpha=0.6, markersize=5, label=("no", "yes")[label])
line = np.array([-9.0, 9.0])
axis.plot(line, -learned["voice"] / learned["room"] * line, color="black", label="sum of both")
axis.axvline(0, color="0.5", linestyle="--", label="voice alone")
axis.set(xlabel="first microphone: voice + noise", ylabel="second microphone: noise")
axis.set(xlim=(-9, 9), ylim=(-9, 9))
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
figure(
    fig,
    "microphones",
    caption="The height of a point says nothing about its class, yet the best boundary needs it. The second "
    "microphone gets a weight of nearly the same size as the first, with the opposite sign: it cancels the noise.",
    alt="Two long tilted clouds of points side by side. A vertical line separates them badly, a tilted line well.",
)

# %% [markdown]
# A modality at chance gets a weight about as large as the one that carries the message. A large weight can mean *informative*, and it can mean *cancels somebody else's noise*. [Haufe et al. (2014)](../../book/bibliography.md#haufe2014) warn of this in brain imaging, where such weights are drawn as maps.
#
# To learn what a modality is worth, take it away: train without it, or shuffle it among the examples at test time.

# %% tags=["hide-input"]
def build(dims):
    return FusionClassifier(equal_sum(dims), classes=10)


table = baselines(build, even_train, even_test, seed=0, **TRAINING)
names, scores = zip(*table.as_rows(), strict=True)
fig, axis = plt.subplots(figsize=(7, 2.9), layout="constrained")
axis.barh(names, scores, color=["C2"] + ["C0"] * (len(names) - 1))
axis.axvline(0.1, color="black", linestyle="--", linewidth=1)
axis.text(0.11, -0.55, "chance", fontsize=10)
axis.set(xlabel="test accuracy", xlim=(0, 1), ylim=(len(names) - 0.4, -1.0))
figure(
    fig,
    "baselines",
    caption="The sum beside its baselines: each modality alone, each modality shuffled among the test examples, "
    "and the additive projection, which keeps only what each modality says by itself.",
    alt="Horizontal bars of test accuracy. The fused model and the additive projection are equally long and "
    "longest, the single modalities shorter, the shuffled ones shortest.",
)

# %% [markdown]
# ## What no sum can do
#
# The last bar equals the first, and not by luck. A linear head on a sum gives logits of the form $g(x_I) + h(x_T)$. The effect of changing the word is the same whatever the picture. Such a model cannot learn a label that lies only in the combination.

# %%
projection = additive(lambda data: predict(model, data), even_test)
assert np.allclose(projection, predict(model, even_test), atol=1e-4)

signs = controlled_pairs("synergistic", 6_000, separation={"image": 2.0, "text": 2.0},
                         widths={"image": 8, "text": 5}, seed=0)
signs_train, signs_test = signs.take(slice(2_000)), signs.take(slice(2_000, None))
exact("signs-bayes", signs.bayes_accuracy, "the label is the product of two signs; best possible {:.3f}")
for name, kind in (("sum", WeightedSumFusion), ("concatenation", ConcatenationFusion)):
    seed_everything(0)
    classifier = FusionClassifier(kind(signs.widths, out_dim=32), classes=2)
    fit(classifier, signs_train, seed=0, epochs=30, batch_size=64, learning_rate=1e-2)
    reached = accuracy(predict(classifier, signs_test), signs_test.labels)
    claim(f"accuracy of the {name} on the product of signs", reached, at_most=0.56, key=f"signs-{name}")

# %% [markdown]
# > **Correction.** Two source documents call concatenation followed by linear layers a fusion in which the modalities interact. It is the same additive function, however many linear layers follow. Only a nonlinearity after the fusion, a product, or attention lets them interact.
#
# ## When a modality is missing
#
# The words of every second example are lost; where they stood there is NaN. A mask tells the fusion. The plain sum drops the term and gets shorter. Softmax weights are shared among those present, so they sum to one again. Either way what stands in the missing place has no influence, not even NaN.

# %%
seed_everything(0)
plain = WeightedSumFusion(train.widths, out_dim=32, learned=False).double()
shared = WeightedSumFusion(train.widths, out_dim=32, softmax=True).double()
shared.projections.load_state_dict(plain.projections.state_dict())  # the same matrices in both

x = {m: torch.tensor(rows[:4]) for m, rows in even_test.features.items()}
mask = {"text": torch.tensor([True, False, True, False])}
outputs = {}
for filling in (torch.nan, 123.0):
    x["text"][1::2] = filling
    outputs[filling] = plain(x, mask).detach(), shared(x, mask).detach()
for first, second in zip(*outputs.values(), strict=True):
    assert torch.equal(first, second)  # what stands in a missing place has no influence
ratio = outputs[123.0][1].norm(dim=1) / outputs[123.0][0].norm(dim=1)
print("length of the softmax sum / length of the plain sum:", ratio.numpy().round(3))

# %% [markdown]
# ## The same in three frameworks
#
# `WeightedSumFusion` exists for PyTorch and for Keras, with the same parameters under the same names. The same weights go in; the same numbers and the same gradients come out. The NumPy formula is the referee.

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.parity import relative_error, transfer

in_torch = WeightedSumFusion({"image": 64, "text": 26}, out_dim=32).double()
in_keras = keras_fusion.WeightedSumFusion({"image": 64, "text": 26}, out_dim=32, dtype="float64")
transfer(in_torch, in_keras)

batch = {m: rows[:8] for m, rows in even_test.features.items()}
reference = weighted_sum(batch, **numpy_arguments(in_torch))
output = in_torch({m: torch.tensor(rows) for m, rows in batch.items()})
(output**2).sum().backward()
with tf.GradientTape() as tape:
    keras_output = in_keras({m: tf.constant(rows) for m, rows in batch.items()})
    loss = tf.reduce_sum(keras_output**2)
keras_gradients = tape.gradient(loss, {v.name: v.value for v in in_keras.trainable_weights})

assert relative_error(output.detach(), reference) < 1e-10
assert relative_error(keras_output, reference) < 1e-10
for name, parameter in in_torch.named_parameters():
    assert relative_error(keras_gradients[name], parameter.grad) < 1e-10

# %% [markdown]
# ## What to keep
#
# A weighted sum needs one width for all, so each modality gets a matrix. It needs lengths that match, for the longest vector takes over the direction and, with it, the training. Concatenation and a linear layer are the same function with matrices as weights. None of them lets modalities interact. A gate is no free improvement: it chooses where a sum collects. And a weight tells how loud a modality must be to serve the sum, not how much it knows.
#
# **Try it.** Keep the file's scale, fix the weight of the words at ten and that of the pictures at one half: does it repair the sum? Put a ReLU between the sum and the head and train on the product of signs. Turn the room's noise down to zero: what happens to its weight?
#
# **Further reading.** [Baltrušaitis et al. (2019)](../../book/bibliography.md#baltrusaitis2019) for the map of the field, [Hessel and Lee (2020)](../../book/bibliography.md#hessel2020) for the additive projection, [Haufe et al. (2014)](../../book/bibliography.md#haufe2014) for weights that mislead.

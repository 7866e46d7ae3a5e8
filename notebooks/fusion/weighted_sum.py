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
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that Colab has. Elsewhere this cell does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    !{sys.executable} -m mmcourse.colab

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from mmcourse.data import controlled_pairs, digits_with_words, root_mean_square_norms
from mmcourse.errors import ModalityError
from mmcourse.fusion.numpy import concatenation, weighted_sum
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier, WeightedSumFusion
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments
from mmcourse.training import accuracy, additive, baselines, fit, predict, seed_everything

setup("fusion/weighted_sum")

# %% [markdown]
# ## A sum that is no better than half of itself
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
    caption="Eight training pairs: a handwritten digit with noise on its pixels, and its English word, mistyped. "
    "The picture becomes 64 pixel values, the word becomes 26 letter counts.",
    alt="Eight small grey pictures of handwritten digits, each with a misspelt English number word above it.",
)

# %% [markdown]
# The simplest fusion gives each modality a matrix, so that both vectors get the same width, and adds. A linear classifier reads the sum, and everything is trained together:
#
# $$F = \tfrac12\, x_I P_I + \tfrac12\, x_T P_T, \qquad \text{logits} = F H + b .$$
#
# Two people build this model. One hands over the pixels as the file has them, from 0 to 16. The other brings the pictures to the same length as the word vectors first. Nothing else differs.

# %%
TRAINING = {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2}


def train_and_score(train, test, fusion):
    """Train fusion and linear head together; return the model and its accuracy on the test part."""
    model = FusionClassifier(fusion, classes=len(train.classes))
    fit(model, train, seed=0, **TRAINING)
    return model, accuracy(predict(model, test), test.labels)


def equal_sum(dims):
    seed_everything(0)
    return WeightedSumFusion(dims, out_dim=32, learned=False)


norms = root_mean_square_norms(train)
matched = norms["text"] / norms["image"]
alone = {m: train_and_score(train.only(m), test.only(m), equal_sum({m: train.widths[m]}))[1] for m in train.widths}
_, as_in_file = train_and_score(train.scaled({"image": 16}), test.scaled({"image": 16}), equal_sum(train.widths))
model, equal_norms = train_and_score(
    train.scaled({"image": matched}), test.scaled({"image": matched}), equal_sum(train.widths)
)
best_alone = max(alone.values())
exact("file-norm-ratio", 16 * norms["image"] / norms["text"], "with the file's pixels a picture is {:.1f} times as long as a word")
claim("with the file's pixels, the sum gains over the words alone", as_in_file - best_alone, at_most=0.03, key="file-gain")
claim("with equal lengths, the sum gains over the better half", equal_norms - best_alone, at_least=0.05, key="equal-gain")

# %% [markdown]
# The first model has both modalities and is hardly better than the one that cannot see. No error, no warning, a loss that falls. The cause is the length of a vector.
#
# ## Three numbers
#
# Take a picture vector three long and a word vector one long, at a right angle, and add them. How much of each is in the sum? The cosine of the angle says it: 1 is the same direction, 0 is nothing in common.

# %%
def cosine(a, b):
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


picture, word = np.array([3.0, 0.0]), np.array([0.0, 1.0])
fused = 0.5 * picture + 0.5 * word
print("sum", fused, " cosine with the picture", cosine(fused, picture).round(3), " with the word", cosine(fused, word).round(3))

# %% [markdown]
# Equal weights, and yet the sum points along the picture. Turning the word does not help it much. Whatever its direction, the tip of the sum lies on a circle around the tip of the picture, and the line from the origin that strays farthest is the tangent. With lengths in the ratio $k > 1$ the sine of that angle is $1/k$, so
#
# $$\cos(F, x_I) \;\ge\; \sqrt{1 - 1/k^2} .$$

# %%
def bound(k):
    return np.sqrt(1 - 1 / k**2)


rng = np.random.default_rng(0)
short = rng.normal(size=(10_000, 32))
long = rng.normal(size=(10_000, 32))
k = rng.uniform(1, 20, size=10_000)
long *= (k * np.linalg.norm(short, axis=1) / np.linalg.norm(long, axis=1))[:, None]
assert (cosine(0.5 * long + 0.5 * short, long) >= bound(k) - 1e-12).all()

worst = np.array([-1.0, np.sqrt(3**2 - 1)]) / 3  # a word turned until the line to the sum touches the circle
assert np.isclose(cosine(picture + worst, picture), bound(3.0))

fig, axis = plt.subplots(figsize=(6.4, 3))
axis.add_patch(plt.Circle(picture, 1, fill=False, linestyle=":", color="C0"))
for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
    axis.plot(*zip((0, 0), picture + [np.cos(angle), np.sin(angle)], strict=True), color="0.75", linewidth=0.8)
axis.annotate("", picture, (0, 0), arrowprops={"arrowstyle": "->", "color": "C0", "linewidth": 2.5})
axis.annotate("", picture + worst, picture, arrowprops={"arrowstyle": "->", "color": "C1", "linewidth": 2.5})
axis.annotate("", picture + worst, (0, 0), arrowprops={"arrowstyle": "->", "color": "C2", "linewidth": 2.5})
axis.text(1.7, -0.22, "picture", color="C0")
axis.text(2.95, 0.5, "word", color="C1")
axis.text(1.2, 0.65, "sum", color="C2")
axis.set(xlim=(-0.1, 4.2), ylim=(-1.15, 1.15), aspect="equal", xlabel="first coordinate", ylabel="second coordinate")
figure(
    fig,
    "tangent",
    caption="A picture vector of length 3 and a word vector of length 1. However the word is turned (grey), the sum ends "
    "on the dotted circle. The worst case for the picture is the tangent: its sine is $1/3$.",
    alt="An arrow three long to the right, a circle of radius one around its tip, and a tangent from the origin to the "
    "circle that marks the largest possible angle between the sum and the long arrow.",
)

# %% [markdown]
# ## The sum from scratch
#
# One line a term: bring each modality to the common width, weigh it, add. The package has the same formula as `weighted_sum`, in double precision, and checks what it is given.

# %%
features = {modality: rows[:4] for modality, rows in test.features.items()}
projections = {"image": rng.normal(size=(64, 32)), "text": rng.normal(size=(26, 32))}
weights = {"image": 0.5, "text": 0.5}

by_hand = np.zeros((4, 32))
for modality, x in features.items():
    by_hand += weights[modality] * (x @ projections[modality])  # w_m x_m P_m: (4, dim_m) -> (4, 32)

assert np.allclose(by_hand, weighted_sum(features, weights, projections=projections), rtol=1e-12)

# %% [markdown]
# What it checks is not idle. Without matrices the widths disagree, and NumPy says so. But a modality that is one number wide is spread over all the others, and NumPy says nothing.

# %%
loudness = features["text"].sum(axis=1, keepdims=True)  # one number for each example
silently = 0.5 * features["image"] + 0.5 * loudness
print("image", features["image"].shape, "+ one number", loudness.shape, "=", silently.shape, "and no complaint")
try:
    weighted_sum({"image": features["image"], "loudness": loudness}, {"image": 0.5, "loudness": 0.5})
except ModalityError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# > **Correction.** A source document writes the fusion of image and text as a sum with two weights, and leaves out what makes it defined: both vectors need one width, so in general each modality has a matrix of its own. Its program adds the vectors without weights, without matrices and without a look at their lengths.
#
# ## Loudness decides
#
# How loud may a modality be? We turn the pictures up and down against the words. On the left is the geometry, on the real pairs after random matrices. On the right each point is a model trained from scratch, for ten seeds: an experiment of a few minutes whose stored result is read here, with one of its points computed again.

# %%
results = experiment("fusion_weighted_sum")


def accuracies(**wanted):
    """Stored accuracies of all seeds for one setting."""
    return np.array([row["accuracy"] for row in results if wanted.items() <= row.items()])


ratios = np.array(sorted({row["norm_ratio"] for row in results if row["sweep"] == "loudness"}))
stored = accuracies(sweep="loudness", fusion="fixed weights", norm_ratio=1)
claim("the stored ten-seed mean minus the point computed above", stored.mean() - equal_norms, at_least=-0.03, at_most=0.03, key="live-point")

projected = {m: rows @ projections[m] for m, rows in test.features.items()}
unit = {m: rows / np.linalg.norm(rows, axis=1, keepdims=True) for m, rows in projected.items()}
fine = np.geomspace(0.01, 100, 81)
toward_image = np.array([cosine(k * unit["image"] + unit["text"], unit["image"]) for k in fine])  # (81, examples)
assert (toward_image[fine > 1].min(axis=1) >= bound(fine[fine > 1]) - 1e-12).all()

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), sharex=True, layout="constrained")
left.fill_between(fine, toward_image.min(axis=1), toward_image.max(axis=1), color="C0", alpha=0.25, linewidth=0)
left.plot(fine, np.median(toward_image, axis=1), color="C0", label="real pairs: median, all")
left.plot(fine[fine > 1], bound(fine[fine > 1]), color="black", linestyle="--", label=r"bound $\sqrt{1-1/k^2}$")
left.set(xscale="log", ylabel="cosine of the sum with the picture", xlabel="length of picture / length of word, k")
left.legend(loc="upper left", fontsize=9)

for fusion, colour, marker in (("fixed weights", "C2", "o"), ("learned weights", "C1", "s")):
    spread = np.array([accuracies(sweep="loudness", fusion=fusion, norm_ratio=ratio) for ratio in ratios])
    right.fill_between(ratios, spread.min(axis=1), spread.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    right.plot(ratios, spread.mean(axis=1), color=colour, marker=marker, label=f"sum, {fusion}")
for modality, style in (("image", ":"), ("text", "-.")):
    level = accuracies(sweep="fusions", fusion=f"{modality} alone", pixels="equal norms").mean()
    right.axhline(level, color="0.35", linestyle=style, label=f"{modality} alone")
right.axvline(16 * norms["image"] / norms["text"], color="0.6", linewidth=1)
right.text(16 * norms["image"] / norms["text"], 0.62, " file's pixels", color="0.35", fontsize=9)
right.set(ylabel="test accuracy", xlabel="length of picture / length of word, k", ylim=(0.6, 1))
right.legend(loc="lower left", fontsize=9)
figure(
    fig,
    "norm-ratio",
    caption="Left: the longer vector takes over the direction of the sum, never less than the bound. Right: accuracy of "
    "models trained on pictures scaled to $k$ times the length of the words (mean and range of ten seeds). "
    "Only near $k = 1$ is the sum better than both halves; learned weights widen the hill but do not save its foot.",
    alt="Two panels over the ratio of lengths from 0.01 to 100. Left, the cosine rises from near zero to one and stays "
    "above a dashed bound. Right, accuracy is highest at ratio one and falls on both sides toward or below the levels "
    "of one modality alone.",
)

# %%
peak = accuracies(sweep="loudness", fusion="fixed weights", norm_ratio=1)
text_alone = accuracies(sweep="fusions", fusion="text alone", pixels="equal norms")
for ratio, key in ((0.01, "quiet-loss"), (100, "loud-loss")):
    far = accuracies(sweep="loudness", fusion="fixed weights", norm_ratio=ratio)
    claim(f"mean accuracy lost at k = {ratio} against k = 1", (peak - far).mean(), at_least=0.05, key=key)
far = accuracies(sweep="loudness", fusion="learned weights", norm_ratio=100)
claim("with learned weights, mean accuracy lost at k = 100", (peak - far).mean(), at_least=0.05, key="learned-loud-loss")
claim("at k = 1, in the worst of ten seeds the sum gains over the words alone", (peak - text_alone).min(), at_least=0.04, key="peak-gain")

# %% [markdown]
# A model could undo any scale by making one matrix small. It has not enough steps to do so: it starts with matrices of equal size, and the gradient of a matrix is proportional to the input it multiplies. Match the lengths before you train: divide each modality by its root mean square length on the training part, or normalise each vector.
#
# ## Four ways to choose the weights
#
# Fixed weights are a choice. Learned weights are two more parameters. Softmax weights are learned and kept positive with sum one. A gate computes a softmax for every example. Concatenation has no weights at all: it writes the vectors one after the other, and a matrix reads the whole.

# %%
kinds = ["fixed weights", "learned weights", "softmax weights", "gate per example", "concatenation"]
fig, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
for row, kind in enumerate(["image alone", "text alone", *kinds]):
    for pixels, colour, shift in (("equal norms", "C2", -0.12), ("as in the file", "C1", 0.12)):
        scores = accuracies(sweep="fusions", fusion=kind, pixels=pixels)
        axis.plot(scores, np.full(len(scores), row + shift), "o", color=colour, alpha=0.35, markersize=5)
        axis.plot(scores.mean(), row + shift, "|", color=colour, markersize=16, markeredgewidth=3, label=pixels if row == 0 else None)
axis.set(yticks=range(7), yticklabels=["image alone", "text alone", *kinds], xlabel="test accuracy")
axis.invert_yaxis()
axis.legend(title="pixels")
figure(
    fig,
    "fusions",
    caption="Ten seeds (dots) and their mean (bars) for each way to weigh. With equal lengths the five fusions agree "
    "within the spread of the seeds; with the file's pixels all of them lose.",
    alt="Seven rows of dots. The two single modalities score lowest, the five kinds of fusion with equal norms cluster "
    "together at the right, and with the pixels of the file every fusion lies further left.",
)
means = {kind: accuracies(sweep="fusions", fusion=kind, pixels="equal norms").mean() for kind in kinds}
claim("largest difference between the means of the five kinds", max(means.values()) - min(means.values()), at_most=0.02, key="kinds-spread")

# %% [markdown]
# They agree because most of them are the same function. A vector of two parts times a matrix is the sum of two products, one with the upper rows and one with the lower:
#
# $$[x_I ; x_T]\, W = x_I W_I + x_T W_T .$$
#
# Concatenation followed by a linear layer is a weighted sum whose weights are matrices. Joining two vectors makes nothing interact.

# %%
both = concatenation(features, ["image", "text"], kernel=np.vstack([projections["image"], projections["text"]]))
as_sum = weighted_sum(features, {"image": 1, "text": 1}, projections=projections)
assert np.allclose(both, as_sum, rtol=1e-12)
assert concatenation(features, ["image", "text"]).shape == (4, 64 + 26)  # widths add up; a list [T, I] has no width

# %% [markdown]
# > **Correction.** A source document gives `F = [T, I, S]` as concatenation. In Python that is a list of three arrays, and no layer accepts it. Concatenation joins along the feature axis, and its width is the sum of the widths.
#
# ## The weights say nothing about importance
#
# Multiply a weight by ten and divide its matrix by ten: the sum stays the same. So once a matrix follows, or comes before, the weight of a modality can be anything.

# %%
louder = {"image": 10 * weights["image"], "text": weights["text"]}
compensated = {"image": projections["image"] / 10, "text": projections["text"]}
assert np.allclose(
    weighted_sum(features, louder, projections=compensated), weighted_sum(features, weights, projections=projections)
)

seed_everything(0)
runs = {}
for start in (0.5, 3.0):
    fusion = WeightedSumFusion(train.widths, out_dim=32, weights={"image": 0.5, "text": start})
    _, score = train_and_score(train.scaled({"image": matched}), test.scaled({"image": matched}), fusion)
    learned = numpy_arguments(fusion)["weights"]
    runs[start] = {"score": score, "ratio": learned["text"] / learned["image"]}
claim("the two runs differ in accuracy", abs(runs[3.0]["score"] - runs[0.5]["score"]), at_most=0.04, key="starts-accuracy")
claim("the second run's text-to-image ratio of weights is larger by the factor", runs[3.0]["ratio"] / runs[0.5]["ratio"], at_least=2, key="starts-ratio")

# %% [markdown]
# Perhaps the weights mean something where no matrix can hide them? Two microphones, one number each. The first hears a voice and the noise of the room, the second hears the noise alone. The label is what the voice says, yes or no. So the second microphone knows nothing about the label.

# %%
rooms = controlled_pairs("shared_noise", 6_000, separation={"voice": 2.0, "room": 3.0}, widths={"voice": 1, "room": 1}, seed=0)
upright = {m: float(direction[0]) for m, direction in rooms.directions.items()}  # a direction of one number is a sign
rooms_train, rooms_test = (rooms.take(part).scaled(upright) for part in (slice(0, 2_000), slice(2_000, None)))

seed_everything(0)
microphones = WeightedSumFusion({"voice": 1, "room": 1}, weights={"voice": 1.0, "room": 0.0})
listener = FusionClassifier(microphones, classes=2)
fit(listener, rooms_train, seed=0, epochs=40, batch_size=64, learning_rate=2e-2)
heard = accuracy(predict(listener, rooms_test), rooms_test.labels)
learned = numpy_arguments(microphones)["weights"]
exact("room-alone", rooms.alone["room"], "best possible with the room alone {:.3f}")
exact("voice-alone", rooms.alone["voice"], "best possible with the voice alone {:.3f}")
exact("rooms-bayes", rooms.bayes_accuracy, "best possible with both {:.3f}")
claim("weight of the room over weight of the voice", learned["room"] / learned["voice"], at_least=-1.05, at_most=-0.7, key="room-weight")
claim("the sum falls short of the best possible by", rooms.bayes_accuracy - heard, at_most=0.02, key="rooms-shortfall")

# %%
fig, axis = plt.subplots(figsize=(6, 4), layout="constrained")
shown = rooms_test.take(slice(0, 400))
for label, colour, marker in ((0, "C0", "o"), (1, "C1", "^")):
    chosen = shown.labels == label
    axis.plot(shown.features["voice"][chosen, 0], shown.features["room"][chosen, 0], marker, color=colour,
              alpha=0.6, markersize=5, label=("no", "yes")[label])
line = np.array([-9.0, 9.0])
axis.plot(line, -learned["voice"] / learned["room"] * line, color="black", label="learned boundary")
axis.axvline(0, color="0.5", linestyle="--", label="voice alone")
axis.set(xlabel="first microphone: voice + noise", ylabel="second microphone: noise", xlim=(-9, 9), ylim=(-9, 9))
axis.legend(loc="upper left")
figure(
    fig,
    "microphones",
    caption="The height of a point says nothing about its class, yet the best boundary needs it: the second microphone "
    "gets a weight of nearly the same size, with the opposite sign, because it cancels the noise of the first.",
    alt="Two long tilted clouds of points side by side. A vertical line separates them badly, a tilted line well.",
)

# %% [markdown]
# A modality at chance gets a weight about as large as the one that carries the message. A large weight can mean *informative*, and it can mean *cancels somebody else's noise*. [Haufe et al. (2014)](../../book/bibliography.md#haufe2014) warn of this in brain imaging, where such weights are drawn as maps. To learn what a modality is worth, take it away: train without it, or shuffle it between the examples at test time.

# %%
table = baselines(
    lambda dims: FusionClassifier(equal_sum(dims), classes=10),
    train.scaled({"image": matched}),
    test.scaled({"image": matched}),
    seed=0,
    **TRAINING,
)
rows = table.as_rows()
fig, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
axis.barh([row["name"] for row in rows], [row["accuracy"] for row in rows], color=["C2"] + ["C0"] * (len(rows) - 1))
axis.axvline(0.1, color="black", linestyle="--", linewidth=1)
axis.text(0.11, len(rows) - 0.9, "chance", fontsize=9)
axis.set(xlabel="test accuracy", xlim=(0, 1))
axis.invert_yaxis()
figure(
    fig,
    "baselines",
    caption="The sum beside its baselines: each modality alone, each modality shuffled among the test examples, and the "
    "additive projection, which keeps only what each modality says by itself.",
    alt="Horizontal bars of test accuracy. The fused model and the additive projection are equally long and longest, the "
    "single modalities shorter, the shuffled ones shortest.",
)

# %% [markdown]
# ## What no sum can do
#
# The last bar equals the first, and not by luck. A linear head on a sum gives logits of the form $g(x_I) + h(x_T)$. The effect of changing the word is the same whatever the picture. Such a model cannot learn a label that lies only in the combination.

# %%
heard_and_seen = test.scaled({"image": matched})
logits = predict(model, heard_and_seen)
assert np.allclose(additive(lambda data: predict(model, data), heard_and_seen), logits, atol=1e-4)

signs = controlled_pairs("synergistic", 6_000, separation={"image": 2.0, "text": 2.0}, widths={"image": 8, "text": 5}, seed=0)
signs_train, signs_test = signs.take(slice(0, 2_000)), signs.take(slice(2_000, None))
seed_everything(0)
summer = FusionClassifier(WeightedSumFusion(signs.widths, out_dim=32), classes=2)
joiner = FusionClassifier(ConcatenationFusion(signs.widths, out_dim=32), classes=2)
exact("signs-bayes", signs.bayes_accuracy, "label = product of two signs; best possible {:.3f}")
for name, classifier in (("sum", summer), ("concatenation", joiner)):
    fit(classifier, signs_train, seed=0, epochs=30, batch_size=64, learning_rate=1e-2)
    reached = accuracy(predict(classifier, signs_test), signs_test.labels)
    claim(f"accuracy of the {name} on the product of signs", reached, at_most=0.56, key=f"signs-{name}")

# %% [markdown]
# > **Correction.** Two of the source documents call concatenation followed by linear layers a fusion in which the modalities interact. It is the same additive function, however many linear layers follow. A nonlinearity after the fusion, a product, or attention makes an interaction; the later lessons of this chapter are about these.
#
# ## When a modality is missing
#
# The words of every second example are lost; where they stood there is NaN. A mask tells the fusion. The plain sum drops the term and gets shorter. Softmax weights are shared among those present, so they sum to one again. Either way what stands in the missing place has no influence, not even NaN.

# %%
seed_everything(0)
plain = WeightedSumFusion(train.widths, out_dim=32, learned=False).double()
shared = WeightedSumFusion(train.widths, out_dim=32, softmax=True).double()
shared.load_state_dict(plain.state_dict() | {f"weights.{m}": torch.tensor(0.0).double() for m in train.widths})

x = {m: torch.tensor(rows[:4]) for m, rows in heard_and_seen.features.items()}
x["text"][1::2] = torch.nan
mask = {"text": torch.tensor([True, False, True, False])}
with torch.no_grad():
    lengths = {"plain": plain(x, mask).norm(dim=1), "softmax": shared(x, mask).norm(dim=1)}
print("softmax / plain:", (lengths["softmax"] / lengths["plain"]).numpy().round(3))
x["text"][1::2] = 123.0
assert torch.equal(plain(x, mask).norm(dim=1).detach(), lengths["plain"])

# %% [markdown]
# ## The same in three frameworks
#
# `WeightedSumFusion` exists for PyTorch and for Keras, with the same parameters under the same names. Same weights in, same numbers and same gradients out; the NumPy formula is the referee.

# %%
import keras
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.parity import relative_error, transfer

in_torch = WeightedSumFusion({"image": 64, "text": 26}, out_dim=32).double()
in_keras = keras_fusion.WeightedSumFusion({"image": 64, "text": 26}, out_dim=32, dtype="float64")
batch = {m: rows[:8] for m, rows in heard_and_seen.features.items()}
in_keras(batch)  # a Keras layer makes its weights when it sees its first input
transfer(in_torch, in_keras)

reference = weighted_sum(batch, **numpy_arguments(in_torch))
output = in_torch({m: torch.tensor(rows) for m, rows in batch.items()})
with tf.GradientTape() as tape:
    keras_output = in_keras(batch)
    loss = keras.ops.sum(keras_output**2)
keras_gradients = {w.name: g.numpy() for w, g in zip(in_keras.trainable_weights, tape.gradient(loss, [w.value for w in in_keras.trainable_weights]), strict=True)}
(output**2).sum().backward()

assert relative_error(output.detach().numpy(), reference) < 1e-10
assert relative_error(keras_output.numpy(), reference) < 1e-10
for name, parameter in in_torch.named_parameters():
    assert relative_error(keras_gradients[name], parameter.grad.numpy()) < 1e-10

# %% [markdown]
# ## What to keep
#
# A weighted sum needs one width for all, so each modality gets a matrix. It needs lengths that match, for the longest vector takes over the direction and, with it, the training. Concatenation and a linear layer are the same function with matrices as weights. None of them lets modalities interact. And a weight tells how loud a modality must be to serve the sum, not how much it knows.
#
# **Try it.** Give the words ten times the weight with fixed weights and the file's pixels: does it repair the sum? Put a ReLU between the sum and the head and train on the product of signs. Turn the room's noise down to nothing: what happens to its weight?
#
# **Further reading.** [Baltrušaitis et al. (2019)](../../book/bibliography.md#baltrusaitis2019) for the map of the field, [Hessel and Lee (2020)](../../book/bibliography.md#hessel2020) for the additive projection, [Haufe et al. (2014)](../../book/bibliography.md#haufe2014) for weights that mislead.

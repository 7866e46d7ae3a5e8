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
# **Before this:** vectors and their lengths, the dot product, and [A first model](../concepts/first_model.ipynb) for a linear classifier and its training by gradient steps. The proofs are on the page [Adding vectors](../../book/fusion/weighted_sum.md).

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
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier
from mmcourse.fusion.torch import GatedFusion, WeightedSumFusion
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments
from mmcourse.training import accuracy, additive, baselines
from mmcourse.training import fit, predict, seed_everything

setup("fusion/weighted_sum")

# %% [markdown]
# ## Two modalities, and little gained
#
# A *modality* is a kind of signal: pictures are one, words another. Here somebody writes a digit by hand, and somebody else types its name in a hurry: each letter goes wrong with probability seven in ten, and then only the letters are counted, so their order is lost. Neither is easy to read. Together they should be.

# %%
noise = {"typo_rate": 0.7, "pixel_noise": 0.2, "seed": 0}
train = digits_with_words("train", limit=300, **noise)
test = digits_with_words("test", **noise)  # later rows of the file, other writers
for modality, rows in train.features.items():
    print(modality, rows.shape, rows.dtype)

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 8, figsize=(8, 1.5), layout="constrained")
for axis, picture, word, label in zip(axes, train.images, train.words, train.labels, strict=False):
    axis.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
    axis.set(title=word, xlabel=label, xticks=[], yticks=[])
figure(
    fig,
    "pairs",
    caption="Eight training pairs: a handwritten digit with noise on its pixels, and its English word, "
    "mistyped; below it the label. The picture becomes 64 pixel values, the word becomes 26 letter counts.",
    alt="Eight small grey pictures of handwritten digits, each with a misspelt number word above it and the right digit below.",
)

# %% [markdown]
# The simplest fusion gives each modality a matrix, so that both vectors get one width, and adds. A linear layer, the task head, reads the sum and gives a score for each class, the logits. Everything is trained together:
#
# $$F = \tfrac12\, x_I P_I + \tfrac12\, x_T P_T, \qquad \text{logits} = F H + b .$$
#
# Here $x_I$ is a row of 64 pixels, $x_T$ a row of 26 letter counts, $P_I$ and $P_T$ are their matrices, $F$ has 32 numbers, and $H$ and $b$ belong to the head. `fit` trains with the optimiser AdamW.

# %%
TRAINING = {"epochs": 60, "batch_size": 64,
            "learning_rate": 3e-3, "weight_decay": 1e-2}


def equal_sum(dims):
    """The sum above: weights that stay equal, matrices at a random start."""
    seed_everything(0)
    return WeightedSumFusion(dims, out_dim=32, learned=False)


def train_and_score(train, test, fusion):
    """Train fusion and linear head together; return model and test accuracy."""
    model = FusionClassifier(fusion, classes=len(train.classes))
    fit(model, train, seed=0, **TRAINING)
    return model, accuracy(predict(model, test), test.labels)


# %% [markdown]
# Two people build this model. One hands over the pixels as the file has them, from 0 to 16. The other first brings the pictures to the average length of the word vectors. Each compares the sum with its own two halves, trained alone in the same way; a modality alone has the weight one.

# %%
norms = root_mean_square_norms(train)
matched = norms["text"] / norms["image"]  # makes pictures as long as words
file_ratio = 16 * norms["image"] / norms["text"]
file_train, file_test = (part.scaled({"image": 16}) for part in (train, test))
even_train, even_test = (part.scaled({"image": matched}) for part in (train, test))


def gain_over_halves(train, test):
    """The trained sum, its test accuracy, and that minus its better half's."""
    halves = [(train.only(m), test.only(m)) for m in train.features]
    alone = [train_and_score(*half, equal_sum(half[0].widths))[1] for half in halves]
    model, score = train_and_score(train, test, equal_sum(train.widths))
    return model, score, score - max(alone)


# %%
_, file_score, file_gain = gain_over_halves(file_train, file_test)
even_model, even_score, even_gain = gain_over_halves(even_train, even_test)
exact("in the file's scale a picture is {:.1f} times as long as a word",
      file_ratio, key="file-norm-ratio")
claim("gain of the sum over its better half, in the file's scale",
      file_gain, at_most=0.07, key="file-gain")
claim("gain of the sum over its better half, at equal lengths",
      even_gain, at_least=0.08, key="equal-gain")

# %% [markdown]
# The first model has two modalities and gains little by the second. No error, no warning, a loss that falls. One cause is the length of a vector.
#
# ## The sum of two arrows
#
# Take a picture vector three long and a word vector one long, at a right angle, and add them. How much of each is in the sum? The cosine of the angle between them says it: 1 is the same direction, 0 is nothing in common.

# %%
def cosine(a, b):
    """Cosine of the angle between vectors, along the last axis."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return (a * b).sum(axis=-1) / lengths


picture, word = np.array([3.0, 0.0]), np.array([0.0, 1.0])
fused = 0.5 * picture + 0.5 * word
print("sum", fused)
print("cosine with the picture", cosine(fused, picture).round(3))
print("cosine with the word   ", cosine(fused, word).round(3))

# %% [markdown]
# Equal weights, and yet the sum points along the picture. Turning the word does not help it much. Leave out the halves, which change no angle. Whatever the word's direction, the sum ends on a circle around the tip of the picture. Of all lines from the origin to that circle, the tangent makes the largest angle with the picture. With lengths in the ratio $k > 1$ the sine of this angle is $1/k$, so
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

# The word turned until the line from the origin to the sum is a tangent:
worst = np.array([-1.0, np.sqrt(3**2 - 1)]) / 3
assert np.isclose(np.linalg.norm(worst), 1)
assert np.isclose(cosine(picture + worst, picture), bound(3.0))

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6.4, 3), layout="constrained")
axis.add_patch(plt.Circle(picture, 1, fill=False, linestyle=":", color="C0"))
for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
    axis.plot([0, 3 + np.cos(angle)], [0, np.sin(angle)], color="0.75", linewidth=0.8)
for tip, tail, colour in (((3, 0), (0, 0), "C0"), (picture + worst, (3, 0), "C1"), (picture + worst, (0, 0), "C2")):
    axis.annotate("", tip, tail, arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 2.5})
axis.text(0.25, -0.3, "picture", color="C0")
axis.text(2.95, 0.45, "word", color="C1")
axis.text(0.9, 0.55, "sum", color="C2")
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
# For each modality: project, weigh, add. The package has the same formula as `weighted_sum`, in double precision.

# %%
features = {modality: rows[:4] for modality, rows in test.features.items()}
projections = {m: rng.normal(size=(dim, 32)) for m, dim in test.widths.items()}
weights = {"image": 0.5, "text": 0.5}

by_hand = np.zeros((4, 32))
for modality, x in features.items():
    # (4, 64) or (4, 26) -> (4, 32)
    by_hand += weights[modality] * (x @ projections[modality])

from_package = weighted_sum(features, weights, projections=projections)
assert np.allclose(by_hand, from_package, rtol=1e-12)

# %% [markdown]
# Without matrices 64 and 26 numbers do not add, and NumPy says so. But a modality that is one number wide is added to every one of the others' numbers, and NumPy says nothing.

# %%
length = features["text"].sum(axis=1, keepdims=True)  # letters in the word: (4, 1)
silently = 0.5 * features["image"] + 0.5 * length
assert silently.shape == (4, 64)
assert (torch.zeros(4, 64) + torch.zeros(4, 1)).shape == (4, 64)  # PyTorch too
try:
    pair = {"image": features["image"], "length": length}
    weighted_sum(pair, {"image": 0.5, "length": 0.5})
except ShapeError as error:
    refusal = str(error)
assert "length: got width 1, wanted 64" in refusal
print("NumPy adds", features["image"].shape, "and", length.shape, "to", silently.shape)
print("the package says:", refusal)

# %% [markdown]
# > **Correction.** A source document ([entry C-01](../../book/corrections.md#c-01)) writes the fusion of image and text as a sum with two weights and leaves out what makes it defined: the vectors need one width, so in general each modality has a matrix of its own. Its program adds the vectors without weights, without matrices and without a look at their lengths.
#
# ## Loudness decides
#
# Why should a trained model care? It could undo any scale by making one matrix small. Look at how it gets there. With $\delta = \partial L / \partial F$, the gradient of the loss by the fused vectors,
#
# $$\frac{\partial L}{\partial P_m} = w_m\, x_m^{\top} \delta .$$
#
# The *gradient* of a matrix is proportional to the length of the vectors that it multiplies. AdamW divides the size of the gradient out and moves all matrices about equally far. But a move $\Delta P_m$ of a matrix moves the sum by $w_m x_m \Delta P_m$, and this is proportional to the length again. So the loud modality moves the sum more at each step.

# %%
halves = WeightedSumFusion(train.widths, out_dim=32, learned=False).double()
loud = {m: torch.tensor(rows) for m, rows in file_train.features.items()}
sums = halves(loud)
sums.retain_grad()  # so that delta is kept
logits = sums[:, :10]  # any loss will do: the first ten numbers as logits
torch.nn.functional.cross_entropy(logits, torch.tensor(train.labels)).backward()
delta = sums.grad
for m, matrix in halves.projections.items():
    assert torch.allclose(matrix.grad, 0.5 * loud[m].T @ delta)

# %% [markdown]
# How loud may a modality be? We turn the pictures up and the words down, and the other way round, so that only the ratio $k$ of their lengths changes and their common size stays. On the left of the figure is the geometry before training: real pairs after random matrices, each projected vector brought to length one and the picture then made $k$ times as long. On the right each point is the mean of ten models trained from scratch, an experiment of some minutes, whose stored results are read here. The second model above is one of its points.

# %%
projected = {m: rows @ projections[m] for m, rows in test.features.items()}
unit = {m: h / np.linalg.norm(h, axis=1, keepdims=True) for m, h in projected.items()}
fine = np.geomspace(0.01, 100, 81)  # ratios of lengths
by_ratio = [ratio * unit["image"] + unit["text"] for ratio in fine]
toward = {m: np.array([cosine(fused_pairs, unit[m]) for fused_pairs in by_ratio])
          for m in unit}  # (ratios, examples)
assert (toward["image"][fine > 1] >= bound(fine[fine > 1])[:, None] - 1e-12).all()

# %%
runs = experiment("fusion_weighted_sum")
loudness = {"sweep": "loudness", "fusion": "fixed weights"}
ten = runs.values("accuracy", norm_ratio=1, **loudness)
claim("accuracy of the second model above, beside ten stored ones", even_score,
      at_least=ten.min() - 0.01, at_most=ten.max() + 0.01, key="live-point")

# %% tags=["hide-input"]
RATIOS = np.array(sorted({run["norm_ratio"] for run in runs if run["sweep"] == "loudness"}))


def draw_geometry(axis):
    for (modality, cosines), colour in zip(toward.items(), ("C0", "C3"), strict=True):
        axis.fill_between(fine, cosines.min(axis=1), cosines.max(axis=1), color=colour, alpha=0.2, linewidth=0)
        axis.plot(fine, np.median(cosines, axis=1), color=colour, label=f"with the {modality}")
    axis.plot(fine[fine > 1], bound(fine[fine > 1]), "--", color="black", label=r"bound $\sqrt{1-1/k^2}$")
    axis.set(xscale="log", ylabel="cosine of the sum", ylim=(-0.75, 1.05))
    axis.legend(loc="lower center", fontsize=10)


def draw_accuracy(axis):
    for fusion, colour, marker in (("fixed weights", "C2", "o"), ("learned weights", "C1", "s")):
        seeds = np.array([runs.values("accuracy", sweep="loudness", fusion=fusion, norm_ratio=k) for k in RATIOS])
        axis.fill_between(RATIOS, seeds.min(axis=1), seeds.max(axis=1), color=colour, alpha=0.2, linewidth=0)
        axis.plot(RATIOS, seeds.mean(axis=1), color=colour, marker=marker, label=f"sum, {fusion}")
    for modality, style in (("image", ":"), ("text", "-.")):
        level = runs.values("accuracy", sweep="fusions", fusion=f"{modality} alone", pixels="equal norms").mean()
        axis.axhline(level, color="0.35", linestyle=style, label=f"{modality} alone")
    axis.axvline(file_ratio, color="0.6", linewidth=1)
    axis.text(file_ratio * 1.1, 0.975, "file's\nratio", color="0.35", fontsize=10, va="top")
    axis.set(ylabel="test accuracy", ylim=(0.77, 0.98))
    axis.legend(loc="lower center", fontsize=10)


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.7), sharex=True, layout="constrained")
for draw, axis in zip((draw_geometry, draw_accuracy), axes, strict=True):
    draw(axis)
    axis.set(xlabel="length of image / length of text, k")
figure(
    fig,
    "norm-ratio",
    caption="Left, before training: the longer vector takes over the direction of the sum (median and range of "
    "597 pairs). Right: test accuracy of trained models, mean and range of ten seeds. Near $k = 1$ the sum is far "
    "better than both halves; at the ends it is worth hardly more than the louder one.",
    alt="Two panels over the ratio k of lengths from one hundredth to one hundred. Left, the cosine with the "
    "image rises from near zero to one, above a dashed bound, and that with the text falls. Right, accuracy peaks at ratio one and falls on both sides "
    "to the level of a single modality.",
)

# %%
EVEN = {"sweep": "fusions", "pixels": "equal norms"}


def gains(**settings):
    """Accuracy of a setting minus the better half's at equal lengths, seed by seed."""
    alone = [runs.values("accuracy", fusion=f"{m} alone", **EVEN)
             for m in ("image", "text")]
    return runs.values("accuracy", **settings) - np.maximum(*alone)


claim("gain of the sum over its better half at k = 1, worst of ten seeds",
      gains(norm_ratio=1, **loudness).min(), at_least=0.05, key="peak-gain")
for ratio, key in ((0.01, "quiet"), (100, "loud")):
    claim(f"gain at k = {ratio}, mean of ten seeds",
          gains(norm_ratio=ratio, **loudness).mean(), at_most=0.02, key=f"{key}-gain")
    patient = runs.values("accuracy", sweep="patience", norm_ratio=ratio)  # three seeds
    once = runs.values("accuracy", norm_ratio=ratio, **loudness)[: len(patient)]
    claim(f"what ten times the epochs add at k = {ratio}, mean of three seeds",
          (patient - once).mean(), at_most=0.03, key=f"{key}-patience")
    fitted = runs.values("train_accuracy", norm_ratio=ratio, **loudness)
    claim(f"accuracy on the training part at k = {ratio}, mean of ten seeds",
          fitted.mean(), at_least=0.9, key=f"{key}-fitted")

# %% [markdown]
# At both ends two modalities are worth hardly more than one, and ten times the training does not change it. Most of the training part is answered rightly all the same: the loud modality explains it, or the model has learned it by heart. Then the loss has little left to teach about the quiet modality. So match the lengths before you train: divide each modality by its root mean square length on the training part, or normalise each vector.
#
# In the file's scale there is a second cause. There the pictures are not only longer than the words, they are long, and every step moves the output far. Pictures alone suffer from that too:

# %%
pictures = {"sweep": "fusions", "fusion": "image alone"}
lost = (runs.values("accuracy", pixels="equal norms", **pictures)
        - runs.values("accuracy", pixels="as in the file", **pictures))
claim("what pictures alone lose by the file's scale, mean of ten seeds",
      lost.mean(), at_least=0.02, key="image-file-loss")

# %% [markdown]
# ## Four ways to choose the weights
#
# Fixed weights are a choice. Learned weights are two more parameters. Softmax weights are learned and kept positive with sum one. A gate scores the modalities of each example and takes the softmax of the scores. Concatenation, beside them, has no weights: it writes the vectors one after the other, and a matrix reads the whole.

# %% tags=["hide-input"]
kinds = ["fixed weights", "learned weights", "softmax weights", "gate per example", "concatenation"]
fig, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
for row, kind in enumerate(["image alone", "text alone", *kinds]):
    for pixels, colour, shift in (("equal norms", "C2", -0.15), ("as in the file", "C1", 0.15)):
        seeds = runs.values("accuracy", sweep="fusions", fusion=kind, pixels=pixels)
        label = None if row else pixels
        axis.plot(seeds, np.full(len(seeds), row + shift), "o", color=colour, alpha=0.4, markersize=5, label=label)
        axis.plot(seeds.mean(), row + shift, "|", color=colour, markersize=15, markeredgewidth=3)
axis.set(yticks=range(7), yticklabels=["image alone", "text alone", *kinds], xlabel="test accuracy")
axis.invert_yaxis()
axis.legend(title="pixels", loc="center left", bbox_to_anchor=(1, 0.5))
figure(
    fig,
    "fusions",
    caption="Ten seeds (dots) and their mean (bars) for each way to fuse. With equal lengths four of them "
    "agree; the gate stays near the single modalities. In the file's scale all five fusions lose.",
    alt="Seven rows of dots. With equal norms, fixed, learned and softmax weights and concatenation cluster "
    "together at the right; the gate lies far to their left, near the two single modalities. In the file's "
    "scale all fusions lie further left.",
)

# %%
means = {kind: runs.values("accuracy", fusion=kind, **EVEN).mean() for kind in kinds}
gate_mean = means.pop("gate per example")
claim("largest difference between the means of the other four",
      max(means.values()) - min(means.values()), at_most=0.02, key="kinds-spread")
claim("lead of the lowest of them over the gate's mean",
      min(means.values()) - gate_mean, at_least=0.04, key="gate-loss")

# %% [markdown]
# The gate is a surprise. It has more parameters than the others, it sees each example, and it loses. Look at what it does:

# %%
seed_everything(0)
gate = GatedFusion(train.widths, out_dim=32, hidden_size=16)
train_and_score(even_train, even_test, gate)
gate.cpu()  # back from the GPU, if it was trained on one
inputs = {m: torch.tensor(rows).float() for m, rows in even_test.features.items()}
with torch.no_grad():
    shares = gate.gate(inputs)  # (examples, 2)
assert torch.allclose(shares.sum(dim=1), torch.ones(len(shares)))
decided = (shares.max(dim=1).values > 0.9).double().mean()
claim("share of test examples in which one modality gets over nine tenths",
      decided, at_least=0.5, key="gate-decided")

# %% [markdown]
# For most examples the gate listens to one witness and dismisses the other. Perhaps that is the reason: both witnesses are half readable, what helps is to add up the evidence, and here the gate chooses where the sum collects. Perhaps 300 pairs are too few to train a gate: the last exercise measures how far more pairs help. A gate should pay where one modality is broken and can be seen to be; this chapter returns to it.
#
# The other four can express the same functions, though how they train differs (the lower row of dots). A vector of two parts times a matrix is the sum of two products, one with the upper rows and one with the lower:
#
# $$[x_I ; x_T]\, W = x_I W_I + x_T W_T .$$
#
# Concatenation followed by a linear layer is a weighted sum whose weights are matrices. Joining two vectors makes nothing interact.

# %%
stacked = np.vstack([projections["image"], projections["text"]])  # (64 + 26, 32)
both = concatenation(features, ["image", "text"], kernel=stacked)
as_sum = weighted_sum(features, {"image": 1, "text": 1}, projections=projections)
assert np.allclose(both, as_sum, rtol=1e-12)
joined = concatenation(features, ["image", "text"])
assert joined.shape == (4, 64 + 26)  # the widths add up

# %% [markdown]
# > **Correction.** A source document ([entry C-26](../../book/corrections.md#c-26)) gives `F = [T, I, S]` as concatenation. In Python that is a list of three arrays, and a linear layer refuses it. Concatenation joins along the feature axis, and its width is the sum of the widths.
#
# ## The weights say nothing about importance
#
# Multiply a weight by ten and divide its matrix by ten: the sum stays the same. So where a matrix stands beside it, the weight of a modality can be anything but zero.

# %%
louder = {"image": 10 * weights["image"], "text": weights["text"]}
compensated = {"image": projections["image"] / 10, "text": projections["text"]}
same = weighted_sum(features, louder, projections=compensated)
assert np.allclose(same, from_package, rtol=1e-12)

reached, weight_ratios = [], []
for factor in (1, 6):  # two runs that start from the same function, written in two ways
    seed_everything(0)
    start = {"image": 0.5, "text": 0.5 * factor}
    fusion = WeightedSumFusion(train.widths, out_dim=32, weights=start)
    with torch.no_grad():
        fusion.projections["text"] /= factor
    reached.append(train_and_score(even_train, even_test, fusion)[1])
    trained_weights = numpy_arguments(fusion)["weights"]
    weight_ratios.append(trained_weights["text"] / trained_weights["image"])
claim("difference of the two runs in accuracy",
      abs(reached[1] - reached[0]), at_most=0.04, key="starts-accuracy")
claim("text weight over image weight, second run over first",
      weight_ratios[1] / weight_ratios[0], at_least=2, key="starts-ratio")

# %% [markdown]
# Perhaps the weights mean something where no matrix can hide them? Two microphones, one number each. The first hears a voice ($\pm 2$) and the noise of the room, the second hears the same noise alone (three times as strong as each microphone's own hiss). The label is what the voice says, yes or no. So the second microphone knows nothing about the label. The best weights are known: they are proportional to $S^{-1}\mu$, where $\mu$ is the mean of the two microphones when the voice says yes and $S$ is the covariance of the noise in them.

# %%
def two_microphones(voice, room):
    """Data, its best weights, and a sum of two numbers trained on it."""
    data = controlled_pairs(
        "shared_noise", 6_000, separation={"voice": voice, "room": room},
        widths={"voice": 1, "room": 1}, seed=0)
    # A width of one has the direction +1 or -1, drawn by the seed; make it +1.
    data = data.scaled({m: direction[0] for m, direction in data.directions.items()})
    room_covariance = np.eye(2) + room**2 * np.ones((2, 2))  # own hiss, shared noise
    best = np.linalg.solve(room_covariance, [voice, 0.0])

    seed_everything(0)
    fusion = WeightedSumFusion(data.widths, weights={"voice": 1.0, "room": 0.0})
    listener = FusionClassifier(fusion, classes=2)
    fit(listener, data.take(slice(2_000)), seed=0,
        epochs=40, batch_size=64, learning_rate=2e-2)
    return data, best, listener


# %%
rooms, best, listener = two_microphones(voice=2.0, room=3.0)
rooms_test = rooms.take(slice(2_000, None))
heard = accuracy(predict(listener, rooms_test), rooms_test.labels)
learned = numpy_arguments(listener.fusion)["weights"]
exact("best weight of the room over that of the voice {:.2f}",
      best[1] / best[0], key="room-weight-best")
exact("best possible with the room alone {:.3f}",
      rooms.alone["room"], key="room-alone")
exact("best possible with the voice alone {:.3f}",
      rooms.alone["voice"], key="voice-alone")
exact("best possible with both {:.3f}", rooms.bayes_accuracy, key="rooms-bayes")
claim("best possible accuracy minus that of the sum",
      rooms.bayes_accuracy - heard, at_most=0.02, key="rooms-shortfall")
claim("weight of the room over weight of the voice",
      learned["room"] / learned["voice"],
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
# To learn what a modality is worth, take it away. Train without it: that tells what the task loses. Or shuffle it among the test examples: that tells what *this model* has come to rely on. Beside them stands the additive projection, the model with every interaction averaged out: each modality's mean effect, added up.
#
# A difference of two accuracies needs an interval. The claim below takes $95\%$ intervals over test examples, by drawing the examples again and again with replacement. They are *paired*: both models answer the same drawn examples, so that what is hard for both cancels.

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
    "and the additive projection.",
    alt="Horizontal bars of test accuracy. The fused model and the additive projection are equally long and "
    "longest, the single modalities shorter, the shuffled ones shortest.",
)

# %%
shuffles = [table.accuracy(f"{m} shuffled") for m in ("image", "text")]
claim("accuracy with shuffled pictures minus accuracy with shuffled words",
      shuffles[0] - shuffles[1], at_least=0.1, key="reliance-gap")
low = min(table.interval("fused", f"{m} alone").low for m in ("image", "text"))
claim("lower of the two lower ends of fused minus a modality alone",
      low, at_least=0.05, key="fused-interval-low")

# %% [markdown]
# Alone, both are about equally good, and both weights are one half. Yet this model leans far more on the words, and no weight says so.
#
# ## What no sum can do
#
# The last bar equals the first, and not by luck. A linear head on a sum gives logits of the form $g(x_I) + h(x_T)$: the effect of changing the word is the same whatever the picture. Let the label be the product of two signs, one in each modality. Such a model gets at most three of the four combinations right. Trained by cross-entropy it does not even get those. If the four combinations are equally frequent, the slope of the loss at $g = h = 0$ is zero in every direction, and the loss is convex in $g$ and $h$: no such model gets below $\log 2$, the loss of a shrug. A ReLU between sum and head is enough to change that.

# %%
projection = additive(lambda data: predict(even_model, data), even_test)
assert np.allclose(projection, predict(even_model, even_test), atol=1e-4)


class BentClassifier(FusionClassifier):
    def forward(self, features, mask=None):
        return self.head(torch.relu(self.fusion(features, mask)))


signs = controlled_pairs("synergistic", 6_000, separation={"image": 2.0, "text": 2.0},
                         widths={"image": 8, "text": 5}, seed=0)
signs_train, signs_test = signs.take(slice(2_000)), signs.take(slice(2_000, None))
exact("product of signs: best possible {:.3f}",
      signs.bayes_accuracy, key="signs-bayes")


def signs_accuracy(kind, classifier=FusionClassifier):
    seed_everything(0)
    trained = classifier(kind(signs.widths, out_dim=32), classes=2)
    fit(trained, signs_train, seed=0, epochs=30, batch_size=64, learning_rate=1e-2)
    return accuracy(predict(trained, signs_test), signs_test.labels)


# %%
along = {m: signs_test.features[m] @ signs.directions[m] for m in signs.widths}
# Of the corners with sums 4, 0, 0, -4 only (+, +) is called yes: three are right.
three_corners = (along["image"] + along["text"] > 2) == signs_test.labels
exact("an additive rule set by hand {:.3f}",
      three_corners.mean(), key="signs-corners")
claim("accuracy of the trained sum", signs_accuracy(WeightedSumFusion),
      at_most=0.56, key="signs-sum")
claim("accuracy of the trained concatenation", signs_accuracy(ConcatenationFusion),
      at_most=0.56, key="signs-concatenation")
claim("accuracy of the sum with a ReLU before the head",
      signs_accuracy(WeightedSumFusion, BentClassifier), at_least=0.9, key="signs-relu")

# %% [markdown]
# > **Correction.** Two source documents ([entry C-33](../../book/corrections.md#c-33)) call concatenation followed by linear layers a fusion in which the modalities interact. It is the same additive function, however many linear layers follow. A nonlinearity after the fusion, a product, a gate or attention lets them interact.
#
# ## When a modality is missing
#
# The words of every second example are lost; where they stood there is NaN. A mask tells the fusion. The plain sum drops the term and gets shorter. Softmax weights are shared among those present, so they sum to one again. So with the word gone the weight of the picture goes from one half to one. What stands in the missing place has no influence, not even NaN.

# %%
seed_everything(0)
plain = WeightedSumFusion(train.widths, out_dim=32, learned=False).double()
shared = WeightedSumFusion(train.widths, out_dim=32, softmax=True).double()
shared.projections.load_state_dict(plain.projections.state_dict())  # the same matrices

four = {m: torch.tensor(rows[:4]) for m, rows in even_test.features.items()}
mask = {"text": torch.tensor([True, False, True, False])}
outputs = {}
for filling in (torch.nan, 123.0):
    four["text"][1::2] = filling
    outputs[filling] = plain(four, mask).detach(), shared(four, mask).detach()
for first, second in zip(*outputs.values(), strict=True):
    assert torch.equal(first, second)  # what stands in a missing place has no influence
ratio = outputs[123.0][1].norm(dim=1) / outputs[123.0][0].norm(dim=1)
print("length of the softmax sum / length of the plain sum:", ratio.numpy().round(3))

# %% [markdown]
# ## The same in three frameworks
#
# `WeightedSumFusion` exists for PyTorch and for Keras, with the same parameters under the same names. The same weights go in; the same numbers and the same gradients come out, and the NumPy formula agrees.

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.parity import relative_error, transfer

dims = {"image": 64, "text": 26}
in_torch = WeightedSumFusion(dims, out_dim=32).double()
in_keras = keras_fusion.WeightedSumFusion(dims, out_dim=32, dtype="float64")
transfer(in_torch, in_keras)

batch = {m: rows[:8] for m, rows in even_test.features.items()}
reference = weighted_sum(batch, **numpy_arguments(in_torch))
output = in_torch({m: torch.tensor(rows) for m, rows in batch.items()})
(output**2).sum().backward()
with tf.GradientTape() as tape:
    keras_output = in_keras({m: tf.constant(rows) for m, rows in batch.items()})
    loss = tf.reduce_sum(keras_output**2)
variables = {v.name: v.value for v in in_keras.trainable_weights}
keras_gradients = tape.gradient(loss, variables)

assert relative_error(output.detach(), reference) < 1e-10
assert relative_error(keras_output, reference) < 1e-10
for name, parameter in in_torch.named_parameters():
    assert relative_error(keras_gradients[name], parameter.grad) < 1e-10

# %% [markdown]
# ## What to keep
#
# Which one should you use? Bring each modality to one width with a matrix of its own, match the lengths, and add or concatenate: the two are the same function. Expect evidence to add up, and no interaction. A gate is no free improvement: here it chose where the sum collected. Never read a weight as importance; take the modality away and look.
#
# **Try it.** Keep the file's scale and give the words ten times the weight: train `WeightedSumFusion(train.widths, out_dim=32, weights={"image": 0.5, "text": 5.0}, learned=False)` on `file_train`. How much of the lost accuracy comes back? Turn the room's noise off with `two_microphones(voice=2.0, room=0.0)`: what happens to its weight? The [exercises](exercises.ipynb) ask you to write the sum and its gradients yourself, and to find out whether the gate catches up when it gets all training pairs that can be had with equally many of each digit, which is 1170 of 1200.
#
# **Further reading.** [Baltrušaitis et al. (2019)](../../book/bibliography.md#baltrusaitis2019) for the map of the field, [Hessel and Lee (2020)](../../book/bibliography.md#hessel2020) for the additive projection, [Haufe et al. (2014)](../../book/bibliography.md#haufe2014) for weights that mislead.

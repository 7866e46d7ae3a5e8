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
# # Gates
#
# Let each example decide how far to trust each modality, each feature or each channel, and say what a gate must be able to see for that.
#
# **Before this:** [The weighted sum](weighted_sum.ipynb), where a gate met digits and lost. The derivations are on the page [What a gate can see](../../book/fusion/gate_derivations.md).

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import norm

from mmcourse.data import PairedData, digits_with_words
from mmcourse.data import root_mean_square_norms
from mmcourse.fusion.numpy import film, gated_fusion, gated_multimodal_unit
from mmcourse.fusion.torch import FiLM, FusionClassifier, GatedFusion
from mmcourse.fusion.torch import GatedMultimodalUnit, WeightedSumFusion
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments
from mmcourse.training import accuracy, fit, predict, seed_everything

setup("fusion/gates")
runs = experiment("fusion_gates")

# %% [markdown]
# ## Two witnesses who take turns
#
# A camera and a microphone watch for the same event: yes or no. Now the light fails, now a lorry passes. So each has its own noise in each example, between quiet and sixteen times as loud, and neither is better than the other in the mean. Each gives eight numbers: a fixed direction of length two, plus for yes and minus for no, and noise on top.


# %%
def witnesses(n, seed, quiet=0.5, loud=8.0):
    """Two witnesses of one label, and the size of each one's noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    limits = np.log(quiet), np.log(loud)
    sizes = {m: np.exp(rng.uniform(*limits, size=n)) for m in ("image", "speech")}
    features = {}
    for i, witness in enumerate(sizes):
        direction = np.random.default_rng((7, i)).normal(size=8)
        direction *= 2 / np.linalg.norm(direction)
        noise = sizes[witness][:, None] * rng.normal(size=(n, 8))
        features[witness] = np.outer(2 * labels - 1, direction) + noise
    return PairedData(features, labels, ("no", "yes")), sizes


train, _ = witnesses(4000, seed=0)
test, sizes = witnesses(4000, seed=1000)

# %% [markdown]
# Suppose first that somebody knows both directions and tells how loud the noise is. Along its direction each witness says one number $t_m$, which is $\pm 2$ plus normal noise of size $\sigma_m$. The best rule weighs each number by its *precision*, $1/\sigma_m^2$, and looks at the sign of the sum. The share of right answers that this rule is expected to give is the *ceiling*: nobody does better ([derivation](../../book/fusion/gate_derivations.md#the-best-weights-are-a-softmax)). Beside the rule stand one witness by itself, and the best of many sums with fixed weights, the best for this very test.

# %%
said = {}
for i, (witness, rows) in enumerate(test.features.items()):
    direction = np.random.default_rng((7, i)).normal(size=8)
    said[witness] = rows @ (direction / np.linalg.norm(direction))

def right(total):
    return ((total > 0) == test.labels).mean()


fixed = [right(w * said["image"] + (1 - w) * said["speech"])
         for w in np.linspace(0, 1, 101)]
informed = right(sum(said[m] / sizes[m] ** 2 for m in said))
exact("one witness, the image: {:.3f}", fixed[-1], key="rule-one")
exact("the best of 101 pairs of fixed weights: {:.3f}", max(fixed), key="rule-fixed")
exact("precision weights: {:.3f}", informed, key="rule-precision")
ceiling = norm.cdf(np.sqrt(sum((2 / sizes[m]) ** 2 for m in sizes))).mean()
assert abs(informed - ceiling) < 0.02

# %% [markdown]
# Fixed weights throw away much of what there is: in each example they listen to the loud witness as closely as to the quiet one. What is right for one example is wrong for the next. The weights must depend on the example.
#
# ## A softmax that knows the noise
#
# Take one example: the camera says $+1.5$ with noise of size one, the microphone $-4$ with noise of size four. Added up, the answer is no. Divide the precisions by their sum, so that the weights sum to one:

# %%
one = {"image": 1.5, "speech": -4.0}
size = {"image": 1.0, "speech": 4.0}
precision = {m: 1 / size[m] ** 2 for m in one}
shares = {m: p / sum(precision.values()) for m, p in precision.items()}
print("weights", {m: round(a, 3) for m, a in shares.items()})
print("sum", sum(one.values()), " weighted",
      round(sum(shares[m] * one[m] for m in one), 3))
scores = np.array([-2 * np.log(size[m]) for m in one])
assert np.allclose(np.exp(scores) / np.exp(scores).sum(), list(shares.values()))

# %% [markdown]
# The last line is the point of the lesson. The precision weights are a softmax over the two witnesses of the score $s_m = -2\log\sigma_m$. A *gate* is such a softmax with a score that is computed from the features and learned. Let $x_m$ be the vector of modality $m$, one of $M$, and $P_m$ a matrix that brings it to the common width; $s_m$ is its score, $a_m$ its weight, $F$ the fused vector:
#
# $$h_m = x_m P_m , \qquad a = \operatorname{softmax}(s_1, \dots, s_M), \qquad F = \sum_m a_m h_m .$$
#
# If the score could read $-2\log\sigma_m$ out of the features, the gate would reach the ceiling: dividing all weights by their sum changes no sign.
#
# ## As it is printed
#
# A source document gives a gate in two formulas, $\alpha = \mathrm{softmax}(W_\alpha \cdot [T, I, S])$ and $F = \alpha_1 T + \alpha_2 I + \alpha_3 S$, as lines of a program in which $[T, I, S]$ is a list of three vectors. We run them, with three kinds of $W_\alpha$.


# %%
def softmax(scores, axis=None):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


text, image, sound = np.random.default_rng(0).normal(size=(3, 64))
for factor in (0.5, np.ones(3), 2):
    try:
        print(factor, "->", len(factor * [text, image, sound]), "entries, no error")
    except (TypeError, ValueError) as error:
        print(factor, "->", f"{type(error).__name__}: {error}")
repeated = 2 * [text, image, sound]
assert len(repeated) == 6
assert repeated[3] is text  # the list twice, nothing weighed
scored = np.ones(64) * np.array([text, image, sound])  # as an array: (3, 64)
for axis in (None, 1):
    alpha = softmax(scored, axis=axis)
    assert alpha.shape == (3, 64)  # a weight for each feature
    assert not np.allclose(alpha.sum(axis=0), 1)
over_features = softmax(scored, axis=1).sum(axis=0)

# %%
exact(
    "softmax over the features: the three weights of a feature sum to {:.2f} at least",
    over_features.min(),
    key="axis-least",
)
exact("and to {:.2f} at most", over_features.max(), key="axis-most")

# %% [markdown]
# A decimal number raises an error, an array of three raises another. A whole number repeats the list, and nothing says so. With an array of 64 numbers the product is defined, but then there are as many weights as features. And no axis is given: with a softmax over all numbers, or over the features, the weights of the three modalities do not sum to one. What was missing is a *score*, one number for each modality. A common one has a hidden layer, with a matrix $W$, a bias $b$ and a vector $v$ that all modalities share:
#
# $$s_m = v \cdot \tanh(h_m W + b) .$$

# %%
rng = np.random.default_rng(1)
x = {
    "text": rng.normal(size=(5, 8)),
    "image": rng.normal(size=(5, 6)),
    "sound": rng.normal(size=(5, 3)),
}
P = {m: rng.normal(size=(rows.shape[1], 4)) for m, rows in x.items()}
W, b, v = rng.normal(size=(4, 7)), rng.normal(size=7), rng.normal(size=7)

h = np.stack([x[m] @ P[m] for m in x], axis=1)  # (example, modality, 4)
s = np.tanh(h @ W + b) @ v  # (example, modality): one score each
a = softmax(s, axis=1)
F = (a[:, :, None] * h).sum(axis=1)  # (example, 4)
assert np.allclose(a.sum(axis=1), 1)

from_package, gate_weights = gated_fusion(
    x, projections=P, kernel=W, bias=b, score=v, return_weights=True
)
assert np.allclose(F, from_package, rtol=1e-12)
assert np.allclose(a, np.stack(list(gate_weights.values()), axis=1), rtol=1e-12)

# %% [markdown]
# > **Correction.** A source document ([entry C-28](../../book/corrections.md#c-28)) multiplies weights by a list ([S4-C12](../../book/corrections.md#s4-c12)), where a whole number repeats the list ([S4-C12-02](../../book/corrections.md#s4-c12-02)), uses three weights that were never assigned, and leaves out the axis of the softmax ([S4-C12-04](../../book/corrections.md#s4-c12-04)). Needed are matrices to one width, a score for each modality and a softmax over the modalities.
#
# The document calls this *attention*. It is a *gate*: each modality has one score, computed from the modality's own vector, and nobody asks a question. In *attention* a query is compared with keys, and the weights $\operatorname{softmax}(QK^\top/\sqrt d)$ mix the values of many places ([Vaswani et al., 2017](../../book/bibliography.md#vaswani2017)). Gate and attention share the softmax, and the score $v \cdot \tanh(h_m W + b)$ was invented for attention ([Bahdanau et al., 2015](../../book/bibliography.md#bahdanau2015)), with a query inside the brackets. The gate has none.
#
# ## What the score can see
#
# Now nobody tells how loud the noise is. Three fusions are trained on the same 4000 examples, from the same seed: a sum with fixed, equal weights, a gate as above, and a gate whose score is linear, $s_m = v \cdot h_m$ (`hidden_size=None`). The stored runs of five seeds hold a fourth, *softmax weights*: two learned weights that are the same for all examples.

# %%
TRAINING = {"epochs": 40, "batch_size": 64, "learning_rate": 5e-3, "weight_decay": 1e-2}


def train_on(data, fusion, training=TRAINING, seed=0):
    """Fusion and a linear head, trained together from one seed."""
    seed_everything(seed)
    fusion.reset_parameters()
    model = FusionClassifier(fusion, classes=len(data.classes))
    fit(model, data, seed=seed, **training)
    return model.cpu()


def weights_of(model, data):
    """(example, modality): the weights of a trained gate."""
    inputs = {m: torch.tensor(rows).float() for m, rows in data.features.items()}
    with torch.no_grad():
        return model.fusion.gate(inputs).double().numpy()


# %%
dims = train.widths
models = {
    "fixed weights": train_on(
        train, WeightedSumFusion(dims, out_dim=8, learned=False)),
    "linear score": train_on(train, GatedFusion(dims, out_dim=8, hidden_size=None)),
    "gate": train_on(train, GatedFusion(dims, out_dim=8, hidden_size=16)),
}

# %%
quieter = np.log(sizes["speech"] / sizes["image"])  # above 0: the image is quieter
hidden = {"sweep": "reliability", "noise": "hidden"}
ceilings = runs.values("ceiling", fusion="gate", **hidden)
for kind, model in models.items():
    live = accuracy(predict(model, test), test.labels)
    stored = runs.values("accuracy", fusion=kind, **hidden)
    claim(f"accuracy, {kind}, beside five stored runs", live,
          at_least=stored.min() - 0.01, at_most=stored.max() + 0.01,
          key=f"live-{kind.split()[0]}")
of_kind = {
    kind: runs.values("accuracy", fusion=kind, **hidden)
    for kind in ("fixed weights", "softmax weights", "linear score", "gate")
}

# %%
claim("lead of the gate over fixed weights, least of five seeds",
      (of_kind["gate"] - of_kind["fixed weights"]).min(), at_least=0.035,
      key="gate-lead")
claim("what the gate lacks to the ceiling, most of five seeds",
      (ceilings - of_kind["gate"]).max(), at_most=0.035, key="gate-gap")

# %%
for kind, key in (("softmax weights", "softmax"), ("linear score", "linear")):
    lead = np.abs(of_kind[kind] - of_kind["fixed weights"]).max()
    claim(f"largest difference of {kind} from fixed weights, five seeds", lead,
          at_most=0.01, key=f"{key}-lead")

# %% tags=["hide-input"]
def draw_weights(axis):
    edges = np.linspace(-2.5, 2.5, 11)
    middle = (edges[1:] + edges[:-1]) / 2
    for kind, colour, marker, label in (
        ("gate", "C2", "o", "tanh in the score"), ("linear score", "C1", "s", "linear score")
    ):
        weight = weights_of(models[kind], test)[:, 0]
        inside = [weight[(quieter >= low) & (quieter < high)] for low, high in pairwise(edges)]
        quartiles = np.array([np.percentile(part, (25, 50, 75)) for part in inside])
        axis.fill_between(middle, quartiles[:, 0], quartiles[:, 2], color=colour, alpha=0.2, linewidth=0)
        axis.plot(middle, quartiles[:, 1], color=colour, marker=marker, label=label)
    line = np.linspace(-2.5, 2.5, 101)
    axis.plot(line, 1 / (1 + np.exp(-2 * line)), "--", color="black", label="share of the precision")
    axis.set(xlabel="log of (noise of speech / noise of image)", ylabel="weight of the image", ylim=(-0.02, 1.02))
    axis.legend(loc="upper left", fontsize=9)


def draw_seeds(axis, rows, known):
    """A row of dots and their mean for each kind, and a band for what can be reached."""
    for row, values in enumerate(rows.values()):
        axis.plot(values, np.full(len(values), row), "o", color="C0", alpha=0.5)
        axis.plot(values.mean(), row, "|", color="C0", markersize=16, markeredgewidth=3)
    axis.axvspan(known.min(), known.max(), color="0.7", alpha=0.6, label="noise known")
    axis.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel="test accuracy", ylim=(len(rows) - 0.5, -0.5))


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.7), layout="constrained", width_ratios=(1.15, 1))
draw_weights(axes[0])
draw_seeds(axes[1], of_kind, ceilings)
axes[1].legend(loc="upper right", fontsize=9)
figure(
    fig,
    "follows",
    caption="Left: the weight that trained gates give the image (median and middle half of the test examples, one "
    "seed). The gate with a tanh in its score follows the quieter witness, nearly as the precision would have it; with "
    "a linear score the median stays at one half. Right: five seeds (dots) and their mean (bars). Of the four only the "
    "gate with a tanh comes near what somebody reaches who knows the noise (grey).",
    alt="Left, weight of the image over the log ratio of noises. One curve rises from near zero to near one along a "
    "dashed sigmoid, another stays flat at one half. Right, dots of accuracy: three rows lie together at the left, "
    "the gate lies far to the right, close to a grey band.",
)

# %% [markdown]
# Why can the linear score not do it? The logarithm of the ratio of two gate weights is the difference of their scores, $\log (a_1/a_2) = s_1 - s_2$. With a linear score this difference is linear in the features. So its mean depends on the *mean* of the features alone. Louder noise spreads the features out and leaves their mean where it was. Hence at every noise level the mean of $\log(a_1/a_2)$ is the same, however $v$ and the matrices were trained. With noise that is symmetric about zero (and labels balanced, as here) the median is the same too. A tanh bends. With a bias, two of them see the size of a number $t$: $\tanh(t - 1) + \tanh(-t - 1)$ is the same for $t$ and $-t$ and grows with $|t|$. And the mean of $|t|$ grows with the noise.

# %%
t = np.linspace(-5, 5, 101)
bent = np.tanh(t - 1) + np.tanh(-t - 1)
assert np.allclose(bent, bent[::-1])  # the same for t and -t
assert (np.diff(bent[50:]) > 0).all()  # grows with |t|
right_end, left_end = quieter > 1.5, quieter < -1.5  # one four times as loud
for kind, limits in (("linear score", {"at_least": -0.2, "at_most": 0.2}),
                     ("gate", {"at_least": 4})):
    found = weights_of(models[kind], test)
    log_ratio = np.log(found[:, 0] / found[:, 1])
    moved = log_ratio[right_end].mean() - log_ratio[left_end].mean()
    claim(f"mean log ratio of the weights, {kind}: far right minus far left", moved,
          key=f"follow-{kind.split()[0]}", **limits)

# %%
# Stored band 4 is the far right, band 0 the far left.
for kind, key, limits in (("linear score", "linear", {"at_most": 0.2}),
                          ("gate", "gate", {"at_least": 4})):
    moved = np.abs(runs.values("log_ratio_4", fusion=kind, **hidden)
                   - runs.values("log_ratio_0", fusion=kind, **hidden))
    extreme = moved.max() if kind == "linear score" else moved.min()
    which = "largest" if kind == "linear score" else "least"
    claim(f"{kind}: far right minus far left, {which} size of five seeds", extreme,
          key=f"follow-{key}-seeds", **limits)

# %% [markdown]
# The argument has one condition: the mean of the features is the same at every noise level. Where reliability moves that mean, a linear score can follow it. Two tries, stored: the noise is one-sided, only upward; or each witness has a ninth number, the logarithm of its own noise, as a microphone may report its level.

# %%
for noise, key in (("one-sided", "onesided"), ("told", "told")):
    setting = {"sweep": "reliability", "noise": noise}
    linear = runs.values("accuracy", fusion="linear score", **setting)
    moves = runs.values("log_ratio_4", fusion="linear score", **setting) - runs.values(
        "log_ratio_0", fusion="linear score", **setting
    )
    claim(f"{noise}: log ratio, far right minus far left, least of five seeds",
          moves.min(), at_least=4.0, key=f"{key}-moves")
    gain = linear - runs.values("accuracy", fusion="fixed weights", **setting)
    claim(f"{noise}: lead of the linear score over fixed weights, least of five seeds",
          gain.min(), at_least=0.03, key=f"{key}-lead")

# %% [markdown]
# ## Bend before you gate
#
# Is a gate the only way? A loud witness does harm perhaps only because its numbers are large. Bound them: $h_m = \tanh(x_m P_m)$, and add with equal weights as before. There is no gate in it. Three seeds of each:

# %%
class BoundedSum(WeightedSumFusion):
    """Equal weights, but no number above one: sum_m tanh(x_m P_m) / M."""

    def hidden(self, inputs):
        return torch.tanh(super().hidden(inputs))


bounded = []
for seed in range(3):
    heard, _ = witnesses(4000, seed=seed)
    heard_later, _ = witnesses(4000, seed=1000 + seed)
    trained = train_on(heard, BoundedSum(dims, out_dim=8, learned=False), seed=seed)
    bounded.append(accuracy(predict(trained, heard_later), heard_later.labels))
bounded = np.array(bounded)
claim("bounded sum minus fixed weights, least of three seeds",
      (bounded - of_kind["fixed weights"][:3]).min(), at_least=0.03, key="bounded-lead")
claim("gate minus bounded sum, mean of three seeds",
      (of_kind["gate"][:3] - bounded).mean(), at_least=-0.01, at_most=0.015,
      key="gate-bounded")

# %% [markdown]
# Most of the gate's lead is there without a gate. A bound makes no use of what the features tell about the noise, it only limits the damage. So whoever measures a gate should measure it against a bounded sum too.
#
# ## Digits in the dark
#
# Real pictures now: handwritten digits beside their mistyped names, as in the lesson on the weighted sum, but each picture has noise of its own size, from hardly visible to four times the range of the ink. It is added and not cut off, so it is symmetric.


# %%
def dark_digits(part, seed=0):
    """Digits and mistyped words; noise of another size in each picture."""
    data = digits_with_words(part, typo_rate=0.7, seed=seed)
    rng = np.random.default_rng([seed, part == "train"])
    noise = np.exp(rng.uniform(np.log(0.05), np.log(4), size=len(data)))
    pixels = data.features["image"] - data.features["image"].mean()
    image = pixels + noise[:, None] * rng.normal(size=pixels.shape)
    return PairedData(
        {"image": image, "text": data.features["text"]}, data.labels, data.classes
    ), noise


# %% tags=["hide-input"]
KINDS = {"text alone": ("0.35", ":", "v"), "fixed weights": ("C0", "-", "o"),
         "linear score": ("C1", "-.", "s"), "gate": ("C2", "--", "D")}


def draw_digits(axes):
    digits, noise = dark_digits("test")
    threes = np.flatnonzero(digits.labels == 3)
    threes = threes[np.argsort(noise[threes])][:: len(threes) // 5]
    for axis, row in zip(axes, threes, strict=False):
        axis.imshow(digits.features["image"][row].reshape(8, 8), cmap="gray_r", vmin=-1, vmax=1.5)
        axis.set(xticks=[], yticks=[])
        axis.set_title(f"{noise[row]:.2g}", fontsize=10)


def draw_bands(axis):
    for kind, (colour, style, marker) in KINDS.items():
        bands = np.array([runs.values(f"accuracy_{band}", sweep="digits", fusion=kind) for band in range(4)])
        axis.fill_between(range(4), bands.min(axis=1), bands.max(axis=1), color=colour, alpha=0.15, linewidth=0)
        axis.plot(range(4), bands.mean(axis=1), style, color=colour, marker=marker, label=kind)
    axis.set(xticks=range(4), xticklabels=["0.05–0.2", "0.2–0.6", "0.6–1.5", "1.5–4"], xlabel="noise of the picture")
    axis.set(ylabel="test accuracy")
    axis.legend(fontsize=9, loc="lower left")


# %% tags=["hide-input"]
fig = plt.figure(figsize=(9.5, 3.4), layout="constrained")
pictures, lines = fig.subfigures(1, 2, width_ratios=(1, 1.5))
draw_digits(pictures.subplots(1, 5))
draw_bands(lines.subplots())
figure(
    fig,
    "digits",
    caption="Left: five threes and the size of their noise. Right: accuracy by the noise of the picture, mean and "
    "range of five seeds. The sum with fixed "
    "weights starts ahead and falls far below the words alone where pictures are loudest. Both "
    "gates lose less there, and pay for it where pictures are clean.",
    alt="Five pictures of a three, from clear to invisible. Four lines over four bands of noise: words alone stay "
    "level, the sum starts highest and falls furthest, two gates start lower and fall less.",
)

# %%
def of_digits(kind, name="accuracy"):
    """Five numbers, one a seed."""
    return runs.values(name, sweep="digits", fusion=kind)


def digits_lead(first, second, name="accuracy"):
    return of_digits(first, name) - of_digits(second, name)


claim("words alone minus sum, mean of five seeds",
      digits_lead("text alone", "fixed weights").mean(),
      at_least=0.005, key="digits-sum-loss")
for kind, key in (("gate", "gate"), ("linear score", "linear")):
    claim(f"{kind} minus words alone, mean of five seeds",
          digits_lead(kind, "text alone").mean(), at_most=0.0, key=f"digits-{key}-text")
    for band, where, limits in ((3, "loudest", {"at_least": 0.02}),
                                (0, "quietest", {"at_most": -0.01})):
        lead = digits_lead(kind, "fixed weights", f"accuracy_{band}")
        claim(f"{kind} minus sum in the {where} band, mean of five seeds",
              lead.mean(), key=f"digits-{key}-{where}", **limits)
    moved = of_digits(kind, "log_ratio_3") - of_digits(kind, "log_ratio_0")
    claim(f"{kind}: log ratio, loudest minus quietest, mean of five seeds",
          moved.mean(), at_least=-1, at_most=1, key=f"digits-follow-{key}")

# %% [markdown]
# In the mean the sum is worse than the words by themselves: here a second modality does harm. Both gates repair part of that where pictures are loud, and lose where pictures are clean, and neither gets past the words. Do they *follow* the noise? They should give the image less where it is loud. But from the quietest band to the loudest the log ratio of the weights hardly moves, beside what it moved for the witnesses. So a gate that is better in loud pictures need not have looked at the noise. Perhaps 1200 pictures are too few to learn to see noise in 64 pixels. The bounded sum has nothing to learn there:

# %%
bounded_digits = []
for seed in range(3):
    (dark, _), (dark_test, _) = (dark_digits(part, seed) for part in ("train", "test"))
    norms = root_mean_square_norms(dark)
    factors = {"image": norms["text"] / norms["image"]}  # equal lengths
    trained = train_on(
        dark.scaled(factors), BoundedSum(dark.widths, out_dim=32, learned=False),
        {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
        seed)
    logits = predict(trained, dark_test.scaled(factors))
    bounded_digits.append(accuracy(logits, dark_test.labels))
bounded_digits = np.array(bounded_digits)
for kind, key in (("gate", "gate"), ("text alone", "text")):
    claim(f"bounded sum minus {kind} on the digits, mean of three seeds",
          (bounded_digits - of_digits(kind)[:3]).mean(),
          at_least=0.005, key=f"digits-bounded-{key}")

# %% [markdown]
# It is ahead of the gate, and of the words by themselves.
#
# ## A gate for each feature
#
# A softmax gate has one weight for a whole modality. But a camera may be blinded on its left half only. The *gated multimodal unit* ([Arevalo et al., 2017](../../book/bibliography.md#arevalo2017)) has a gate for each feature of each modality, and each gate looks at all modalities. Write $[x_1, \dots, x_M]$ for all vectors side by side, $G_m$ and $b_m$ for a matrix and a bias from there to the width of $F$, and $\operatorname{sigmoid}(l)$ for $1 / (1 + e^{-l})$:
#
# $$h_m = \tanh(x_m P_m), \qquad z_m = \operatorname{sigmoid}\big([x_1, \dots, x_M]\, G_m + b_m\big), \qquad F = \sum_m z_m \odot h_m .$$
#
# The sign $\odot$ multiplies feature by feature. The original has no $b_m$. For two modalities its authors use one gate only, the *bimodal* unit, $F = z \odot h_1 + (1 - z) \odot h_2$. Since $1 - \operatorname{sigmoid}(l) = \operatorname{sigmoid}(-l)$, that is the same formula with $G_2 = -G_1$. It is also a softmax over the two modalities, feature by feature, and so it is written in the package: `softmax=True`.


# %%
def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


joined = np.concatenate(list(x.values()), axis=1)  # (5, 8 + 6 + 3)
G = {m: rng.normal(size=(joined.shape[1], 4)) for m in x}
B = {m: rng.normal(size=4) for m in x}
z = {m: sigmoid(joined @ G[m] + B[m]) for m in x}  # (5, 4) each
by_hand = sum(z[m] * np.tanh(x[m] @ P[m]) for m in x)
unit = gated_multimodal_unit(x, list(x), projections=P, kernels=G, biases=B)
assert np.allclose(by_hand, unit, rtol=1e-12)

pair = {m: x[m] for m in ("text", "image")}  # one gate for two
beside = np.concatenate(list(pair.values()), axis=1)
one_gate = sigmoid(beside @ G["text"][:14])
bounded_pair = {m: np.tanh(pair[m] @ P[m]) for m in pair}
bimodal = one_gate * bounded_pair["text"] + (1 - one_gate) * bounded_pair["image"]
opposite = {"text": G["text"][:14], "image": -G["text"][:14]}
zero = {m: np.zeros(4) for m in pair}
two_matrices = {m: P[m] for m in pair}
with_opposite = gated_multimodal_unit(
    pair, list(pair), projections=two_matrices, kernels=opposite, biases=zero
)
assert np.allclose(bimodal, with_opposite)

# %% [markdown]
# When does it pay? Two witnesses now answer two questions at once, with four numbers each for the first question and four for the second. In one world the noise is drawn for the witness, in the other for each block of four, so that a witness can be good on one question and bad on the other. Each witness tells the sizes of its noise, so that a linear score can see them: the score of the softmax gate is linear, and so is what stands inside the sigmoid.
#
# From the softmax gate to the bimodal unit there are three steps, and the stored runs take one at a time: bound the vectors, $F = \sum_m a_m \tanh(x_m P_m)$; let the score see all modalities; give each feature a weight of its own. Before you look: which step helps where each block has a noise of its own?


# %%
def of_features(noise, fusion, name="accuracy"):
    return runs.values(name, sweep="features", noise=noise, fusion=fusion)


STEPS = {  # what changes: (before, after)
    "bound the vectors": ("linear score", "bounded gate"),
    "see all modalities": ("bounded gate", "bounded gate that sees all"),
    "a weight for each feature": ("bounded gate that sees all", "bimodal unit"),
}
EXPECTED = {
    "by block": ((0.01, 0.03), (-0.01, 0.005), (-0.005, 0.01)),
    "by witness": ((-0.01, 0.0), (-0.005, 0.005), (-0.02, -0.005)),
}
for noise, bounds in EXPECTED.items():
    for (step, (before, after)), (low, high) in zip(STEPS.items(), bounds, strict=True):
        gain = of_features(noise, after) - of_features(noise, before)
        claim(f"noise {noise}: {step}, gain in the mean of five seeds", gain.mean(),
              at_least=low, at_most=high, key=f"step-{noise}-{step}".replace(" ", "-"))

# %%
for noise, limits in (("by block", {"at_least": -0.005, "at_most": 0.005}),
                      ("by witness", {"at_most": -0.005})):
    key = noise.replace(" ", "-")
    if noise == "by block":
        lead = of_features(noise, "bimodal unit") - of_features(noise, "linear score")
        claim(f"noise {noise}: bimodal unit minus softmax gate, mean of five seeds",
              lead.mean(), at_least=0.01, key=f"unit-{key}")
    lead = of_features(noise, "bimodal unit") - of_features(noise, "bounded gate")
    claim(f"noise {noise}: bimodal unit minus bounded gate, mean of five seeds",
          lead.mean(), key=f"unit-bounded-gate-{key}", **limits)
    for better, worse, least in (("bounded sum", "fixed weights", 0.05),
                                 ("bounded gate", "bounded sum", 0.005),
                                 ("unit", "fixed weights", 0.05)):
        lead = of_features(noise, better) - of_features(noise, worse)
        claim(f"noise {noise}: {better} minus {worse}, least of five seeds", lead.min(),
              at_least=least, key=f"{better}-gain-{key}".replace(" ", "-"))

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.4), sharex=True, sharey=True, layout="constrained")
shown = {"fixed weights": "fixed weights", "bounded sum": "bounded sum", "linear score": "gate for a witness",
         "bounded gate": "… bounded", "bounded gate that sees all": "… bounded, sees all",
         "bimodal unit": "gates for features, tied", "unit": "gates for features, free"}
for axis, noise in zip(axes, ("by witness", "by block"), strict=True):
    rows = {label: of_features(noise, fusion) for fusion, label in shown.items()}
    draw_seeds(axis, rows, of_features(noise, "unit", "ceiling"))
    axis.set(title=f"noise drawn {noise}", xlabel="test accuracy, both questions right")
figure(
    fig,
    "units",
    caption="Five seeds (dots), their mean (bars) and what the best rule reaches that knows directions and noise "
    "(grey). Left, a witness is good or bad as a whole; right, block by block. From the third row to the sixth one "
    "thing changes at a time; “tied” is the bimodal unit.",
    alt="Two panels with seven rows of dots; fixed weights lie far left in both. Left, the gate for a witness lies "
    "furthest right, bounded ones close to it, gates for features a little behind. Right, the gate for a witness lies "
    "behind the bounded sum, and bounded gates and gates for features lie together, ahead of both.",
)

# %% [markdown]
# Where noise is drawn for each block, the unit is ahead of the softmax gate, and one would thank its gates for features. The steps say otherwise. The gain comes with the bound (on the left it gains nothing). A gate with one weight for a whole witness and bounded vectors does as well as the unit, and is ahead of it where a witness is good or bad as a whole; perhaps because gates for features have more to learn there and nothing to gain. With free gates the unit is much like the tied one. And the bounded sum, without a gate, is far ahead of fixed weights again; the bounded gate, which looks at the noise as well, is ahead of both.
#
# Inside the sigmoid stands a linear function of the features. So what was said about a linear score holds for each logit of this unit: where noise is symmetric and nothing tells its size, the mean logit is the same at every level of noise. In the first world, where the noise is hidden, the unit is ahead of fixed weights all the same. A sum with the same bound and no gate is about as good:

# %%
unit_hidden = runs.values("accuracy", fusion="unit", **hidden)
claim("noise hidden: unit minus fixed weights, least of five seeds",
      (unit_hidden - of_kind["fixed weights"]).min(), at_least=0.025, key="unit-hidden")
claim("noise hidden: unit minus bounded sum, mean of three seeds",
      (unit_hidden[:3] - bounded).mean(), at_least=-0.02, at_most=0.01,
      key="unit-bounded")

# %% [markdown]
# ## A condition that scales and shifts: FiLM
#
# So far the modalities were equals. Often they are not: a question asks, a picture is asked. *Feature-wise linear modulation*, FiLM ([Perez et al., 2018](../../book/bibliography.md#perez2018)), lets the vector $c$ of the question scale and shift each channel of the picture's feature map $x$. With two matrices $K$ and two biases $b$:
#
# $$y = \gamma(c) \odot x + \beta(c), \qquad \gamma(c) = 1 + c\,K_\gamma + b_\gamma, \qquad \beta(c) = c\,K_\beta + b_\beta .$$
#
# All places of a channel share one $\gamma$ and one $\beta$. With $K$ and $b$ zero at the start nothing is changed. A channel times zero is switched off; a channel shifted far down is switched off by the ReLU that follows. Three channels, two places, a question with two words:

# %%
maps = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])[..., None]  # (1, 3, 2, 1)
question = np.array([[1.0, 0.0]])  # the first of two words
scale_kernel = np.array([[-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
shift_kernel = np.array([[0.0, -9.0, 0.0], [0.0, 0.0, 0.0]])
scale = 1 + question @ scale_kernel  # (1, 3): one number for each channel
shift = question @ shift_kernel
modulated = scale[..., None, None] * maps + shift[..., None, None]
modulation = {
    "scale_kernel": scale_kernel,
    "scale_bias": np.zeros(3),
    "shift_kernel": shift_kernel,
    "shift_bias": np.zeros(3),
}
assert np.allclose(modulated, film(maps, question, **modulation), rtol=1e-12)
print(modulated[0, :, :, 0])
print(np.maximum(modulated, 0)[0, :, :, 0])

# %% [markdown]
# The first channel is multiplied by zero, the second is shifted below zero, the third is doubled. $\gamma(c) \odot x$ multiplies question by picture, so FiLM is one of the products of the lesson [Multiplying features](multiplicative.ipynb), and not the only way to let them interact. In the stored experiment (`experiments/fusion_gates.py`) two convolutions read pictures of one object, and ten questions are asked, *is it red?*, *is it a circle?*, with yes and no equally often. The question comes in by FiLM, before the last ReLU of the convolutions and with one hidden layer behind them; or it is joined to what the picture gives, before the same hidden layer or straight before a linear head.

# %%
readers = {
    kind: runs.values("accuracy", sweep="questions", reader=kind)
    for kind in ("question alone", "picture alone", "joined",
                 "joined, hidden layer", "FiLM")
}
for kind, key in (("question alone", "question"), ("picture alone", "picture"),
                  ("joined", "joined")):
    claim(f"{kind}, most of three seeds", readers[kind].max(), at_most=0.6,
          key=f"asked-{key}")
claim("FiLM, least of three seeds", readers["FiLM"].min(), at_least=0.75,
      key="asked-film")
claim("FiLM minus joined with a hidden layer, mean of three seeds",
      (readers["FiLM"] - readers["joined, hidden layer"]).mean(), at_least=-0.01,
      at_most=0.06, key="film-hidden")
claim("best of three with a hidden layer minus least of three with FiLM",
      readers["joined, hidden layer"].max() - readers["FiLM"].min(), at_least=0.03,
      key="film-overlap")

# %% [markdown]
# The question alone and the picture alone are at chance, for yes and no are equally frequent. Joined before a linear head they stay near it: each logit is a term of the picture plus a term of the question, and *red, and asked for red* is no such sum. FiLM answers most questions. But so does the joined vector with one hidden layer; FiLM is a little ahead in the mean, and with three seeds the two overlap. What was needed is an interaction. FiLM is one that costs few parameters and leaves the map a map, so that it can stand after every convolution of a deep network, as it does in Perez et al. (2018).
#
# ## A weight is not importance
#
# The gate of the witnesses gives the image a large weight where the image is quiet. Is the weight of a gate, at last, importance? Add the logarithm of a number $k$ to the image's score in every example and divide the image's vectors by $k$. Then $F$ is multiplied by a positive number, another one in each example, and a linear head without a constant gives the same answers.

# %%
model = models["gate"]
yes_or_no = (model.head.weight[1] - model.head.weight[0]).detach().double().numpy()
matrices = numpy_arguments(model.fusion)["projections"]
vectors_of = np.stack(
    [rows @ matrices[m].astype(float) for m, rows in test.features.items()], axis=1
)
trained_weights = weights_of(model, test)  # (example, modality)
answers = np.einsum("nm,nmd,d->n", trained_weights, vectors_of, yes_or_no) > 0
means = []
for k in (0.01, 1.0, 100.0):
    factors = np.array([k, 1.0])
    shifted = trained_weights * factors  # the score of the image plus log k
    shifted /= shifted.sum(axis=1, keepdims=True)
    smaller = vectors_of / factors[:, None]
    same = np.einsum("nm,nmd,d->n", shifted, smaller, yes_or_no) > 0
    assert (same == answers).all()
    means.append(shifted[:, 0].mean())
claim("mean weight of the image with k = 0.01", means[0], at_most=0.2, key="story-low")
claim("mean weight of the image with k = 100", means[2], at_least=0.8, key="story-high")

# %% [markdown]
# The same answers on every example, and any story about the image that one likes. A second case comes from training. One witness, the image, stands beside a *static* modality: eight small random numbers that know nothing.


# %%
def with_static(n, seed):
    """The image witness beside numbers that know nothing."""
    data, _ = witnesses(n, seed)
    static = 0.05 * np.random.default_rng([seed, 5]).normal(size=(n, 8))
    features = {"image": data.features["image"], "static": static}
    return PairedData(features, data.labels, data.classes)

# %%
alone, alone_test = with_static(4000, seed=0), with_static(4000, seed=1000)
listener = train_on(alone, GatedFusion(alone.widths, out_dim=8, hidden_size=16))
given = weights_of(listener, alone_test)[:, 1]
kept = accuracy(predict(listener, alone_test), alone_test.labels)
without = {
    m: accuracy(predict(listener, alone_test.shuffled(m, seed=0)), alone_test.labels)
    for m in alone_test.features
}
claim("mean weight of the static", given.mean(), at_least=0.7, key="static-weight")
claim("accuracy lost when the static is shuffled", kept - without["static"],
      at_most=0.01, key="static-loss")
claim("accuracy lost when the images are shuffled", kept - without["image"],
      at_least=0.25, key="picture-loss")

# %% [markdown]
# Most of the weight goes to a modality that knows nothing, and shuffling it costs nothing. A loud image should count little; weights sum to one, so what is taken from the image must be given away. Here a weight on the static means *less of the image*. For the weights of attention [Jain and Wallace (2019)](../../book/bibliography.md#jain2019) found much the same in text classifiers: very different weights, the same answers. What a modality is worth is measured by taking it away.
#
# ## When something is missing
#
# A missing modality leaves the softmax, and the weights of the others sum to one. In the gated unit its columns, its $h$ and its $z$ are zero. Where the condition of FiLM is missing, the features pass unchanged.

# %%
three = {m: rows.copy() for m, rows in x.items()}
three["image"][:2] = np.nan
mask = {"image": np.array([False, False, True, True, True])}
_, shared = gated_fusion(
    three, projections=P, kernel=W, bias=b, score=v, mask=mask, return_weights=True
)
assert np.allclose(sum(shared.values()), 1)
assert (shared["image"][:2] == 0).all()
_, open_gates = gated_multimodal_unit(
    three, list(x), projections=P, kernels=G, biases=B, mask=mask, return_gates=True
)
assert (open_gates["image"][:2] == 0).all()
nobody_asks = np.zeros(1, bool)
unasked = film(maps, np.nan * question, **modulation, condition_mask=nobody_asks)
assert (unasked == maps).all()

# %% [markdown]
# ## The same in three frameworks

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.parity import relative_error, transfer

widths = {m: rows.shape[1] for m, rows in x.items()}
vectors, conditions = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
cases = {
    gated_fusion: (
        GatedFusion(widths, out_dim=4, hidden_size=7),
        keras_fusion.GatedFusion(widths, out_dim=4, hidden_size=7, dtype="float64"),
    ),
    gated_multimodal_unit: (
        GatedMultimodalUnit(widths, out_dim=4),
        keras_fusion.GatedMultimodalUnit(widths, out_dim=4, dtype="float64"),
    ),
    film: (
        FiLM(3, condition_dim=2),
        keras_fusion.FiLM(3, condition_dim=2, dtype="float64"),
    ),
}

# %%
for formula, (in_torch, in_keras) in cases.items():
    drawn = {n: rng.normal(size=p.shape) for n, p in in_torch.named_parameters()}
    transfer(drawn, in_torch.double())
    transfer(in_torch, in_keras)
    given_inputs = (vectors, conditions) if formula is film else (x,)
    order = (list(x),) if formula is gated_multimodal_unit else ()

    def convert(array, make):
        return {m: make(r) for m, r in array.items()} if array is x else make(array)

    output = in_torch(*(convert(array, torch.tensor) for array in given_inputs))
    (output**2).sum().backward()
    with tf.GradientTape() as tape:
        keras_output = in_keras(*(convert(a, tf.constant) for a in given_inputs))
        loss = tf.reduce_sum(keras_output**2)
    variables = {w.name: w.value for w in in_keras.trainable_weights}
    gradients = tape.gradient(loss, variables)
    reference = formula(*given_inputs, *order, **numpy_arguments(in_torch))
    for result in (output.detach(), keras_output):
        assert relative_error(result, reference) < 1e-10
    for name, parameter in in_torch.named_parameters():
        assert relative_error(gradients[name], parameter.grad) < 1e-10

# %% [markdown]
# ## What this does not show
#
# The witnesses were made so that the noise differs from example to example by much, and 4000 examples with eight numbers are enough to learn to see it. On the digits, with 1200 pictures of 64 numbers, no gate learned to follow the noise. With more examples gates for features might earn their numbers. One architecture and one recipe of training were tried each; a search might find better ones, for the gates and for what they are compared with.
#
# ## What to keep
#
# Fixed weights cannot follow a reliability that changes from example to example; a softmax over modalities with a score for each can. It follows only what its score can see: a linear score sees the mean of the features, not their spread. If you can measure how reliable a signal is, hand that to the gate as a feature. A bounded sum gets far without any gate: try it first, and bound the vectors of a gate as well. A gate for each feature must then show what it adds; here it added nothing to a bounded gate. FiLM is for the case in which one input asks and the other is asked. And read no weight as importance.
#
# **Try it.** Make the noise the same in all examples, `same, _ = witnesses(4000, seed=0, quiet=2.0, loud=2.0)`, and train a gate on it, `even = train_on(same, GatedFusion(dims, out_dim=8, hidden_size=16))`: how far do `weights_of(even, same)` still move? Take the gate's hidden layer away in the static example, `train_on(alone, GatedFusion(alone.widths, out_dim=8, hidden_size=None))`: how much weight does the static get now? The [exercises](exercises.ipynb) ask you for a gate with a mask, and for FiLM.
#
# **Further reading.** [Arevalo et al. (2017)](../../book/bibliography.md#arevalo2017) for the gated unit on film posters and plots, [Perez et al. (2018)](../../book/bibliography.md#perez2018) for FiLM on questions about scenes, [Jayakumar et al. (2020)](../../book/bibliography.md#jayakumar2020) for what products add to a network.

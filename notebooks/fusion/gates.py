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
import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import norm

from mmcourse.data import PairedData, digits_with_words, scenes
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
    features, sizes = {}, {}
    for i, witness in enumerate(("image", "speech")):
        direction = np.random.default_rng((7, i)).normal(size=8)
        direction *= 2 / np.linalg.norm(direction)
        sizes[witness] = np.exp(rng.uniform(np.log(quiet), np.log(loud), size=n))
        noise = sizes[witness][:, None] * rng.normal(size=(n, 8))
        features[witness] = np.outer(2 * labels - 1, direction) + noise
    return PairedData(features, labels, ("no", "yes")), sizes


train, _ = witnesses(4000, seed=0)
test, sizes = witnesses(4000, seed=1000)

# %% [markdown]
# Suppose first that somebody knows both directions and tells how loud the noise is. Along its direction each witness says one number $t_m$, which is $\pm 2$ plus normal noise of size $\sigma_m$. The best rule weighs each by its *precision*, $1/\sigma_m^2$, and looks at the sign of the sum. Beside it stand the best that one witness can do, and the sum with fixed weights. By symmetry its best weights are equal.

# %%
said = {}
for i, (witness, rows) in enumerate(test.features.items()):
    direction = np.random.default_rng((7, i)).normal(size=8)
    said[witness] = rows @ (direction / np.linalg.norm(direction))
rules = {
    "one witness": said["image"],
    "equal weights": said["image"] + said["speech"],
    "precision weights": sum(said[m] / sizes[m] ** 2 for m in said),
}
right = {name: accuracy(total > 0, test.labels) if False else
         ((total > 0) == test.labels).mean() for name, total in rules.items()}
for name, key in zip(right, ("one", "equal", "precision"), strict=True):
    exact(f"{name}: {{:.3f}}", right[name], key=f"rule-{key}")
ceiling = norm.cdf(np.sqrt(sum((2 / sizes[m]) ** 2 for m in sizes))).mean()
assert abs(right["precision weights"] - ceiling) < 0.02  # its expected value

# %% [markdown]
# Fixed weights throw away much of what there is: in each example they listen to the loud witness as closely as to the quiet one. No choice of fixed weights mends that, for what is right for one example is wrong for the next. The weights must depend on the example.
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
print("sum", sum(one.values()), " weighted", round(sum(shares[m] * one[m] for m in one), 3))
scores = np.array([-2 * np.log(size[m]) for m in one])
assert np.allclose(np.exp(scores) / np.exp(scores).sum(), list(shares.values()))

# %% [markdown]
# The last line is the point of the lesson. The precision weights are a softmax over the two witnesses of the score $s_m = -2\log\sigma_m$. A *gate* is such a softmax with a score that is computed from the features and learned:
#
# $$a = \operatorname{softmax}(s_1, \dots, s_M), \qquad F = \sum_m a_m h_m , \qquad h_m = x_m P_m .$$
#
# If the score could read $-2\log\sigma_m$ out of the features, the gate would reach the ceiling. Dividing by the sum of the weights changes no sign.
#
# ## As it is printed
#
# A source document writes a gate in two lines, `α = softmax(Wα * [T, I, S])` and `F = α1*T + α2*I + α3*S`. We run it, with three vectors and three kinds of `Wα`.

# %%
def softmax(scores, axis=None):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


T, I, S = np.random.default_rng(0).normal(size=(3, 64))
for W in (0.5, np.ones(3), 2):
    try:
        print(repr(W), "->", len(W * [T, I, S]), "entries, no error")
    except (TypeError, ValueError) as error:
        print(repr(W), "->", f"{type(error).__name__}: {error}")
repeated = 2 * [T, I, S]
assert len(repeated) == 6
assert repeated[3] is T  # the list twice, nothing weighed
scored = np.ones(64) * np.array([T, I, S])  # as an array: (3, 64)
for axis in (None, 1):
    alpha = softmax(scored, axis=axis)
    assert alpha.shape == (3, 64)  # a weight for each feature
    assert not np.allclose(alpha.sum(axis=0), 1)
over_features = softmax(scored, axis=1).sum(axis=0)

# %%
exact("softmax over the features: the three weights of a feature sum to {:.2f} "
      "at least", over_features.min(), key="axis-least")
exact("and to {:.2f} at most", over_features.max(), key="axis-most")

# %% [markdown]
# A number with a point raises an error, an array of three raises another. A whole number repeats the list, and nothing says so. With an array of 64 numbers the product is defined, but then there are as many weights as features. And an axis is not given: taken over all numbers, or over the features, the weights of the three modalities do not sum to one. What was missing is a *score*, one number for each modality.

# %%
rng = np.random.default_rng(1)
x = {"text": rng.normal(size=(5, 8)), "image": rng.normal(size=(5, 6)),
     "sound": rng.normal(size=(5, 3))}
P = {m: rng.normal(size=(rows.shape[1], 4)) for m, rows in x.items()}
W, b, v = rng.normal(size=(4, 7)), rng.normal(size=7), rng.normal(size=7)

h = np.stack([x[m] @ P[m] for m in x], axis=1)  # (example, modality, 4)
s = np.tanh(h @ W + b) @ v  # (example, modality): one score each
a = softmax(s, axis=1)
F = (a[:, :, None] * h).sum(axis=1)  # (example, 4)
assert np.allclose(a.sum(axis=1), 1)

from_package, gate_weights = gated_fusion(
    x, projections=P, kernel=W, bias=b, score=v, return_weights=True)
assert np.allclose(F, from_package, rtol=1e-12)
assert np.allclose(a, np.stack(list(gate_weights.values()), axis=1), rtol=1e-12)

# %% [markdown]
# > **Correction.** A source document ([entry C-28](../../book/corrections.md#c-28)) multiplies weights by a list ([S4-C12](../../book/corrections.md#s4-c12)), where a whole number repeats the list ([S4-C12-02](../../book/corrections.md#s4-c12-02)), uses three weights that were never assigned, and leaves out the axis of the softmax ([S4-C12-04](../../book/corrections.md#s4-c12-04)). Needed are matrices to one width, a score for each modality and a softmax over the modalities.
#
# The document calls this *attention*. It is a *gate*: each modality has one weight, computed from the modality's own vector, and nobody asks a question. In *attention* a query is compared with keys, and the weights $\operatorname{softmax}(QK^\top/\sqrt d)$ mix the values of many places ([Vaswani et al., 2017](../../book/bibliography.md#vaswani2017)). The two share the softmax, and the score $v \cdot \tanh(hW + b)$ was invented for attention ([Bahdanau et al., 2015](../../book/bibliography.md#bahdanau2015)), with a query inside the brackets. Here there is none.
#
# ## What the score can see
#
# Now nobody tells how loud the noise is. Three fusions are trained on the same 4000 examples, from the same seed: the sum, a gate as above, and a gate whose score is linear, $s_m = v \cdot h_m$ (`hidden_size=None`).

# %%
TRAINING = {"epochs": 40, "batch_size": 64,
            "learning_rate": 5e-3, "weight_decay": 1e-2}


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


dims = train.widths
models = {
    "sum": train_on(train, WeightedSumFusion(dims, out_dim=8, learned=False)),
    "linear": train_on(train, GatedFusion(dims, out_dim=8, hidden_size=None)),
    "gate": train_on(train, GatedFusion(dims, out_dim=8, hidden_size=16)),
}

# %%
quieter = np.log(sizes["speech"] / sizes["image"])  # above 0: the image is quieter
NAMES = {"fixed weights": "sum", "linear score": "linear", "gate": "gate"}
hidden = {"sweep": "reliability", "noise": "hidden"}
ceilings = runs.values("ceiling", fusion="gate", **hidden)
for kind, key in NAMES.items():
    live = accuracy(predict(models[key], test), test.labels)
    stored = runs.values("accuracy", fusion=kind, **hidden)
    claim(f"accuracy, {kind}, beside five stored runs", live,
          at_least=stored.min() - 0.01, at_most=stored.max() + 0.01, key=f"live-{key}")
of_kind = {kind: runs.values("accuracy", fusion=kind, **hidden)
           for kind in ("fixed weights", "softmax weights", "linear score", "gate")}
claim("lead of the gate over fixed weights, least of five seeds",
      (of_kind["gate"] - of_kind["fixed weights"]).min(), at_least=0.03, key="gate-lead")
claim("what the gate lacks to the ceiling, most of five seeds",
      (ceilings - of_kind["gate"]).max(), at_most=0.035, key="gate-gap")
for kind, key in (("softmax weights", "softmax"), ("linear score", "linear")):
    lead = np.abs(of_kind[kind] - of_kind["fixed weights"]).max()
    claim(f"{kind} differ from fixed weights, at most of five seeds",
          lead, at_most=0.015, key=f"{key}-lead")

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.7), layout="constrained", width_ratios=(1.15, 1))
edges = np.linspace(-2.5, 2.5, 11)
for key, colour, marker, label in (("gate", "C2", "o", "tanh in the score"), ("linear", "C1", "s", "linear score")):
    weight = weights_of(models[key], test)[:, 0]
    inside = [weight[(quieter >= low) & (quieter < high)] for low, high in zip(edges, edges[1:], strict=False)]
    quartiles = np.array([np.percentile(part, (25, 50, 75)) for part in inside])
    middle = (edges[1:] + edges[:-1]) / 2
    axes[0].fill_between(middle, quartiles[:, 0], quartiles[:, 2], color=colour, alpha=0.2, linewidth=0)
    axes[0].plot(middle, quartiles[:, 1], color=colour, marker=marker, label=label)
line = np.linspace(-2.5, 2.5, 101)
axes[0].plot(line, 1 / (1 + np.exp(-2 * line)), "--", color="black", label="share of the precision")
axes[0].set(xlabel="log of (noise of speech / noise of image)", ylabel="weight of the image", ylim=(-0.02, 1.02))
axes[0].legend(loc="upper left", fontsize=9)
for row, (kind, values) in enumerate(of_kind.items()):
    axes[1].plot(values, np.full(5, row), "o", color="C0", alpha=0.5)
    axes[1].plot(values.mean(), row, "|", color="C0", markersize=16, markeredgewidth=3)
axes[1].axvspan(ceilings.min(), ceilings.max(), color="0.7", alpha=0.6, label="noise known")
axes[1].set(yticks=range(4), yticklabels=list(of_kind), xlabel="test accuracy", ylim=(3.5, -0.5))
axes[1].legend(loc="upper right", fontsize=9)
figure(
    fig,
    "follows",
    caption="Left: the weight that trained gates give the image (median and middle half of the test examples, one "
    "seed). The gate with a tanh in its score follows the quieter witness, nearly as the precision would have it; with "
    "a linear score the median stays at one half. Right: five seeds (dots) and their mean (bars). Only the former "
    "comes near what somebody reaches who knows the noise.",
    alt="Left, weight of the image over the log ratio of noises. One curve rises from near zero to near one along a "
    "dashed sigmoid, another stays flat at one half. Right, dots of accuracy: three rows lie together at the left, "
    "the gate lies far to the right, close to a grey band.",
)

# %% [markdown]
# Why can the linear score not do it? The logarithm of the ratio of two gate weights is the difference of their scores, $\log (a_1/a_2) = s_1 - s_2$. With a linear score this difference is linear in the features. So its mean depends on the *mean* of the features alone. Louder noise spreads the features out and leaves their mean where it was. Hence at every noise level the mean of $\log(a_1/a_2)$ is the same, however $v$ and the matrices were trained. With noise that is symmetric about zero (and labels balanced, as here) the median is the same too. A tanh bends: a pair of them, one turned round, answers to $|x|$, and the mean of $|x|$ grows with the noise.

# %%
far = quieter > 1.5  # speech more than four times as loud
near = quieter < -1.5
for key, limits in (("linear", {"at_least": -0.4, "at_most": 0.4}), ("gate", {"at_least": 2.5})):
    a = weights_of(models[key], test)
    log_ratio = np.log(a[:, 0] / a[:, 1])
    claim(f"mean log ratio of the weights, {key}: far right minus far left",
          log_ratio[far].mean() - log_ratio[near].mean(), key=f"follow-{key}", **limits)

# %% [markdown]
# The condition is exact, so the exceptions are too. A linear score follows reliability where reliability moves the mean of the features. In one sweep the noise is one-sided, only upward. In another each witness has a ninth number, the logarithm of its own noise, as a microphone may report its level.

# %%
for noise, key in (("one-sided", "onesided"), ("told", "told")):
    setting = {"sweep": "reliability", "noise": noise}
    linear = runs.values("accuracy", fusion="linear score", **setting)
    moves = (runs.values("log_ratio_4", fusion="linear score", **setting)
             - runs.values("log_ratio_0", fusion="linear score", **setting))
    claim(f"{noise}: log ratio, far right minus far left, least of five seeds",
          moves.min(), at_least=1.0, key=f"{key}-moves")
    gain = linear - runs.values("accuracy", fusion="fixed weights", **setting)
    claim(f"{noise}: lead of the linear score over fixed weights, least of five seeds",
          gain.min(), at_least=0.03, key=f"{key}-lead")

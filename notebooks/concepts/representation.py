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
# # Representation: what two modalities tell together
#
# Say, for a pair of modalities and a question, whether the second repeats the first, adds to it or only makes sense together with it, and test it.
#
# **Before this:** [A first model](first_model.ipynb): how a classifier is trained, what a test part is, and the baselines of a multimodal result: each modality alone, and the additive model, a sum of one term a modality.

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

from mmcourse.data import WordTokens, controlled_pairs, digits_with_words
from mmcourse.data import scenes, vocabulary
from mmcourse.encoders.torch import MeanOfWords, WordTransformer
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.training import baselines, fit, seed_everything

setup("concepts/representation")

# %% [markdown]
# ## Two useless modalities
#
# A message has a picture, pleasant or not, and a text, kind or not. Is it sincere? It is if picture and text agree, and ironic if not. Somebody trains a model on the pictures alone, and it is at chance. A model on the texts alone is at chance too. *Neither holds any information*, he says, and gives up.
#
# We make such messages as vectors. Along one direction of the picture vector lies a sign, pleasant or not, and along one of the text vector another sign. All the rest is noise. The label is the product of the two signs: the exclusive or, XOR. Since we made the data, we know what the best possible rule reaches.

# %%
TRAINING = {"epochs": 30, "batch_size": 64,
            "learning_rate": 5e-3, "weight_decay": 1e-2}
DIALS = {"redundant": (1.0, 1.0), "unique": (1.5, 1.5),
         "shared_noise": (2.0, 3.0), "synergistic": (3.0, 3.0)}  # image, text


def pairs_of(kind, train=1000, test=2000, seed=0):
    """A training part and a test part of one kind of world."""
    image, text = DIALS[kind]
    data = controlled_pairs(
        kind, train + test, separation={"image": image, "text": text},
        widths={"image": 8, "text": 8}, seed=seed)
    return data.take(slice(train)), data.take(slice(train, None))


class BentConcatenation(ConcatenationFusion):
    """Vectors side by side, a matrix, and a bend: relu([x, t] W + b)."""

    def forward(self, features, mask=None):
        return torch.relu(super().forward(features, mask))


def build(widths):
    return FusionClassifier(BentConcatenation(widths, out_dim=32), classes=2)


# %%
train, test = pairs_of("synergistic")
table = baselines(build, train, test, seed=0, progress=False, **TRAINING)
exact("the best possible rule reaches {:.4f}", test.bayes_accuracy, key="xor-bayes")
for name in ("image", "text"):
    claim(f"test accuracy with the {name} alone", table.accuracy(f"{name} alone"),
          at_least=0.44, at_most=0.56, key=f"xor-{name}")
claim("test accuracy with both", table.accuracy("fused"),
      at_least=0.98, key="xor-both")
claim("the same model without interaction", table.accuracy("additive"),
      at_least=0.44, at_most=0.56, key="xor-additive")

# %% [markdown]
# Both together tell nearly all. And the model that is trained on both, but then reduced to the sum of a picture term and a text term, is at chance again. To say what happens here, we need to measure information.
#
# ## Half a page on bits
#
# The *entropy* $H(Y)$ of a label $Y$ with probabilities $p(y)$ says how uncertain it is, in bits. The *mutual information* $I(X;Y)$ says by how many bits it becomes less uncertain, in the mean, for somebody who sees $X$ ([Shannon, 1948](../../book/bibliography.md#shannon1948)):
#
# $$H(Y) = \sum_y p(y) \log_2 \frac{1}{p(y)} ,$$
#
# $$I(X;Y) = H(X) + H(Y) - H(X,Y) .$$
#
# A fair coin has one bit. $I(X;Y)$ is symmetric, never negative, and zero only if $X$ and $Y$ are independent. What the second modality adds for somebody who has the first is the difference
#
# $$I(X_2;Y \mid X_1) = I(X_1,X_2;Y) - I(X_1;Y) .$$
#
# That is not $I(X_2;Y)$, what the second tells alone. Take two fair coins as modalities, and four questions about them.

# %%
def entropy(p):
    p = np.ravel(p)[np.ravel(p) > 0]  # 0 log 0 counts as 0
    return (p * np.log2(1 / p)).sum()


def information(p):
    """I(X;Y) in bits of a table p (x, y) of probabilities."""
    return entropy(p.sum(axis=1)) + entropy(p.sum(axis=0)) - entropy(p)


def told(p):
    """Bits about y in p (x1, x2, y): first, second, both, second given first."""
    first, second = information(p.sum(axis=1)), information(p.sum(axis=0))
    both = information(p.reshape(-1, p.shape[2]))
    return np.array([first, second, both, both - first])


def world(answer, copies=False):
    """The table of two fair coins, the second a copy of the first or not."""
    p = np.zeros((2, 2, 4))
    for a, b in [(0, 0), (1, 1)] if copies else np.ndindex(2, 2):
        p[a, b, answer(a, b)] += 1 / (2 if copies else 4)
    return p


# %%
four = {
    "the second repeats the first": world(lambda a, b: a, copies=True),
    "only the first tells": world(lambda a, b: a),
    "each tells its part": world(lambda a, b: 2 * a + b),
    "only both together tell": world(lambda a, b: a ^ b),
}
print("bits:", " " * 24, "first  second  both  second given first")
for name, p in four.items():
    print(f"{name:30}", *(f"{bits:6.0f}" for bits in told(p)))
assert np.allclose(told(four["only both together tell"]), [0, 0, 1, 1])
assert np.allclose(told(four["the second repeats the first"]), [1, 1, 1, 0])

# %% [markdown]
# These are *redundancy*, *uniqueness* (of one, and of both), and *synergy*. In the first row the second modality has a bit and adds none. In the last row it has none and adds one. Real data mix the kinds. How to split a mixture is still argued about ([Williams and Beer, 2010](../../book/bibliography.md#williams2010); [Liang et al., 2023](../../book/bibliography.md#liang2023)); the four numbers of a row are not.
#
# Chance alone does not even mean that one modality tells nothing. An alarm can take away a part of the doubt without ever changing the best guess.

# %%
# rows: quiet, alarm; columns: all is well, fault
alarm = np.array([[0.78, 0.02], [0.12, 0.08]])
without, with_alarm = alarm.sum(axis=0).max(), alarm.max(axis=1).sum()
assert np.isclose(without, with_alarm)  # the best guess stays "all is well"
exact("the alarm tells {:.3f} bits", information(alarm), key="alarm-bits")
exact("and the best guess is right as often as before, {:.2f}", with_alarm,
      key="alarm-accuracy")

# %% [markdown]
# From data, the table must be counted. The counts of a finite sample are never exactly independent, so the estimate is above zero in the mean even where nothing is told, by about $1/(2n\ln 2)$ bits for $n$ rows of a two by two table. Shuffle one column to see what zero looks like.

# %%
from sklearn.metrics import mutual_info_score  # in nats


def counted(a, b):
    """Share of rows for each pair of values: a table of probabilities."""
    shares = np.zeros((len(np.unique(a)), len(np.unique(b))))
    np.add.at(shares, (np.unique(a, return_inverse=True)[1],
                       np.unique(b, return_inverse=True)[1]), 1 / len(a))
    return shares


sign = {m: (x @ test.directions[m] > 0).astype(int) for m, x in test.features.items()}
label = test.labels
estimate = {m: information(counted(s, label)) for m, s in sign.items()}
estimate["both"] = information(counted(2 * sign["image"] + sign["text"], label))
assert np.isclose(estimate["both"] * np.log(2),
                  mutual_info_score(2 * sign["image"] + sign["text"], label))
rng = np.random.default_rng(0)
zeros = [information(counted(rng.permutation(sign["text"]), label)) for _ in range(500)]
for name, bits in estimate.items():
    exact(f"{name:5} {{:.4f}} bits", bits, key=f"sign-bits-{name}")
exact("shuffled, mean of 500: {:.5f} bits", np.mean(zeros), key="shuffled-bits")
exact("by the formula:        {:.5f} bits", 1 / (2 * len(label) * np.log(2)),
      key="formula-bits")

# %% [markdown]
# The signs were read off along the true directions. Whatever is computed from $X$ has at most the information of $X$ ([Cover and Thomas, 2006](../../book/bibliography.md#cover2006), chapter 2), so such an estimate is a lower bound, up to the error of counting.
#
# ## Four worlds
#
# The worlds below differ in what the label depends on. In the fourth, *shared noise*, the picture tells the label but is disturbed, and the text tells nothing but the disturbance. For each world ten data sets were drawn and the same small network trained, on each modality alone and on both; this experiment is stored. The bits are those of the best possible answer: it is right with a probability $q$, the labels are balanced, so it carries $1 - H(q)$ bits, where $H(q)$ is the entropy of a coin that falls heads with probability $q$.

# %%
runs = experiment("concepts_representation")


def scores(kind, model):
    return runs.values(model, sweep="worlds", kind=kind)


xor = scores("synergistic", "both")
claim("accuracy on XOR above, beside ten stored ones", table.accuracy("fused"),
      at_least=xor.min() - 0.01, at_most=xor.max() + 0.01, key="live-point")

# %% tags=["hide-input"]
def draw_world(axis, kind, data):
    x, t = (data.features[m][:150] @ data.directions[m] for m in ("image", "text"))
    for value, marker, colour in ((0, "o", "C0"), (1, "x", "C1")):
        here = data.labels[:150] == value
        axis.scatter(x[here], t[here], s=14, marker=marker, color=colour, linewidth=1, alpha=0.8)
    axis.set(title=kind.replace("_", " "), xlabel="image", xlim=(-11, 11), ylim=(-11, 11))


def draw_scores(axis, kind, data):
    best = {"image": data.alone["image"], "text": data.alone["text"], "both": data.bayes_accuracy, "additive": None}
    for place, (model, q) in enumerate(best.items()):
        if q is not None:
            axis.plot([place - 0.35, place + 0.35], [q, q], color="black", linewidth=2)
            axis.text(place, 1.04, f"{1 - entropy([q, 1 - q]):.2f}", ha="center", fontsize=10)
        axis.scatter(place + np.linspace(-0.2, 0.2, 10), scores(kind, model), s=12, color="C3" if q is None else "C2")
    axis.axhline(0.5, color="0.6", linestyle=":", linewidth=1)
    axis.set(ylim=(0.42, 1.1), xlim=(-0.6, 3.6))
    axis.set_xticks(range(4), ["image", "text", "both", "add."], fontsize=10)


# %% tags=["hide-input"]
fig, axes = plt.subplots(2, 4, figsize=(10, 5.4), sharey="row", layout="constrained", height_ratios=[1, 1.15])
for (top, bottom), kind in zip(axes.T, DIALS, strict=True):
    draw_world(top, kind, pairs_of(kind)[1])
    draw_scores(bottom, kind, pairs_of(kind)[1])
axes[0, 0].set(ylabel="text")
axes[1, 0].set(ylabel="test accuracy")
axes[1, 0].text(3, 1.04, "bits", ha="center", fontsize=10)
figure(
    fig,
    "worlds",
    caption="Above: test examples along the two directions that matter, a circle or a cross for the label. Below: test accuracy of "
    "ten trained models (dots), the best possible (lines) with its bits above, and chance (dotted). *add.* is the model on both "
    "with its interactions taken out.",
    alt="Four worlds side by side. Redundant: each modality alone is good, both are better. Unique: the image alone is as good as "
    "both, the text is at chance. Shared noise: the text alone is at chance, yet both are far better than the image, and so is the "
    "additive model. Synergistic: each alone and the additive model are at chance, both are nearly perfect.",
)

# %%
alone = np.stack([scores("synergistic", m) for m in ("image", "text", "additive")])
claim("XOR: highest accuracy of a modality alone or of the additive model, ten runs",
      alone.max(), at_most=0.56, key="xor-alone-most")
claim("XOR: lowest accuracy with both, ten runs", xor.min(),
      at_least=0.98, key="xor-both-least")
for kind, low, high in (("redundant", 0.05, 0.075), ("unique", -0.02, -0.005),
                        ("shared_noise", 0.17, 0.22)):
    better = np.maximum(scores(kind, "image"), scores(kind, "text"))
    key = kind.replace("_", "-")
    claim(f"{kind}: mean gain of both over the better one",
          (scores(kind, "both") - better).mean(),
          at_least=low, at_most=high, key=f"gain-{key}")
    claim(f"{kind}: mean of the additive model minus both",
          (scores(kind, "additive") - scores(kind, "both")).mean(),
          at_least=-0.01, at_most=0.015, key=f"additive-{key}")

# %% [markdown]
# Read the worlds by two questions. *Is both better than the better one?* If so, the second adds, whatever it does alone. In the redundant world it adds as well, because two noisy copies make one better copy. *Is the additive model as good as both?* In the first three worlds it is: averaging two copies, or subtracting the disturbance from the picture, are sums. With XOR it is not: there, no sum will do.
#
# Both questions are asked of trained models. If a network does not gain, its data may still hold what it has missed.
#
# > **Warning.** More modalities do not always help. The best possible rule cannot lose by a second modality, for it may ignore it. A trained model must first learn to ignore it: in the unique world it lost about a point. With a hundred training pairs it loses more, and more yet if the useless vector is wide.

# %%
for width, low, high in ((8, -0.03, -0.005), (64, -0.14, -0.08)):
    both, image = (runs.values(model, sweep="useless", text_width=width)
                   for model in ("both", "image"))
    claim(f"100 pairs, useless text of {width} numbers: mean gain over the image",
          (both - image).mean(), at_least=low, at_most=high, key=f"useless-{width}")

# %% [markdown]
# ## Each changes what the other means
#
# *Interaction* is an effect of one modality that depends on the value of another. Let $f(x,t)$ be the model's logit of "sincere" minus that of "ironic". Exchange the text $t'$ for $t$ and see how $f$ moves, once under the picture $x$ and once under $x'$. The difference of the two effects is a sum over four corners:
#
# $$\big[f(x,t) - f(x,t')\big] - \big[f(x',t) - f(x',t')\big] .$$
#
# Sort the four terms the other way and the same number is the difference of two effects of the picture, one under each text. So interaction always goes both ways: if the picture changes what the text means, then the text changes what the picture means, by the same amount. For any sum $g(x) + h(t)$ it is zero.

# %%
seed_everything(0)
bent = build(train.widths)
fit(bent, train, seed=0, progress=False, **TRAINING)
seed_everything(0)
joined = ConcatenationFusion(train.widths, out_dim=32)  # no bend
straight = FusionClassifier(joined, classes=2)
fit(straight, train, seed=0, progress=False, **TRAINING)


def margins(model, images, texts):
    """f for every image with every text: (images, texts)."""
    rows = np.repeat(np.arange(len(images)), len(texts))
    tiled = {"image": images[rows], "text": np.tile(texts, (len(images), 1))}
    with torch.no_grad():
        logits = model({m: torch.tensor(x).float() for m, x in tiled.items()})
    return (logits[:, 1] - logits[:, 0]).double().numpy().reshape(len(images), -1)


# %%
x, t = test.directions["image"], test.directions["text"]
pleasant, kind_text = 3 * np.array([x, -x]), 3 * np.array([t, -t])  # yes, no
f = margins(bent, pleasant, kind_text)
effect_of_text = f[:, 0] - f[:, 1]  # under each picture
effect_of_image = f[0] - f[1]  # under each text
claim("effect of a kind text under a pleasant picture", effect_of_text[0],
      at_least=4, key="text-effect-pleasant")
claim("effect of a kind text under an unpleasant picture", effect_of_text[1],
      at_most=-4, key="text-effect-unpleasant")
assert np.isclose(effect_of_text[0] - effect_of_text[1],
                  effect_of_image[0] - effect_of_image[1])  # the same four corners
f = margins(straight, test.features["image"][:50], test.features["text"][:50])
corners = f - f[:1] - f[:, :1] + f[0, 0]  # all against the first picture and text
assert np.abs(corners).max() < 1e-4 * np.abs(f).max()

# %% [markdown]
# The second model is concatenation and one matrix after the other. It was trained on both modalities, and its corners are zero, up to rounding: joining vectors is not yet interaction. A bend after the join, a product, a gate or attention can make one; these are the chapter on fusion. People interact too: with lips that say *ga* and a voice that says *ba*, many hear *da* ([McGurk and MacDonald, 1976](../../book/bibliography.md#mcgurk1976)).
#
# ## One vector for both, or one for each
#
# A *joint* representation is one vector made from all modalities: the 32 numbers before the last layer above. *Coordinated* representations keep one vector for each modality, and relate them by a similarity ([Baltrušaitis et al., 2019](../../book/bibliography.md#baltrusaitis2019)). A joint vector needs both inputs. A coordinated one is there when its own modality is, and can be compared with all vectors of the other.
#
# The oldest way to coordinate is canonical correlation analysis ([Hotelling, 1936](../../book/bibliography.md#hotelling1936)): find a matrix for each modality, so that the columns of $u = xA$ and $v = tB$ correlate as highly as possible with their partners, and with nothing else. Bring each modality to unit covariance, take the cross-covariance, and its singular vectors are the answer.

# %%
def inverse_root(covariance):
    values, axes = np.linalg.eigh(covariance)
    return axes / np.sqrt(values) @ axes.T


def coordinate(x, t, width, ridge=0.0):
    """Matrices A, B and the correlations of the columns of x A and t B."""
    x, t = x - x.mean(axis=0), t - t.mean(axis=0)
    root_x, root_t = (
        inverse_root(rows.T @ rows / len(rows) + ridge * np.eye(rows.shape[1]))
        for rows in (x, t))
    left, correlations, right = np.linalg.svd(root_x @ (x.T @ t / len(x)) @ root_t)
    return root_x @ left[:, :width], root_t @ right[:width].T, correlations[:width]


# %%
from sklearn.cross_decomposition import CCA


def correlation(a, b):
    return np.corrcoef(a[:, 0], b[:, 0])[0, 1]


copies, new_copies = pairs_of("redundant")
x, t = copies.features.values()
A, B, correlations = coordinate(x, t, width=1)
by_sklearn = CCA(n_components=1, tol=1e-12, max_iter=5000).fit(x, t).transform(x, t)
assert np.isclose(correlation(x @ A, t @ B), correlations[0])
assert np.isclose(correlation(*by_sklearn), correlations[0])

# %% [markdown]
# What does a coordinated space keep? Look at new examples of the redundant world and of XOR.

# %%
x, t = new_copies.features.values()
exact("redundant: correlation on new pairs {:.2f}", correlation(x @ A, t @ B),
      key="cca-redundant")
A, B, _ = coordinate(*train.features.values(), width=1)
x, t = test.features.values()
exact("XOR:       correlation on new pairs {:.2f}", correlation(x @ A, t @ B),
      key="cca-xor")
product = (x @ test.directions["image"]) * (t @ test.directions["text"])
exact("XOR: accuracy of the sign of u v in the right space {:.3f}",
      ((product > 0) == test.labels).mean(), key="xor-product")

# %% [markdown]
# Coordinating by co-occurrence keeps what the modalities *repeat*. In XOR nothing is repeated, since the two signs are independent, and there is nothing to find. Yet a good coordinated space exists: along the true directions, the similarity $uv$ is the answer. Only labels can lead there.
#
# ## Near is not the same
#
# Now handwritten digits and their mistyped English words. The space is made from training pairs; then each test word asks for the nearest picture, and each test picture for the nearest word, by cosine.

# %%
noise = {"typo_rate": 0.1, "pixel_noise": 0.2, "seed": 0}
old, new = (digits_with_words(part, **noise) for part in ("train", "test"))
*matrices, _ = coordinate(*old.features.values(), width=9, ridge=1e-2)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


u, v = (unit((new.features[name] - old.features[name].mean(axis=0)) @ matrix)
        for name, matrix in zip(("image", "text"), matrices, strict=True))
cosines = u @ v.T
right = {"from word to picture": new.labels[cosines.argmax(axis=0)] == new.labels,
         "from picture to word": new.labels[cosines.argmax(axis=1)] == new.labels}
for (way, hits), least in zip(right.items(), (0.93, 0.72), strict=True):
    claim(f"nearest neighbour is the right digit, {way}", hits.mean(),
          at_least=least, key=way.replace(" ", "-"))
claim("mean cosine of a picture with its own word", np.diag(cosines).mean(),
      at_least=0.55, at_most=0.72, key="own-cosine")

# %% [markdown]
# So each modality helps to find the other, in both directions; a random answer is right once in ten. The two directions are not equally easy, perhaps because a badly mistyped word lies near many pictures. But a picture and its own word do not coincide: their cosine is far below one. A shared space promises *comparison*, not coincidence. To see how little place matters, give each vector one more coordinate, $+c$ for pictures and $-c$ for words. Every dot product falls by the same $c^2$, every squared distance grows by the same $4c^2$, and no ranking changes, in either direction. The two clouds are now as far apart as you like.

# %%
def apart(u, v, c=5.0):
    """Both clouds, pushed apart along a direction that neither used."""
    return (np.hstack([u, np.full((len(u), 1), c)]),
            np.hstack([v, np.full((len(v), 1), -c)]))


def squared_distances(u, v):
    return ((u[:, None] - v[None]) ** 2).sum(axis=2)


far_u, far_v = apart(u, v)
assert np.allclose(far_u @ far_v.T, cosines - 25)
assert np.allclose(squared_distances(far_u, far_v), squared_distances(u, v) + 100)
for axis in (0, 1):  # who is nearest now was nearest before, in both directions
    chosen = np.expand_dims((far_u @ far_v.T).argmax(axis), axis)
    before = np.take_along_axis(cosines, chosen, axis)
    assert np.allclose(before, cosines.max(axis, keepdims=True))  # equal words tie
nearest = np.sqrt(squared_distances(far_u, far_v).min())
exact("now the closest picture and word are {:.2f} apart", nearest, key="far-apart")
exact("and no two pictures more than {:.2f}",
      np.sqrt(squared_distances(far_u, far_u).max()), key="picture-spread")

# %% [markdown]
# Any picture is now nearer to any other picture than to its own word, and every question across modalities has the answer it had. Models trained to match pictures and texts show such a gap without being asked ([Liang et al., 2022](../../book/bibliography.md#liang2022)).
#
# ## Which word names which object
#
# So far a whole picture met a whole text. *Alignment* of parts asks which word belongs to which object. Nobody marks it in the data; there are only pictures with captions. In each caption below, every object is said once. Count how often each word and each colour occur in one scene, and compare with what independence would give: $\log_2 \frac{p(w,r)}{p(w)\,p(r)}$, the term that mutual information averages.

# %%
many = scenes(2000, seed=1, objects=(2, 4), all_different=True, moving=0.0)
captions = many.captions(about=())
print(captions[0])
images, boxes = many.images(), many.boxes()  # (scene, 3, 64, 64), pixels
middle = np.nan_to_num((boxes[..., :2] + boxes[..., 2:]) / 2).astype(int)
rows = np.arange(len(many))[:, None]
shown = images[rows, :, middle[..., 1], middle[..., 0]].round(2)  # (scene, slot, 3)
region = np.unique(shown[many.present], axis=0, return_inverse=True)[1].ravel()
scene = np.nonzero(many.present)[0]  # to which scene each region belongs
has_region = np.zeros((len(many), region.max() + 1))
has_region[scene, region] = 1

# %%
from mmcourse.data.scenes import COLOURS

words = vocabulary(captions)
has_word = np.array([[word in caption.split() for word in words]
                     for caption in captions])
learn = slice(1500)  # the rest are new scenes
joint = has_word[learn].T @ has_region[learn] / 1500  # p(word, region)
expected = np.outer(has_word[learn].mean(axis=0), has_region[learn].mean(axis=0))
pointwise = np.log2((joint + 1e-9) / expected)
strongest = [words[row] for row in pointwise.argmax(axis=0)]
print("strongest word of each region colour:", *strongest)

new_scene = scene >= 1500
own_word = np.array(tuple(COLOURS))[many.colour[many.present]]
found = np.array(strongest)[region] == own_word
exact("objects of new scenes that get their own colour word: {:.3f}",
      found[new_scene].mean(), key="grounding")
exact("one of the caption's colours at random: {:.3f}",
      (1 / many.count[scene[new_scene]]).mean(), key="grounding-chance")

# %% [markdown]
# No single scene says which word names which object. Many scenes do, because word and colour come and go together.
#
# ## A bag of words cannot bind
#
# One thing this counting will never tell: *which* colour goes with *which* shape. Exchange the colours of two objects, and the caption has the same words.

# %%
rooms = scenes(4000, seed=0, objects=(2, 2), all_different=True, moving=0.0)
swapped = rooms.swapped()
one, other = rooms.captions(about=())[0], swapped.captions(about=())[0]
print(one, other, sep="\n")
lexicon = vocabulary(rooms.captions(about=()))
ids = WordTokens(lexicon).encode([one, other])
seed_everything(0)
bag, ordered = MeanOfWords(len(lexicon)), WordTransformer(len(lexicon))
with torch.no_grad():
    assert torch.allclose(*bag(torch.tensor(ids)), atol=1e-6)  # one vector for both
    assert not torch.allclose(*ordered(torch.tensor(ids)), atol=1e-4)

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(6, 3), layout="constrained")
for axis, world_shown, caption in zip(axes, (rooms, swapped), (one, other), strict=True):
    axis.imshow(world_shown.take([0]).images()[0].transpose(1, 2, 0))
    axis.set_title(caption.replace(" and ", "\nand "), fontsize=11)
    axis.set(xticks=[], yticks=[])
figure(
    fig,
    "swapped",
    caption="A scene and its twin with the two colours exchanged, each under its caption. The captions are one bag of words.",
    alt="Two pictures of a room seen from above with the same two shapes at the same places; the colours of the shapes are exchanged.",
)

# %% [markdown]
# Show both pictures and one of the captions, and ask which picture it describes. Whatever rule sees the caption as a bag gives the same answer to both captions, so it is right for exactly one of them. Its accuracy is one half, with any picture encoder and any amount of training. We match pixels and captions by `coordinate`, once with the counts of words, once with which word stands at which place. That is the only change.

# %%
def counts(captions):
    return np.array([[c.split().count(w) for w in lexicon]
                     for c in captions], float)


def places(captions):
    """One column for each place and word: (captions, places * words)."""
    return np.array([[w == said for said in c.split() for w in lexicon]
                     for c in captions], float)


# %%
def small_pictures(rooms):
    return rooms.images(16).reshape(len(rooms), -1).astype(float)


def choose(text_features, learned=3000):
    """Share of right choices between a new scene and its twin, over both captions.

    learned: scenes from which the space is made, without their twins
    """
    sides = [(small_pictures(part), text_features(part.captions(about=())))
             for part in (rooms, swapped)]
    seen = [rows[:learned] for rows in sides[0]]
    *maps, _ = coordinate(*seen, width=6, ridge=1e-2)
    (own, own_text), (twin, twin_text) = (
        [unit((rows[learned:] - known.mean(axis=0)) @ matrix)
         for rows, known, matrix in zip(side, seen, maps, strict=True)]
        for side in sides)
    leads = [((own - twin) * own_text).sum(axis=1),
             ((twin - own) * twin_text).sum(axis=1)]
    return np.mean([lead > 0 for lead in leads])


# %%
as_bag, in_places = choose(counts), choose(places)
assert as_bag == 0.5
exact("bag of words: right in {:.3f} of the choices", as_bag, key="bag")
claim("words at their places: share of right choices", in_places,
      at_least=0.87, key="placed")

# %% [markdown]
# Order is not binding yet. The linear model above only has to learn that the first colour word tells the colour at the left, as captions here go from left to right. A sentence in another order would mislead it. Large models that do see the order are often little better than chance at this test, on photographs ([Thrush et al., 2022](../../book/bibliography.md#thrush2022); [Yuksekgonul et al., 2023](../../book/bibliography.md#yuksekgonul2023)).
#
# ## What this does not show
#
# The four worlds are vectors with two signs in noise; real pairs mix all kinds, and nobody tells you the best possible accuracy. The bits of the figure are those of a best answer, not all of $I(X;Y)$. And the additive model is a test of one trained network, not of the data.
#
# ## What to keep
#
# What a second modality adds is what it tells *given the first*. It may tell much and add nothing, or tell nothing alone and add everything. So test each alone, both, and the additive model, over several draws. A joint vector can hold what only both tell; coordinated vectors, learned from pairs, hold what both repeat. Near is all that a shared space promises. A bag of words cannot bind.
#
# **Try it.** Other questions about two coins: `told(world(lambda a, b: a & b))`. How much is told by a noisier XOR: `DIALS["synergistic"] = (1.0, 1.0); print(pairs_of("synergistic")[1].bayes_accuracy)`. Move only one cloud inside the space and see rankings change: `print(((u + 1) @ v.T).argmax(axis=1)[:9], cosines.argmax(axis=1)[:9])`. The [exercises](exercises.ipynb) continue here.
#
# **Further reading.** [Cover and Thomas (2006)](../../book/bibliography.md#cover2006), chapter 2, for entropy and information; [Liang et al. (2023)](../../book/bibliography.md#liang2023) for redundancy, uniqueness and synergy in multimodal data; [Hessel and Lee (2020)](../../book/bibliography.md#hessel2020) for models that only seem to use both; [Baltrušaitis et al. (2019)](../../book/bibliography.md#baltrusaitis2019) for joint and coordinated representations.

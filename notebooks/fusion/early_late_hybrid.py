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
# # Early, late, hybrid: where to join
#
# Choose whether modalities should meet at the inputs, at the decisions or at both, and compute what decisions made apart lose.
#
# **Before this:** [Representation](../concepts/representation.ipynb) for bits, redundancy and synergy, and [The weighted sum](weighted_sum.ipynb) for what a sum cannot express. The proofs are on the page [Where to join](../../book/fusion/early_late_hybrid.md).

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
from scipy import stats
from torch.nn.functional import cross_entropy

from mmcourse.data import controlled_pairs
from mmcourse.fusion.numpy import early_fusion, hybrid_fusion, late_fusion
from mmcourse.fusion.numpy.decisions import mean_of_probabilities, product_rule
from mmcourse.fusion.torch import EarlyFusion, HybridFusion, LateFusion
from mmcourse.information import mutual_information, partial_information
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.training import accuracy, additive, fit_stacked, predict
from mmcourse.training import seed_everything

setup("fusion/early_late_hybrid")

# %% [markdown]
# ## Two teams, two winners
#
# Two teams classify pairs of an image vector and a text vector. The first joins the two inputs and trains one network: *early fusion*. The second trains a classifier on the images and another on the texts, and combines their answers: *late fusion*. Which is better?
#
# The world in which they compete has two dials. In a share $s$ of the examples, the *synergy*, the label is the product of two random signs, one in the image and one in the text. In the others both modalities show the label itself as their sign. One column of each vector tells which kind an example is. Each sign lies along one direction of its vector, between noise of standard deviation $\sigma$ times the sign's size. The best possible accuracy is known.

# %%
TRAINING = {"steps": 250, "check_every": 5, "learning_rate": 0.02}


def draw(noise, synergy, size, seed, check=1000, width=5):
    """Training part of `size`, checking part, test part of 4000."""
    names = ("image", "text")
    data = controlled_pairs(
        "mixed", 5000 + size, separation=dict.fromkeys(names, 1 / noise),
        widths=dict.fromkeys(names, width), synergy=synergy, seed=seed)
    ends = (slice(5000, None), slice(check), slice(1000, 5000))
    return [data.take(part) for part in ends]


def apart(late, features, labels):
    """The loss of classifiers that learn each by itself: no sum joins them."""
    said = late.decisions(features)  # (n, modalities, classes)
    return sum(cross_entropy(said[:, m], labels) for m in range(said.shape[1]))


# %%
def compete(fusion, parts, loss=None):
    """One trained model a seed, and its accuracy on the test part of that seed."""
    train, check, test = zip(*parts, strict=True)
    models = []
    for seed, data in enumerate(train):
        seed_everything(seed)
        models.append(
            fusion(data.widths, hidden_size=16, out_dim=2, check_values=False))
    fit_stacked(models, train, check, loss=loss, **TRAINING)
    scores = [accuracy(predict(model, part), part.labels)
              for model, part in zip(models, test, strict=True)]
    return models, np.array(scores)


def early_and_late(noise, synergy, size, seeds=6):
    parts = [draw(noise, synergy, size, seed) for seed in range(seeds)]
    early_models, early = compete(EarlyFusion, parts)
    late_models, late = compete(LateFusion, parts, loss=apart)
    return parts, early_models, late_models, early, late


# %% [markdown]
# `fit_stacked` trains six models at once, one a seed, each on data of its own; every model keeps the state in which it did best on further examples, the checking part. In the first contest both teams get 1600 pairs.

# %%
first_parts, first_early, first_late, early, late = early_and_late(
    noise=0.5, synergy=0.4, size=1600)
known = first_parts[0][2]
exact("the best rule reaches {:.3f}", known.bayes_accuracy, key="first-bayes")
claim("1600 pairs: mean accuracy of early minus late", (early - late).mean(),
      at_least=0.15, at_most=0.2, key="first-contest")

# %% [markdown]
# A clear win for early fusion. In the second contest pairs are rare: a hundred to learn from and a hundred to check by, of vectors 40 wide, and a little synergy. But of images and of texts *by themselves* there are 1600 labelled ones, and a thousand more to check by. Early fusion, trained on pairs, cannot use them. The classifiers of late fusion need no pairs: `apart` is a sum of one loss for each modality, so it does not matter which text stands beside which image of the same class.

# %%
def losses_before_and_after(late, data):
    """`apart` on pairs, and after the texts of each class have changed places."""
    rng = np.random.default_rng(1000)  # the seed of `data` is the stream of its labels
    labels = torch.tensor(data.labels)
    features = {m: torch.tensor(rows).float() for m, rows in data.features.items()}
    places = np.arange(len(data))
    for label in (0, 1):
        here = data.labels == label
        places[here] = rng.permutation(places[here])
    moved = features | {"text": features["text"][places]}
    return [apart(late, rows, labels).item() for rows in (features, moved)]


before, after = losses_before_and_after(first_late[0], known)
assert np.isclose(before, after)

# %%
rare = {"noise": 1.0, "synergy": 0.1, "width": 40}
pairs = [draw(size=100, check=100, seed=seed, **rare) for seed in range(6)]
singles = [draw(size=1600, check=1000, seed=seed, **rare) for seed in range(6)]
few_early = compete(EarlyFusion, pairs)[1]
many_late = compete(LateFusion, singles, loss=apart)[1]
few_late = compete(LateFusion, pairs, loss=apart)[1]
claim("100 pairs, 1600 single ones: mean of late minus early",
      (many_late - few_early).mean(), at_least=0.05, at_most=0.09,
      key="second-contest")
claim("least of the six differences", (many_late - few_early).min(),
      at_least=0.02, key="second-contest-least")
claim("late with the 100 pairs alone: mean of late minus early",
      (few_late - few_early).mean(), at_least=-0.03, at_most=0.01,
      key="second-same-data")

# %% [markdown]
# Now late fusion wins in each of six seeds. The single examples are the reason: with the hundred pairs alone it is no better than early fusion. So two questions follow. What can decisions made apart never know? And what do they have that other fusions lack?
#
# ## Adding up decisions
#
# Start with the decisions. Two weather services say that rain has probability $0.8$. What should you believe? The mean says $0.8$. But if the two look at different things, two agreeing reports say more than one. And if it rains on four days in five anyway, neither report says anything new.

# %%
services = {"first": np.log([[0.8, 0.2]]), "second": np.log([[0.8, 0.2]])}
rain = {
    "mean": mean_of_probabilities(services),
    "product, even prior": product_rule(services),
    "product, prior 0.8": product_rule(services, prior=[0.8, 0.2]),
}
for name, said in rain.items():
    print(f"{name:20} rain {np.exp(said)[0, 0]:.3f}")
assert np.isclose(np.exp(rain["product, even prior"])[0, 0], 16 / 17)
assert np.isclose(np.exp(rain["product, prior 0.8"])[0, 0], 0.8)

# %% [markdown]
# The product rule multiplies the probabilities and divides by the prior, because each answer already contains it. Let $p(y)$ be the probability of a class $y$ before anything is seen, and $x_1, \dots, x_M$ the modalities. If they are *independent given the class*, that is $p(x_1, \dots, x_M \mid y) = \prod_m p(x_m \mid y)$, Bayes' rule gives
#
# $$\log p(y \mid x_1, \dots, x_M) = \sum_m \log p(y \mid x_m) - (M-1) \log p(y) + \text{const} ,$$
#
# where the constant does not depend on $y$. Under this condition decisions made apart lose *nothing* ([Kittler et al., 1998](../../book/bibliography.md#kittler1998)). Test it where the truth is known: three classes with unequal priors, three modalities with four values each, tables of probabilities drawn at random.

# %%
rng = np.random.default_rng(0)
prior = np.array([0.6, 0.3, 0.1])
tables = rng.dirichlet(np.ones(4), size=(3, 3))  # (modality, class, value): p(x_m | y)
values = np.stack(np.meshgrid(*[range(4)] * 3), axis=-1).reshape(-1, 3)  # all 64 rows

likelihoods = np.stack([tables[m][:, values[:, m]].T for m in range(3)])
joint = prior * likelihoods.prod(axis=0)  # p(x_1, x_2, x_3, y), from its definition
bayes = joint / joint.sum(axis=1, keepdims=True)

decisions = {}
for m, name in enumerate(("image", "text", "sound")):
    alone = prior * likelihoods[m]
    decisions[name] = np.log(alone / alone.sum(axis=1, keepdims=True))

by_hand = sum(decisions.values()) - 2 * np.log(prior)
by_hand -= np.log(np.exp(by_hand).sum(axis=1, keepdims=True))
assert np.allclose(np.exp(by_hand), bayes)  # the product rule is Bayes' rule
assert np.allclose(product_rule(decisions, prior=prior), by_hand)

# %%
def expected_accuracy(log_probabilities):
    """How often the answer is right, summed over all rows: nothing is drawn."""
    answers = log_probabilities.argmax(axis=1)
    return joint[np.arange(len(joint)), answers].sum()


rules = {"Bayes' rule": np.log(bayes),
         "product rule": product_rule(decisions, prior=prior),
         "product, prior forgotten": product_rule(decisions),
         "mean": mean_of_probabilities(decisions),
         "the image alone": decisions["image"]}
for name, said in rules.items():
    key = name.lower().replace("'", "").replace(",", "").replace(" ", "-")
    exact(f"{name}: {{:.3f}}", expected_accuracy(said), key=f"known-{key}")
for name in ("product, prior forgotten", "mean"):
    assert expected_accuracy(rules[name]) < expected_accuracy(decisions["image"])

# %% [markdown]
# The product that forgets to divide counts the prior three times, and does a little worse than the image alone. So does the mean: it never grows surer than its surest member, so pieces of evidence do not add up in it. In exchange it suffers less from errors of the single classifiers, as Kittler and his colleagues show.
#
# ## Three places to join
#
# *Early fusion* joins the inputs. In the smallest form, with one hidden layer,
#
# $$z = \tanh([x_1, \dots, x_M]\, W + b)\, V + c ,$$
#
# where $[\dots]$ writes the vectors one after the other, $W$ and $V$ are matrices, $b$ and $c$ rows, and $z$ holds the logits. *Late fusion* has such a network for each modality, whose decision is $p_m$, a row with one probability for each class, and joins the decisions:
#
# $$\log p_m = \log \text{softmax}\big(\tanh(x_m W_m + b_m)\, V_m + c_m\big) ,$$
#
# $$\log p = \log p(y) + \sum_m \big[\log p_m - \log p(y)\big] + \text{const} .$$
#
# *Hybrid fusion* has both, a joint path beside a path of each modality, and adds their logits ([Atrey et al., 2010](../../book/bibliography.md#atrey2010), describe such combinations of early and late):
#
# $$z = \tanh([x_1, \dots, x_M]\, W + b)\, V + c + \sum_m \tanh(x_m W_m + b_m)\, V_m .$$

# %%
shapes = {"kernel": (10, 16), "bias": (16,), "head": (16, 2), "head_bias": (2,)}
joint_path = {name: rng.normal(size=shape) for name, shape in shapes.items()}
WIDTHS = known.widths  # {"image": 5, "text": 5}
own = {name: {m: rng.normal(size=shape) for m in WIDTHS} for name, shape in
       {"kernels": (5, 16), "biases": (16,), "heads": (16, 2)}.items()}
x = {m: rows[:3] for m, rows in known.features.items()}

joined = np.concatenate([x["image"], x["text"]], axis=1)  # (3, 5), (3, 5) -> (3, 10)
hidden = np.tanh(joined @ joint_path["kernel"] + joint_path["bias"])
early_logits = hidden @ joint_path["head"] + joint_path["head_bias"]
own_logits = {m: np.tanh(x[m] @ own["kernels"][m] + own["biases"][m]) @ own["heads"][m]
              for m in WIDTHS}

assert np.allclose(early_logits, early_fusion(x, list(WIDTHS), **joint_path))
assert np.allclose(early_logits + sum(own_logits.values()),
                   hybrid_fusion(x, list(WIDTHS), **joint_path, **own))
head_biases = dict.fromkeys(WIDTHS, np.zeros(2))
said = {m: z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        for m, z in own_logits.items()}
assert np.allclose(product_rule(said),
                   late_fusion(x, **own, head_biases=head_biases))

# %% [markdown]
# > **Correction.** A source document ([entry C-32](../../book/corrections.md#c-32)) places late fusion inside a network, after the encoders; another counts the alignment of sequences and the product of matrices among the fusions. Late fusion combines *decisions* of classifiers that know one modality each. Encoding apart and joining the encodings before a decision is intermediate fusion; `EncodedFusion` of the package is one, and can interact where a late fusion cannot. Alignment is another problem: which piece belongs to which. The product of two vectors through a matrix, $x_I^\top W x_T$, is bilinear fusion.
#
# ## What breaks the product rule
#
# Three worlds of known distribution. *Redundant*: both modalities show the label, each with noise of its own, so they are independent given the label. *Shared noise*: the image shows the label and a disturbance, the text the same disturbance and no label. *Synergistic*: the label is the product of two signs. In each world three fusions learn from a thousand examples: early; late, with classifiers trained apart; and late, with both classifiers trained together through the sum of their logits.

# %%
WORLDS = {"redundant": (1.0, 1.0), "shared_noise": (2.0, 3.0),
          "synergistic": (2.0, 2.0)}  # separation of image, text


def world_parts(world, seeds=6):
    image, text = WORLDS[world]
    for seed in range(seeds):
        data = controlled_pairs(
            world, 5200, separation={"image": image, "text": text},
            widths=WIDTHS, seed=seed)
        ends = ((200, 1200), (0, 200), (1200, None))
        yield [data.take(slice(*part)) for part in ends]


worlds = {}
for world in WORLDS:
    parts = list(world_parts(world))
    worlds[world] = {
        "known": parts[0][2],
        "late, apart": compete(LateFusion, parts, loss=apart)[1],
        "late, together": compete(LateFusion, parts)[1],
        "early": compete(EarlyFusion, parts)[1],
    }

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharey=True, layout="constrained")
for axis, (world, scores) in zip(axes, worlds.items(), strict=True):
    truth = scores["known"]
    axis.axhline(truth.bayes_accuracy, color="black", label="best possible")
    axis.axhline(truth.late_accuracy, color="black", linestyle="--", label="product rule")
    for column, name in enumerate(("late, apart", "late, together", "early")):
        axis.scatter(column + np.linspace(-0.2, 0.2, 6), scores[name], s=22, color=f"C{column}")
    axis.set(title=world.replace("_", " "), xlim=(-0.6, 2.6), ylim=(0.45, 1.0))
    axis.set_xticks(range(3), ["late,\napart", "late,\ntogether", "early"], fontsize=10)
axes[0].set(ylabel="test accuracy")
axes[0].legend(loc="lower right", fontsize=10)
figure(
    fig,
    "breaks",
    caption="Three worlds, three fusions, six seeds each (dots). The full line is the best that any rule can reach, "
    "the dashed line what the product of the true posteriors reaches. In the redundant world the two coincide.",
    alt="Three panels of dots. Redundant: all three fusions lie at the line. Shared noise: late fusion trained apart lies at the "
    "lower dashed line, the other two close to the upper line. Synergistic: both late fusions lie at one half, early near the upper line.",
)

# %%
for world, name, low, high in (
    ("redundant", "late, apart", -0.02, 0.01),
    ("shared_noise", "late, apart", -0.02, 0.01),
    ("shared_noise", "late, together", 0.14, 0.2),
    ("synergistic", "late, together", -0.05, 0.05),
    ("synergistic", "early", 0.4, 0.46),
):
    above = worlds[world][name].mean() - worlds[world]["known"].late_accuracy
    key = f"{world}-{name}".replace("_", "-").replace(", ", "-")
    claim(f"{world.replace('_', ' ')}: mean accuracy of {name}"
          " minus that of the product rule", above,
          at_least=low, at_most=high, key=key)

# %% [markdown]
# Under shared noise the modalities depend on each other within a class. The text alone says nothing about the label, so a product with its answer changes nothing. Yet the best logits are a sum, and training through the sum finds most of the gain: the text's part learns to cancel the disturbance. So it matters not only where decisions are joined, but also whether they are *learned* apart. With a product of signs no sum helps, however it is trained. In both worlds the two modalities hold something that neither holds alone. That can be measured.
#
# ## Measuring synergy
#
# Let $Y$ be the label, $X_1$ and $X_2$ two sources, here the modalities, and $p(x_1, x_2, y)$ the table of their joint probabilities. Let $R$ be the bits about $Y$ that both sources tell alike (redundant), $U_1$ and $U_2$ those that only one of them tells (unique), $S$ those that only both together tell (synergy). Mutual information gives three equations: $I(Y;X_1) = R + U_1$, $I(Y;X_2) = R + U_2$, $I(Y;X_1,X_2) = R + U_1 + U_2 + S$. One number stays free.
#
# [Bertschinger et al. (2014)](../../book/bibliography.md#bertschinger2014) fix it by a decision: $R$, $U_1$ and $U_2$ shall depend only on the tables $p(x_1,y)$ and $p(x_2,y)$. Go through *all* joint tables $q$ with these two margins. Then they differ in synergy alone. The one with the least information $I_q(Y;X_1,X_2)$ is taken as free of synergy: the least is $R + U_1 + U_2$, and what $p$ has above it is $S$. The decomposition is called BROJA, after the authors' initials.
#
# Take $Y = X_1 \text{ AND } X_2$ for two fair bits. For $y = 1$ there is nothing to choose. For $y = 0$ the sums of rows and columns leave one number free: $t = q(1, 1, 0)$, from 0, which is AND itself, to $\tfrac14$.

# %%
def and_like(t):
    """A table (x1, x2, y) with the margins of AND, free number t."""
    q = np.zeros((2, 2, 2))
    q[1, 1, 1] = 0.25
    q[:, :, 0] = [[0.25 + t, 0.25 - t], [0.25 - t, t]]
    return q


def both_tell(q):
    """I(Y; X1, X2) in bits."""
    return mutual_information(q.reshape(-1, q.shape[2]))


free = np.linspace(0, 0.25, 101)
for t in free:
    for axis in (0, 1):  # the margins (x2, y) and (x1, y)
        assert np.allclose(and_like(t).sum(axis), and_like(0).sum(axis))
bits = np.array([both_tell(and_like(t)) for t in free])
exact("AND: both together tell {:.4f} bits", bits[0], key="and-both")
exact("the least over all tables: {:.4f} bits", bits.min(), key="and-union")
exact("synergy {:.4f} bits", bits[0] - bits.min(), key="and-synergy")

# %%
assumed = and_like(1 / 12)  # the table that the product rule takes for granted
no = assumed[:, :, 0] / assumed[:, :, 0].sum()  # given y = 0
assert np.allclose(no, np.outer(no.sum(axis=1), no.sum(axis=0)))
believed = assumed[:, :, 1] / assumed.sum(axis=2)  # its probability of y = 1
assert (believed.round() == [[0, 0], [0, 1]]).all()  # AND, without a mistake
exact("the product rule's probability of y = 1 at (1, 1): {:.2f}",
      believed[1, 1], key="and-believed")

# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
axis.plot(free, bits, color="C0")
axis.plot(free[0], bits[0], "o", color="C1")
axis.plot(free[-1], bits[-1], "s", color="C2")
axis.plot(1 / 12, both_tell(assumed), "D", color="C3")
axis.text(1 / 12 + 0.004, both_tell(assumed) + 0.01, "assumed by the product rule", color="C3", va="bottom")
axis.annotate("", (0.012, bits.min()), (0.012, bits[0]), arrowprops={"arrowstyle": "<->"})
axis.text(0.017, 0.55, "synergy")
axis.text(0.01, bits[0], "AND itself", color="C1", va="bottom")
axis.text(0.245, bits[-1] + 0.02, "least", color="C2", ha="right", va="bottom")
axis.axhline(bits.min(), color="0.6", linestyle=":")
axis.set(xlabel="free number $t$", ylabel="bits told by both", ylim=(0.25, 0.9))
figure(
    fig,
    "and",
    caption="All tables with the margins of AND. At the left end stands AND, at the right end the table in which both "
    "together tell least. The drop between them is the synergy, half a bit. The diamond is the table in which the sources are "
    "independent within each class.",
    alt="A curve that falls from about 0.81 bits at the left end, where AND stands, to about 0.31 bits at the right end. "
    "A diamond marks a third of the way.",
)

# %% [markdown]
# Classifiers trained apart see the two margins and nothing else, so they cannot tell these tables from each other. The product rule takes the diamond for the truth. Synergy is what the margins leave open; what the rule loses by it depends on the world. Here the rule answers AND without a mistake, and is only less sure than it could be. With XOR it can only guess.
#
# Larger tables have many free numbers. The task is convex, so `partial_information` finds the minimum by Newton steps and returns with it a proof of quality, the `gap`: the distance from a lower bound of the minimum, in bits.

# %%
def table(answer, copies=False):
    """p(x1, x2, y) of two fair bits, the second a copy of the first or not."""
    pairs = [(0, 0), (1, 1)] if copies else list(np.ndindex(2, 2))
    p = np.zeros((2, 2, 4))
    for a, b in pairs:
        p[a, b, answer(a, b)] = 1 / len(pairs)
    return p


shared_noise = np.zeros((3, 2, 2))  # x1 = y + e, x2 = e, for two fair bits
for y, e in np.ndindex(2, 2):
    shared_noise[y + e, e, y] = 1 / 4

# %%
worlds_of_bits = {
    "AND": (table(lambda a, b: a & b), (0.3113, 0, 0, 0.5)),
    "XOR": (table(lambda a, b: a ^ b), (0, 0, 0, 1)),
    "copy": (table(lambda a, b: a, copies=True), (1, 0, 0, 0)),
    "first bit": (table(lambda a, b: a), (0, 1, 0, 0)),
    "both bits": (table(lambda a, b: 2 * a + b), (0, 1, 1, 0)),
    "y + e, e": (shared_noise, (0, 0.5, 0, 0.5)),
}
print("bits       redundant  unique 1  unique 2  synergy")
for name, (p, wanted) in worlds_of_bits.items():
    found = partial_information(p)
    parts_found = [found.redundancy, found.unique_first,
                   found.unique_second, found.synergy]
    print(f"{name:10}", *(f"{abs(part):9.3f}" for part in parts_found))
    assert np.allclose(parts_found, wanted, atol=1e-4)
    assert found.gap < 1e-6

# %% [markdown]
# The last row is shared noise in small: the second source tells nothing, the first half a bit, and their difference is the label. Half a bit is synergy, and a *sum* recovers it. So synergy does not say whether a sum of logits can find it, or whether an interaction is needed.
#
# Now the two teams' world without noise: each source is a pair of kind and sign. The dial $s$ *is* the synergy, in bits, and the rest is redundant. Here the synergy is a product of signs, out of reach for sums.

# %%
def mixture(s):
    """p(x1, x2, y) without noise; a source has four values, 2 * kind + sign."""
    p = np.zeros((4, 4, 2))
    for first, second in np.ndindex(2, 2):
        p[2 + first, 2 + second, 1 - (first ^ second)] += s / 4
        if first == second:
            p[first, second, first] += (1 - s) / 2
    return p


for s in (0.0, 0.2, 0.7, 1.0):
    found = partial_information(mixture(s))
    assert np.allclose([found.redundancy, found.synergy], [1 - s, s], atol=1e-5)
    assert max(found.unique_first, found.unique_second) < 1e-5

# %% [markdown]
# ## The map
#
# What does the synergy cost in this world? Each sign is read rightly with probability $p = \Phi(1/\sigma)$, where $\Phi$ is the normal distribution function. On the synergistic share the best rule is right with probability $p^2 + (1-p)^2$, the product rule with $\tfrac12$; on the rest they agree. So the product rule loses
#
# $$\text{loss} = s\,\big(p^2 + (1-p)^2 - \tfrac12\big) = \tfrac{s}{2}\,\big(2\,\Phi(1/\sigma) - 1\big)^2 .$$

# %%
def loss_of_the_rule(noise, synergy):
    return synergy / 2 * (2 * stats.norm.cdf(1 / noise) - 1) ** 2


assert np.isclose(known.bayes_accuracy - known.late_accuracy,
                  loss_of_the_rule(0.5, 0.4))

# %% [markdown]
# That is what *can* be lost. What trained networks lose is an experiment: five noises, six shares of synergy, three numbers of training pairs. At each point six seeds draw data and train early, late (apart), hybrid, and *products*: one layer makes a vector of the image and another a vector of the text, and each logit is a weighted sum of all products of an entry of the one with an entry of the other, and of the entries themselves. [Multiplying features](multiplicative.ipynb) is about such fusions. The setting of the first contest is one of the points, so the runs above can be compared with the stored ones.

# %%
runs = experiment("fusion_early_late_hybrid")
NAMES = ("early", "late", "hybrid", "products")
SIZES, NOISES, SYNERGIES = (sorted({run[dial] for run in runs})
                            for dial in ("size", "noise", "synergy"))


def at(size, noise, synergy):
    """{fusion: accuracies of the six seeds} at one point."""
    dials = {"size": size, "noise": noise, "synergy": synergy}
    return {name: np.array([runs.values(f"{name}_{seed}", **dials)[0]
                            for seed in range(6)]) for name in NAMES}


for name, live in (("early", early), ("late", late)):
    kept = at(1600, 0.5, 0.4)[name]
    claim(f"mean accuracy of {name} above, beside six stored seeds", live.mean(),
          at_least=kept.min() - 0.01, at_most=kept.max() + 0.01, key=f"live-{name}")

# %% [markdown]
# When is a difference a win? All fusions of a seed see the same examples, so we take the difference seed by seed, its mean over the six, and a $95\%$ interval for that mean (Student's $t$). Where the interval holds zero, it is a tie. Among equals, about one comparison in twenty would still be called a win.

# %%
def difference(a, b):
    """Mean of a - b over seeds, and half the width of its 95% interval."""
    d = a - b
    return d.mean(), stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))


def leaders(scores):
    """The best in the mean, and all that tie with it."""
    best = max(scores, key=lambda name: scores[name].mean())
    gaps = {name: difference(scores[best], scores[name]) for name in scores}
    return [name for name in scores
            if name == best or gaps[name][0] <= gaps[name][1]]


def verdict(a, b):
    """+1 where a wins, -1 where b wins, 0 for a tie."""
    mean, half = difference(a, b)
    return int(np.sign(mean)) if abs(mean) > half else 0

# %% tags=["hide-input"]
from matplotlib.patheffects import withStroke


def place(values, grid):
    """Positions on an axis whose ticks are one apart; straight in between."""
    return np.interp(values, grid, np.arange(len(grid)))


# %% tags=["hide-input"]
def draw_size(axis, size):
    """One panel: colours by early minus late, letters of the leaders, the Bayes boundary."""
    gaps = np.zeros((len(NOISES), len(SYNERGIES)))
    for row, noise in enumerate(NOISES):
        for column, synergy in enumerate(SYNERGIES):
            scores = at(size, noise, synergy)
            gaps[row, column] = (scores["early"] - scores["late"]).mean()
            best = leaders(scores)
            letters = "all" if len(best) == 4 else "".join(name[0].upper() for name in best)
            halo = [withStroke(linewidth=2.5, foreground="white")]  # readable on lines and dark cells
            axis.text(column, row, letters, ha="center", va="center", fontsize=9, path_effects=halo)
    image = axis.imshow(gaps, cmap="PuOr_r", vmin=-0.2, vmax=0.2, origin="lower", aspect="auto")
    fine = np.linspace(NOISES[0], NOISES[-1], 400)
    for lost, style in ((0.02, "-"), (0.1, "--")):
        boundary = 2 * lost / (2 * stats.norm.cdf(1 / fine) - 1) ** 2
        boundary[boundary > 1] = np.nan  # more synergy than there is
        axis.plot(place(boundary, SYNERGIES), place(fine, NOISES), "k" + style, label=f"product rule loses {lost}")
    axis.set(title=f"{size} pairs", xlabel="synergy in bits", xlim=(-0.5, len(SYNERGIES) - 0.5))
    axis.set_ylim(-0.5, len(NOISES) - 0.5)
    axis.set_xticks(range(len(SYNERGIES)), SYNERGIES, fontsize=9)
    axis.set_yticks(range(len(NOISES)), NOISES)
    return image


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9.8, 4.0), sharey=True, layout="constrained")
for axis, size in zip(axes, SIZES, strict=True):
    image = draw_size(axis, size)
axes[0].set(ylabel="noise")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
fig.colorbar(image, ax=axes, label="accuracy, early minus late", extend="both")
figure(
    fig,
    "map",
    caption="Which fusion wins. Colour: mean accuracy of early minus late over six seeds. Letters: the leader and all that tie with it, "
    "of early (E), late (L), hybrid (H) and products (P); *all* where the four tie. Lines, the Bayes boundary: the product rule loses "
    "two points (full) or ten (dashed) to the best rule. Between the ticks the axes are stretched evenly.",
    alt="Three maps of noise against synergy, for 100, 400 and 1600 pairs. To the left and above, cells are nearly white and most say "
    "all. To the lower right they are orange, for early above late, and most say P. The orange region begins at the dashed line with "
    "100 pairs and near the full line with 1600. No cell is purple.",
)

# %% [markdown]
# Read a map from the left. Where the product rule loses little, early and late tie, and the colour is nearly white. Beyond the boundary, to the lower right, early fusion pulls away. With more examples this region grows toward the full line.

# %%
def contest(size, one, other):
    """(what the rule loses, verdict on one against the other) at every point."""
    return np.array([(loss_of_the_rule(noise, synergy),
                      verdict(at(size, noise, synergy)[one],
                              at(size, noise, synergy)[other]))
                     for noise in NOISES for synergy in SYNERGIES])


late_wins = 0
for size, low, high in ((100, 6, 8), (400, 14, 16), (1600, 16, 18)):
    lost, says = contest(size, "early", "late").T
    beyond = lost > 0.02
    assert beyond.sum() == 18
    late_wins += (says < 0).sum()
    claim(f"{size} pairs: points of 18 beyond the boundary at which early beats late",
          (says[beyond] > 0).sum(), at_least=low, at_most=high, key=f"beyond-{size}")
    claim(f"{size} pairs: points of 12 before it at which early beats late",
          (says[~beyond] > 0).sum(), at_least=0, at_most=1, key=f"before-{size}")
    if size == 100:
        claim("100 pairs: largest loss of the rule at which early does not win",
              lost[says <= 0].max(), at_least=0.1, at_most=0.14, key="no-win-100")
claim("points of 90 at which late beats early", late_wins, at_most=0, key="late-wins")

# %% [markdown]
# The boundary is the full line: the product rule loses two answers in a hundred. With a hundred pairs early fusion wins at less than half of the points beyond it, and at one point it does not win though the rule loses more than a tenth: the interaction is there, and a hundred noisy pairs did not teach it. With 1600 it wins at nearly all of them. As examples are added, the networks move toward the Bayes boundary.
#
# And late fusion, on the other side? With the same pairs it beats early fusion nowhere. We expected that early fusion would cost something where there is no interaction, and on this map it does not. The second contest remains: there late fusion wins, by single examples that training on pairs cannot use. What of hybrid and products?

# %%
def tally(one, other):
    """At how many of the 90 points `one` wins, and at how many it loses."""
    says = np.concatenate([contest(size, one, other)[:, 1] for size in SIZES])
    return (says > 0).sum(), (says < 0).sum()


# %%
parameters = {fusion: sum(p.numel() for p in fusion(WIDTHS, hidden_size=16, out_dim=2)
                          .parameters()) for fusion in (EarlyFusion, HybridFusion)}
assert parameters[HybridFusion] > 2 * parameters[EarlyFusion]
won, lost_points = tally("hybrid", "early")
claim("points of 90 at which hybrid beats early", won, at_most=1, key="hybrid-wins")
claim("points of 90 at which early beats hybrid", lost_points,
      at_least=8, key="hybrid-loses")
won, lost_points = tally("products", "early")
claim("points of 90 at which products beat early", won,
      at_least=30, key="products-win")
claim("points of 90 at which early beats products", lost_points,
      at_most=12, key="products-lose")
says = np.concatenate([contest(size, "products", "early") for size in SIZES])
claim("largest loss of the rule at which early beats products",
      says[says[:, 1] < 0, 0].max(), at_most=0.01, key="products-lose-where")
for size, low, high in ((100, 0.01, 0.017), (400, 0.003, 0.009), (1600, 0.002, 0.006)):
    points = [at(size, noise, synergy) for noise in NOISES for synergy in SYNERGIES]
    gain = np.mean([scores["products"] - scores["early"] for scores in points])
    claim(f"{size} pairs: mean over 30 points of products minus early", gain,
          at_least=low, at_most=high, key=f"products-{size}")

# %% [markdown]
# Hybrid fusion can express whatever early fusion can, with more than twice as many parameters; here they were no help. Products win at many points, and on average by most with a hundred pairs. They have just the form of the interaction in this world, and a form that fits perhaps saves examples. They lose only where there is next to nothing to multiply.
#
# ## Does it use the interaction?
#
# Early fusion *can* interact. Whether a trained model does is another question, and accuracy alone does not answer it. The additive projection does ([Hessel and Lee, 2020](../../book/bibliography.md#hessel2020)): recombine every image of the test part with every text, average, and keep only what a sum of one function a modality can say. If the accuracy stays, the interaction did not help the answers. Take the first team's early model, and one trained where there is no synergy.

# %%
def with_and_without(model, data):
    """Accuracy of a model, and of its additive projection, on 800 examples."""
    few = data.take(slice(800))
    projected = additive(lambda rows: predict(model, rows), few)
    whole = accuracy(predict(model, few), few.labels)
    return whole, accuracy(projected, few.labels)


plain_parts, plain_early, *_ = early_and_late(
    noise=0.5, synergy=0.0, size=1600, seeds=1)
for name, model, parts, low, high in (
    ("synergy 0.4", first_early[0], first_parts[0], 0.1, 0.25),
    ("no synergy", plain_early[0], plain_parts[0], -0.01, 0.02),
):
    whole, sums = with_and_without(model, parts[2])
    claim(f"{name}: accuracy of early minus that of its additive projection",
          whole - sums, at_least=low, at_most=high,
          key=f"emap-{name.replace(' ', '-').replace('.', '-')}")

# %% [markdown]
# The same test tells whether you need early fusion at all: train it, project it, and if nothing is lost, a sum of one network a modality will do, that is late fusion trained together.
#
# ## When one is missing
#
# A late fusion leaves a missing modality out, and with it its share of the prior. What remains is exactly the other classifier. The joint path of early fusion gets zeros in its place, an input that it has never seen. The first team's models, with every text hidden:

# %%
hidden_text = {"text": torch.zeros(4000, dtype=torch.bool)}
left = {"early": [], "late": []}
for test, early_model, late_model in zip(
        [part[2] for part in first_parts], first_early, first_late, strict=True):
    tensors = {m: torch.tensor(rows).float() for m, rows in test.features.items()}
    labels = torch.tensor(test.labels)
    with torch.no_grad():
        for name, model in (("early", early_model), ("late", late_model)):
            answers = model(tensors, hidden_text).argmax(dim=1)
            left[name].append((answers == labels).double().mean().item())
        image_alone = late_model.decisions(tensors)[:, 0]
        assert torch.allclose(late_model(tensors, hidden_text), image_alone, atol=1e-6)

exact("the best rule with the image alone reaches {:.3f}",
      known.alone["image"], key="missing-best")
for name, low, high in (("late", -0.02, 0.01), ("early", -0.03, 0.01)):
    claim(f"text missing: mean accuracy of {name} minus that of the best rule",
          np.mean(left[name]) - known.alone["image"],
          at_least=low, at_most=high, key=f"missing-{name}")

# %% [markdown]
# Both come near the best that the image allows. For late fusion that follows from the formula, as far as the image's classifier is good. For early fusion nothing guarantees it: zeros do little harm here, perhaps because zero lies near the mean of every feature. [Missing modalities](missing_modalities.ipynb) asks what happens elsewhere, and how to train for it.
#
# ## The same in three frameworks
#
# The three fusions exist for PyTorch and for Keras, with equal names and shapes of their parameters. Here with three modalities, a prior and a mask.

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.parity import numpy_arguments, relative_error, transfer

dims = {"image": 5, "text": 4, "sound": 3}
batch = {m: rng.normal(size=(8, width)) for m, width in dims.items()}
mask = {"text": np.arange(8) % 3 != 0, "sound": np.arange(8) % 2 == 0}
as_tensors = [{m: torch.tensor(a) for m, a in arrays.items()}
              for arrays in (batch, mask)]
cases = (
    (EarlyFusion, {}, lambda p: early_fusion(batch, list(dims), mask=mask, **p)),
    (HybridFusion, {}, lambda p: hybrid_fusion(batch, list(dims), mask=mask, **p)),
    (LateFusion, {"prior": [0.5, 0.3, 0.2], "learned": True},
     lambda p: late_fusion(batch, mask=mask, prior=[0.5, 0.3, 0.2], **p)),
)

# %%
for fusion, options, formula in cases:
    in_torch = fusion(dims, hidden_size=6, out_dim=3, **options).double()
    in_keras = getattr(keras_fusion, fusion.__name__)(
        dims, hidden_size=6, out_dim=3, dtype="float64", **options)
    transfer(in_torch, in_keras)

    output = in_torch(*as_tensors)
    (output**2).sum().backward()
    with tf.GradientTape() as tape:
        keras_output = in_keras(batch, mask=mask)
        loss = tf.reduce_sum(keras_output**2)
    variables = {v.name: v.value for v in in_keras.trainable_weights}
    keras_gradients = tape.gradient(loss, variables)

    reference = formula(numpy_arguments(in_torch))
    assert relative_error(output.detach(), reference) < 1e-10
    assert relative_error(keras_output, reference) < 1e-10
    for name, parameter in in_torch.named_parameters():
        assert relative_error(keras_gradients[name], parameter.grad) < 1e-9

# %% [markdown]
# ## What to keep
#
# The product rule is Bayes' rule where the modalities are independent given the class: then decisions made apart lose nothing. A disturbance that both share breaks it, and training the classifiers together mends that where the best logits are still a sum. An interaction breaks it for good. Synergy is what the tables of single modalities leave open. In the world of the map the product rule loses by it in proportion to its share, and the trained networks come nearer to that boundary with more examples. With the same pairs late fusion was not better anywhere. Its strengths are others: it learns from examples of one modality, and a missing one leaves exactly the rest.
#
# What the map does not show: the world is small, its interaction is one product of two signs, a column tells which examples have it, and a thousand further examples said when to stop. *Products* have just the form of that interaction. Other worlds have other maps; the boundary is computed in the same way where the distribution is known, and where it is not, the additive projection of a trained model says whether an interaction was found, never that there is none.
#
# **Try it.** Ask for OR instead of AND, `partial_information(table(lambda a, b: a | b))`: why are the numbers the same? Give the early team of the second contest more pairs, `compete(EarlyFusion, [draw(size=400, seed=seed, **rare) for seed in range(6)])[1].mean()`: how many does it need to reach `many_late.mean()`? The [exercises](exercises.ipynb) ask for the product rule with a mask, and for the world in which it would be right.
#
# **Further reading.** [Kittler et al. (1998)](../../book/bibliography.md#kittler1998) for ways to combine classifiers, [Atrey et al. (2010)](../../book/bibliography.md#atrey2010) for early, late and hybrid fusion in the systems of their time, [Bertschinger et al. (2014)](../../book/bibliography.md#bertschinger2014) for the decomposition, [Liang et al. (2023)](../../book/bibliography.md#liang2023) for its use on multimodal data.

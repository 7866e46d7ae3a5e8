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
# # Multiplying features
#
# Fuse modalities by the products of their features, keep the cost from growing with every product, and say which questions a product answers that no sum can.
#
# **Before this:** [The weighted sum](weighted_sum.ipynb), for what adding and joining vectors can do. The proofs are on the page [Products of features](../../book/fusion/multiplicative.md).

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

from mmcourse.data import PairedData, controlled_pairs, digits_with_words
from mmcourse.fusion import counts
from mmcourse.fusion.numpy import bilinear_fusion, expand_factors
from mmcourse.fusion.numpy import low_rank_fusion, multiplicative_fusion
from mmcourse.fusion.numpy import outer_product, tensor_fusion
from mmcourse.fusion.torch import BilinearFusion, ConcatenationFusion
from mmcourse.fusion.torch import LowRankFusion, MultiplicativeFusion, TensorFusion
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments, relative_error
from mmcourse.training import accuracy, fit, predict, seed_everything

setup("fusion/multiplicative")

# %% [markdown]
# ## A question that no sum answers
#
# Does the picture say the same as the text? Let each modality be one number, positive or negative with some noise, and let the label be yes where the two signs agree. Nothing is hard to see here. We train two fusions whose two outputs are the logits: a linear layer on the joined numbers, and a *bilinear* fusion, which has the product of the two and a bias.

# %%
signs = controlled_pairs("synergistic", 6_000, separation={"image": 3.0, "text": 3.0},
                         widths={"image": 1, "text": 1}, seed=0)
# A width of one has the direction +1 or -1, drawn by the seed: make it +1.
signs = signs.scaled({m: u[0] / 3 for m, u in signs.directions.items()})
signs_train, signs_test = signs.take(slice(2_000)), signs.take(slice(2_000, None))


def cross_entropy(logits, labels):
    """Mean of -log softmax at the label, in nats."""
    return torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(labels)).item()


def trained_on_signs(fusion_class, **options):
    """A fusion whose two outputs are the logits, trained."""
    seed_everything(0)
    model = fusion_class(signs.widths, out_dim=2, **options)
    fit(model, signs_train, seed=0, epochs=30, batch_size=64, learning_rate=1e-2)
    return model


# %%
joined, multiplied = map(trained_on_signs, (ConcatenationFusion, BilinearFusion))
losses = {name: cross_entropy(predict(model, signs_test), signs_test.labels)
          for name, model in (("joined", joined), ("multiplied", multiplied))}
claim("test cross-entropy of concatenation", losses["joined"],
      at_least=0.68, at_most=0.71, key="signs-concatenation")
claim("test cross-entropy of bilinear fusion", losses["multiplied"],
      at_most=0.1, key="signs-bilinear")
exact("log 2 is {:.4f}", np.log(2), key="log-two")

# %% tags=["hide-input"]
grid = np.linspace(-2, 2, 61, dtype=np.float32)
image_axis, text_axis = (axis.reshape(-1, 1) for axis in np.meshgrid(grid, grid))
places = {"image": torch.tensor(image_axis), "text": torch.tensor(text_axis)}
fig, axes = plt.subplots(1, 2, figsize=(8, 3.5), sharey=True, layout="constrained")
for axis, model, name in zip(axes, (joined, multiplied), ("concatenation", "bilinear"), strict=True):
    with torch.no_grad():
        share = torch.softmax(model(places), dim=1)[:, 1].reshape(61, 61)
    shown = axis.pcolormesh(grid, grid, share, cmap="PuOr", vmin=0, vmax=1, rasterized=True)
    for label, marker in ((0, "o"), (1, "^")):
        points = {m: rows[:200][signs_test.labels[:200] == label, 0] for m, rows in signs_test.features.items()}
        axis.plot(points["image"], points["text"], marker, color="black", fillstyle="none", markersize=5)
    axis.set(title=name, xlabel="number from the image", xlim=(-2, 2), ylim=(-2, 2))
axes[0].set(ylabel="number from the text")
fig.colorbar(shown, ax=axes, label="probability of yes")
figure(
    fig,
    "saddle",
    caption="Triangles are yes, circles no. A linear layer on the joined numbers tilts a plane, which cannot be high in "
    "two opposite corners and low in the other two: it stays nearly flat, at one half. The product is a saddle.",
    alt="Two panels with four clouds of points in the corners of a square. On the left the background has one pale colour. "
    "On the right two opposite corners are deeply coloured for yes and the other two for no.",
)

# %% [markdown]
# The joined model is not badly trained: nothing of its kind does better. Its logit of yes against no is a function of the image $i$ plus a function of the text $t$, $f(i, t) = g(i) + h(t)$. Forget the noise: the four combinations $(\pm 1, \pm 1)$ come equally often. Change both signs: the label stays. Change one: the label turns. So of $f$ we can make three more models with the same loss, $f(-i,-t)$, $-f(-i,t)$ and $-f(i,-t)$. Cross-entropy is convex in the logit: the mean of the four has at most the same loss. But for a sum the mean is
#
# $$\tfrac14 \big[ f(i,t) + f(-i,-t) - f(-i,t) - f(i,-t) \big] = 0 ,$$
#
# every term occurs with both signs. So the loss of $f$ is at least that of the constant 0, which is $\log 2$. This holds for every $g$ and $h$, hence for encoders of any depth, as long as a linear layer on joined features follows.

# %%
corner = np.array([-1, 1])
same_sign = np.equal.outer(corner, corner)  # the label: (image, text)


def corner_loss(logit):
    """Cross-entropy over the four equally frequent combinations."""
    return np.log1p(np.exp(-np.where(same_sign, logit, -logit))).mean()


rng = np.random.default_rng(0)
for _ in range(1_000):
    g, h = rng.normal(scale=3, size=(2, 2))
    logit = np.add.outer(g, h)
    assert abs(logit[0, 0] + logit[1, 1] - logit[0, 1] - logit[1, 0]) < 1e-12
    assert corner_loss(logit) >= np.log(2)
assert np.isclose(corner_loss(np.zeros((2, 2))), np.log(2))
assert corner_loss(9 * np.multiply.outer(corner, corner)) < 1e-3  # a product

# %% [markdown]
# ## Two by two, by hand
#
# Take wider vectors. A picture with the features $(2, 3)$, a text with $(5, 7)$. There are four products of one feature of each:
#
# $$\begin{pmatrix} 2\cdot5 & 2\cdot7 \\ 3\cdot5 & 3\cdot7 \end{pmatrix} = \begin{pmatrix} 10 & 14 \\ 15 & 21 \end{pmatrix} .$$
#
# This table is their *outer product*. Bilinear fusion gives each output $o$ a weight for each entry, and adds: with a vector $z$ of one modality, a vector $x$ of the other, a kernel $W$ and a bias $b$,
#
# $$F_o = \sum_{i,j} z_i\, W_{ijo}\, x_j + b_o .$$

# %%
picture, caption = np.array([2.0, 3.0]), np.array([5.0, 7.0])
kernel = np.array([[1.0, 10.0], [100.0, 1000.0]])  # one output
total = 0.0
for i in range(2):
    for j in range(2):
        total += picture[i] * kernel[i, j] * caption[j]
print("1 * 10 + 10 * 14 + 100 * 15 + 1000 * 21 =", total)

one_pair = {"picture": picture[None], "text": caption[None]}
fused = bilinear_fusion(one_pair, ["picture", "text"],
                        kernel=kernel[:, :, None], bias=[0.0])
assert fused.shape == (1, 1)
assert fused[0, 0] == total == 22650

# %% [markdown]
# Products alone forget the features themselves. Put a constant 1 before each vector. The table of $[1, z]$ and $[1, x]$ has a corner, which is 1, two edges, which are $z$ and $x$, and the products inside. One kernel for the whole table holds a bias, a linear layer for each modality, and the bilinear part. This is *tensor fusion* ([Zadeh et al., 2017](../../book/bibliography.md#zadeh2017)). With three modalities the table is a block, with all pairs of modalities on its faces and the products of three inside.

# %%
table = outer_product(one_pair, ["picture", "text"])[0]
print(table)
assert table[0, 0] == 1
assert (table[1:, 0] == picture).all()
assert (table[0, 1:] == caption).all()
assert (table[1:, 1:] == np.outer(picture, caption)).all()

# %% [markdown]
# With a parameter for each of the four parts the same is known as the *multiplicative interaction* ([Jayakumar et al., 2020](../../book/bibliography.md#jayakumar2020)):
#
# $$F = z^{\top} W x + zU + xV + b ,$$
#
# where $z^{\top} W x$ is short for the sum above, and $U$ and $V$ are matrices. Bilinear fusion is the case $U = V = 0$, concatenation with a linear layer the case $W = 0$. Another case: output $o$ multiplies $x_o$ alone, so $W_{ijo} = 0$ unless $j = o$, and $V$ is the identity. Then $z$ scales each feature of $x$, and through $U$ it adds a shift. This is feature-wise modulation (FiLM): $F = (1 + zG) \odot x + zB$, with matrices $G$ and $B$; $\odot$ multiplies number by number.

# %%
z, x = rng.normal(size=(6, 3)), rng.normal(size=(6, 4))
G, B = rng.normal(size=(2, 3, 4))
W, U, V, b = rng.normal(size=(3, 4, 4)), B, np.eye(4), np.zeros(4)
diagonal = np.einsum("io,jo->ijo", G, np.eye(4))  # output o meets x_o alone
pair, names = {"z": z, "x": x}, ["z", "x"]

film = multiplicative_fusion(pair, names, kernel=diagonal,
                             linear={"z": B, "x": V}, bias=b)
assert np.allclose(film, (1 + z @ G) * x + z @ B, rtol=1e-12)

parts = multiplicative_fusion(pair, names, kernel=W, linear={"z": U, "x": V}, bias=b)
in_one = np.zeros((1 + 3, 1 + 4, 4))  # the kernel of tensor fusion
in_one[0, 0], in_one[1:, 0], in_one[0, 1:], in_one[1:, 1:] = b, U, V, W
assert np.allclose(parts, tensor_fusion(pair, names, kernel=in_one), rtol=1e-12)

# %% [markdown]
# Back to the signs: the multiplicative interaction and tensor fusion learn them as well, and so does the low-rank form that comes below.

# %%
for fusion_class, options in ((MultiplicativeFusion, {}), (TensorFusion, {}),
                              (LowRankFusion, {"rank": 2})):
    answers = predict(trained_on_signs(fusion_class, **options), signs_test)
    name = fusion_class.__name__.removesuffix("Fusion")
    claim(f"test cross-entropy of {name} fusion",
          cross_entropy(answers, signs_test.labels), at_most=0.1,
          key=f"signs-{name.lower()}")

# %% [markdown]
# ## What the table costs
#
# Take three modalities of widths 128, 128 and 64. Their table has more than a million entries *for each example*, and the kernel has that many for each output. `mmcourse.fusion.counts` knows the cost of every fusion by formula. A multiply-add is one product with its addition.

# %%
SPEECH = {"image": 128, "text": 128, "audio": 64}
tensor_cost = counts.count_tensor_fusion(SPEECH, 32, materialise=True)
exact("entries of the table, for one example {:,.0f}", tensor_cost.largest,
      key="table-entries")
exact("parameters of tensor fusion {:,.0f}", tensor_cost.parameters,
      key="tensor-parameters")
exact("parameters of concatenation {:,.0f}",
      counts.count_concatenation(SPEECH, 32).parameters, key="joined-parameters")
exact("table of a batch of 32, in megabytes {:.0f}",
      32 * tensor_cost.largest * 4 / 1e6, key="table-megabytes")

# %% [markdown]
# The kernel must be stored; the table need not. The sum over its entries can be taken in any order. The outer product of the first $k$ vectors meets the kernel in one matrix product; what comes out is contracted with the other vectors, one after another. Every $k$ takes the same multiply-adds with the kernel, but the largest arrays on the way differ widely. `TensorFusion` takes the $k$ whose largest array is smallest: here the image and the text first.

# %%
module = TensorFusion(SPEECH, out_dim=32, check_values=False)
batch = {m: torch.randn(32, dim) for m, dim in SPEECH.items()}
with torch.no_grad():
    contracted = module(batch)
    made = module.outer_product(batch).flatten(1) @ module.kernel.flatten(0, -2)
assert relative_error(contracted, made) < 1e-5
contracted_cost = counts.count_tensor_fusion(SPEECH, 32)
assert sum(p.numel() for p in module.parameters()) == contracted_cost.parameters
assert contracted_cost.largest == 129 * 129
exact("largest array made over largest array contracted {:.0f}",
      tensor_cost.largest / contracted_cost.largest, key="largest-ratio")
exact("multiply-adds contracted over multiply-adds made {:.3f}",
      contracted_cost.multiply_adds / tensor_cost.multiply_adds, key="adds-ratio")

# %% [markdown]
# ## A kernel that is never made
#
# The kernel itself still has a factor $1 + d_m$ for every modality. Low-rank fusion ([Liu et al., 2018](../../book/bibliography.md#liu2018)) does not store it. It writes the kernel as a sum of $R$ outer products of vectors, one from each modality. The sums then change places: first each modality meets its own factor, then the results are multiplied, then the $R$ products are added,
#
# $$F = \sum_{r=1}^{R} w_r \prod_m \big( [1, x_m]\, A_m^{(r)} \big) + b .$$
#
# Here $A_m^{(r)}$ has shape $(1 + d_m, \text{out})$, $\prod$ multiplies number by number, $w_r$ is a weight and $R$ the *rank*. From scratch, and by the package:

# %%
dims, rank, out = {"image": 4, "text": 3, "audio": 2}, 2, 5
features = {m: rng.normal(size=(6, dim)) for m, dim in dims.items()}
factors = {m: rng.normal(size=(rank, 1 + dim, out)) for m, dim in dims.items()}
weights, bias = rng.normal(size=rank), rng.normal(size=out)

by_hand = np.zeros((6, out)) + bias
for r in range(rank):
    product = np.ones((6, out))
    for m, x in features.items():
        with_one = np.hstack([np.ones((6, 1)), x])  # [1, x]
        product *= with_one @ factors[m][r]
    by_hand += weights[r] * product

low_rank = low_rank_fusion(features, factors, weights, bias)
assert np.allclose(low_rank, by_hand, rtol=1e-12)
whole = expand_factors(factors, list(dims), weights, bias)
assert whole.shape == (5, 4, 3, 5)
assert np.allclose(tensor_fusion(features, list(dims), kernel=whole),
                   low_rank, rtol=1e-10)

# %% [markdown]
# The last line is the point: it *is* tensor fusion, with the expanded factors as its kernel. The size of its factors is a sum over modalities, not a product, times the rank. The formulas against modules, over ranks, widths and numbers of modalities:

# %%
def modalities(count, width):
    return {f"m{number}": width for number in range(count)}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


for count in (1, 2, 3, 4):
    for width in (2, 5, 9):
        several = modalities(count, width)
        full = TensorFusion(several, out_dim=3)
        assert parameters(full) == 3 * (1 + width) ** count
        assert parameters(full) == counts.count_tensor_fusion(several, 3).parameters
        for r in (1, 4, 7):
            low = LowRankFusion(several, out_dim=3, rank=r)
            assert parameters(low) == r * (3 * count * (1 + width) + 1) + 3
            cost = counts.count_low_rank_fusion(several, 3, r)
            assert parameters(low) == cost.parameters
            assert cost.multiply_adds == r * 3 * (count * (1 + width) + 1)

# %% tags=["hide-input"]
runs = experiment("fusion_multiplicative")
NUMBERS, WIDTH, OUT, BATCH, RANK = (1, 2, 3, 4, 5), 12, 32, 32, 8
FORMS = {
    "outer product made": ("C0", "o", lambda d: counts.count_tensor_fusion(d, OUT, materialise=True)),
    "contracted": ("C1", "s", lambda d: counts.count_tensor_fusion(d, OUT)),
    "low rank": ("C2", "^", lambda d: counts.count_low_rank_fusion(d, OUT, RANK)),
}

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for form, (colour, marker, cost_of) in FORMS.items():
    costs = [cost_of(modalities(number, WIDTH)) for number in NUMBERS]
    milliseconds = [runs.values("milliseconds", sweep="cost", form=form, modalities=number)[0] for number in NUMBERS]
    curves = [c.multiply_adds for c in costs], [BATCH * c.largest for c in costs], milliseconds
    for axis, curve in zip(axes, curves, strict=True):
        axis.plot(NUMBERS, curve, color=colour, marker=marker, label=form, alpha=0.8)
for axis, title in zip(
    axes, ("multiply-adds an example", "numbers in the largest array", "milliseconds a step"), strict=True
):
    axis.set(yscale="log", title=title, xlabel="modalities", xticks=NUMBERS)
axes[0].legend(fontsize=10)
figure(
    fig,
    "costs",
    caption="Modalities of width 12, 32 outputs, rank 8, a batch of 32. Left and middle by formula, right the median of "
    "15 steps forward and backward on one core. Each further modality multiplies the multiply-adds of the tensor by about 13; "
    "for low rank it adds to them. With one modality or two low rank costs more. The two forms of the tensor have nearly the same "
    "multiply-adds, not the same arrays, and in time they part from four modalities on.",
    alt="Three plots with logarithmic vertical axes against one to five modalities. The curves of the tensor rise steeply, "
    "the one with the outer product highest; the curve of low rank stays almost flat.",
)

# %%
step = {form: runs.values("milliseconds", sweep="cost", form=form, modalities=5)[0]
        for form in FORMS}
claim("time with the outer product made over time contracted, five modalities",
      step["outer product made"] / step["contracted"], at_least=1.3, key="time-made")
claim("time contracted over time of low rank, five modalities",
      step["contracted"] / step["low rank"], at_least=30, key="time-low-rank")

# %% [markdown]
# > **Correction.** A source document ([entry E-10](../../book/corrections.md#e-10)) announces alignment and a product of matrices as two kinds of fusion, and gives neither a formula nor a cost. Multiplying features is a bilinear form; with constants it is tensor fusion, and the low-rank form makes it affordable. Above are their formulas and their costs. Alignment by cross-attention has a lesson of its own.
#
# ## A product of three, learned
#
# Can such a product be trained? The target is a sum of two products, each of one direction in each of three modalities. The model does not know the directions. We train it on a thousand examples and measure the squared error on two thousand others.

# %%
def trilinear(examples, rank=2, width=4):
    """Three modalities and sum_r prod_m x_m . a_mr, a known interaction."""
    directions = torch.randn(3, width, rank) / 2
    x = torch.randn(3, examples, width)
    target = torch.einsum("mbi,mir->mbr", x, directions).prod(0).sum(1, keepdim=True)
    return dict(zip(("image", "text", "audio"), x, strict=True)), target


def regress(model, features, target, steps=500, learning_rate=0.02):
    """Train on the first thousand; return mean squared error on the rest."""
    train, test = ({m: x[rows] for m, x in features.items()}
                   for rows in (slice(1000), slice(1000, None)))
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        (model(train) - target[:1000]).square().mean().backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return (model(test) - target[1000:]).square().mean().item()


# %%
seed_everything(0)
three, product_of_three = trilinear(3_000)
fours = {m: x.shape[1] for m, x in three.items()}
variance = product_of_three.var().item()
low_rank_module = LowRankFusion(fours, out_dim=1, rank=6)
learned_error = regress(low_rank_module, three, product_of_three)
summed_error = regress(
    ConcatenationFusion(fours, out_dim=1), three, product_of_three)
claim("held-out squared error of low rank", learned_error,
      at_most=1e-3, key="trilinear-error")
claim("held-out squared error of low rank over the target's variance",
      learned_error / variance, at_most=1e-2, key="trilinear-share")
claim("held-out squared error of a linear layer over the target's variance",
      summed_error / variance, at_least=0.9, key="linear-share")

# %% [markdown]
# ## Factors that nobody trains
#
# A public program of low-rank fusion kept its factors in a plain Python list. PyTorch finds parameters that are attributes, or stand in its own containers. In a list it does not see them, and the optimiser never gets them. There is no error and no warning. In the class below the weights and the bias still move.

# %%
class FactorsInAList(torch.nn.Module):
    """The same formula; the factors in a plain list."""

    def __init__(self, dims, out_dim, rank):
        super().__init__()
        start = LowRankFusion(dims, out_dim=out_dim, rank=rank)
        self.factors = list(start.factors.values())  # not registered
        self.names = list(start.factors)
        self.weights, self.bias = start.weights, start.bias

    def forward(self, features):
        product = 1.0
        for m, factor in zip(self.names, self.factors, strict=True):
            product = product * (factor[:, :1] + features[m] @ factor[:, 1:])
        return torch.tensordot(self.weights, product, dims=1) + self.bias


# %%
def what_training_changes(model):
    """{name: whether training changed it} of all tensors, and the error then."""
    names = getattr(model, "names", None)
    tensors = dict(zip(names, model.factors, strict=True)) if names else model.factors
    tensors = {f"factor of {m}": f for m, f in tensors.items()}
    tensors |= {"weights": model.weights, "bias": model.bias}
    before = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    error = regress(model, three, product_of_three)
    changed = {name: not torch.equal(before[name], t) for name, t in tensors.items()}
    return changed, error


seed_everything(0)
in_list, list_error = what_training_changes(FactorsInAList(fours, 1, 6))
registered, _ = what_training_changes(LowRankFusion(fours, out_dim=1, rank=6))
for name, changed in in_list.items():
    print(f"{name:16} in a list: {'trained' if changed else 'as drawn':9}"
          f"registered: {'trained' if registered[name] else 'as drawn'}")
assert all(registered.values())
assert {name for name, changed in in_list.items() if changed} == {"weights", "bias"}
claim("held-out squared error with factors in a list over the target's variance",
      list_error / variance, at_least=0.5, key="list-share")

# %% [markdown]
# The cure is to keep them in a `ParameterDict`. The test that finds the fault is short: after training, every parameter that the formula names has changed.
#
# ## What the rank does
#
# Take a target that we know: with a vector $i$ of the image and $t$ of the text, the number $i^{\top} A\, t$. In place of the matrix $A$ low-rank fusion with one output can have any matrix of rank at most $R$, and no other. Which one is nearest to $A$? Take the singular value decomposition of $A$, keep the $R$ largest singular values, drop the others ([Eckart and Young, 1936](../../book/bibliography.md#eckart1936)). For independent features of mean zero and variance one, the mean squared error that remains is the sum of the squares of the dropped values. We compute it before training.

# %%
seed_everything(1)
singular = np.array([1.0, 0.8, 0.6, 0.4])  # the target has rank four
left, right = (np.linalg.qr(rng.normal(size=(8, 8)))[0] for _ in range(2))
A = torch.tensor(left[:, :4] * singular @ right[:, :4].T, dtype=torch.float32)
two = {"image": torch.randn(6_000, 8), "text": torch.randn(6_000, 8)}
bilinear_target = torch.einsum("bi,ij,bj->b", two["image"], A, two["text"])[:, None]
eights = {"image": 8, "text": 8}

predicted = [(singular[r:] ** 2).sum() for r in range(1, 7)]
reached = [regress(LowRankFusion(eights, out_dim=1, rank=r), two, bilinear_target)
           for r in range(1, 7)]
for r in (1, 2, 3):
    claim(f"error at rank {r} over the error predicted",
          reached[r - 1] / predicted[r - 1], at_least=0.85, at_most=1.3,
          key=f"rank-{r}")
claim("largest error at ranks 4, the target's own, 5 and 6", max(reached[3:]),
      at_most=2e-3, key="rank-4")

# %% [markdown]
# Below the target's rank something must remain, and it is close to what the singular values say. From the target's rank on, the error is gone; more rank does not hurt here.
#
# ## Handwriting plus typing
#
# Now real pictures. Somebody writes a digit by hand, somebody else types the name of a digit of their own choice, with mistakes. What is the last digit of the sum? Neither alone says anything: the other digit is drawn independently, so whatever the picture, the label is one of ten with nearly equal chances. Every model gets the same two encoders, a linear layer and a ReLU each, and is trained end to end with its fusion.

# %%
def last_digit_of_the_sum(part, pairs, seed):
    """Pictures and words drawn independently; ten classes."""
    digits = digits_with_words(part, typo_rate=0.3, pixel_noise=0.1, seed=seed)
    drawn = np.random.default_rng([seed, part == "train"])
    written, typed = drawn.integers(len(digits), size=(2, pairs))
    features = {"image": digits.features["image"][written],
                "text": digits.features["text"][typed]}
    labels = (digits.labels[written] + digits.labels[typed]) % 10
    return PairedData(features, labels, tuple("0123456789"))


class Encoded(torch.nn.Module):
    """A linear layer and a ReLU for each modality, then a fusion."""

    def __init__(self, dims, fusion, width=24):
        super().__init__()
        self.encoders = torch.nn.ModuleDict(
            {m: torch.nn.Linear(dim, width) for m, dim in dims.items()})
        self.fusion = fusion

    def forward(self, features, mask=None):
        encoded = {m: torch.relu(self.encoders[m](x)) for m, x in features.items()}
        return self.fusion(encoded)


# %%
def sums_model(fusion_class, seed=0, **options):
    """Train one model of the experiment; return its test accuracy."""
    train, test = (last_digit_of_the_sum(part, pairs, seed)
                   for part, pairs in (("train", 3_000), ("test", 2_000)))
    seed_everything(seed)
    fusion = fusion_class(dict.fromkeys(train.widths, 24), out_dim=10, **options)
    model = Encoded(train.widths, fusion)
    fit(model, train, seed=seed, epochs=30, batch_size=64,
        learning_rate=3e-3, weight_decay=1e-2)
    return accuracy(predict(model, test), test.labels)


live = sums_model(BilinearFusion)
stored = runs.values("accuracy", sweep="digits", fusion="bilinear")
claim("accuracy of bilinear fusion, beside five stored runs", live,
      at_least=stored.min() - 0.01, at_most=stored.max() + 0.01, key="live-point")

# %% [markdown]
# The stored experiment has five seeds for each fusion; a seed also draws the pairs, their noise and their mistakes. It has one more baseline, and an important one: a concatenation followed by a *hidden layer* of 64 ReLUs. That model can interact as well, without a product.

# %% tags=["hide-input"]
FULL = ("concatenation", "concatenation, hidden layer", "bilinear", "multiplicative", "tensor")
scores = {name: runs.values("accuracy", sweep="digits", fusion=name) for name in FULL}
RANKS = (1, 2, 3, 4, 8, 16)
by_rank = {r: runs.values("accuracy", sweep="ranks", rank=r) for r in RANKS}

# %% tags=["hide-input"]
fig, (left_axis, right_axis) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for row, values in enumerate(scores.values()):
    left_axis.plot(values, np.full(5, row), "o", color="C0", alpha=0.6)
    left_axis.plot(values.mean(), row, "|", color="black", markersize=18)
left_axis.set(yticks=range(5), yticklabels=FULL, xlim=(0, 0.9), xlabel="test accuracy")
left_axis.invert_yaxis()
left_axis.axvline(0.1, color="0.4", linestyle="--", linewidth=1)
left_axis.text(0.11, 3.9, "chance", color="0.3", fontsize=10)
for r, values in by_rank.items():
    right_axis.plot(np.full(5, r), values, "o", color="C2", alpha=0.6)
right_axis.plot(RANKS, [values.mean() for values in by_rank.values()], color="C2", label="low rank")
right_axis.axhline(scores["bilinear"].mean(), color="C0", linestyle="--", label="bilinear, mean")
right_axis.set(xscale="log", xticks=RANKS, xticklabels=RANKS, xlabel="rank", ylabel="test accuracy", ylim=(0.3, 0.9))
right_axis.minorticks_off()
right_axis.legend(loc="lower right")
figure(
    fig,
    "sums-of-digits",
    caption="The last digit of a sum of a written and a typed digit, five seeds each. Left: the fusions; the bar is the "
    "mean. Right: low-rank fusion against its rank.",
    alt="Left: dots of test accuracy. Concatenation lies near chance, the other four lie close together near "
    "eight tenths. Right: dots that rise with the rank from below four tenths to the level of bilinear fusion.",
)

# %%
means = {name: values.mean() for name, values in scores.items()}
claim("mean accuracy of concatenation", means["concatenation"],
      at_most=0.14, key="sum-concatenation")
claim("mean accuracy of bilinear fusion", means["bilinear"],
      at_least=0.79, key="sum-bilinear")
gains = scores["bilinear"] - scores["concatenation, hidden layer"]
claim("mean gain of bilinear fusion over the hidden layer", gains.mean(),
      at_least=0, at_most=0.03, key="gain-over-hidden")
claim("smallest gain over the hidden layer among the seeds", gains.min(),
      at_most=0.01, key="smallest-gain")
products = [means[name] for name in ("bilinear", "multiplicative", "tensor")]
claim("largest difference of means between the three full products",
      max(products) - min(products), at_most=0.02, key="products-spread")
for r in (1, 2, 4, 16):
    claim(f"mean accuracy of bilinear fusion minus that of rank {r}",
          means["bilinear"] - by_rank[r].mean(), key=f"behind-rank-{r}",
          **{1: {"at_least": 0.35}, 2: {"at_least": 0.15, "at_most": 0.23},
             4: {"at_least": 0.02, "at_most": 0.09}, 16: {"at_most": 0.03}}[r])

# %% [markdown]
# Concatenation is near chance, although its encoders are not linear: after them it adds, and a sum cannot answer this question. The four that interact are close together. The linear parts, which multiplicative and tensor fusion have beside the products, change little here; and bilinear fusion is ahead of the hidden layer by little on average, in one seed at least by next to nothing. So the product is not the only way to interact.
#
# How much rank does the question need? Less than the trained models. Put the ten digits on a circle, at the angles $\theta_n = 2\pi n/10$. For a written digit $i$ and a typed digit $t$ the score $\cos(\theta_i + \theta_t - \theta_o)$ is largest at the output $o$ that is the last digit of $i + t$. The addition theorem writes this score as two products.

# %%
angle = 2 * np.pi * np.arange(10) / 10
by_output = angle[:, None] - angle  # of the text, minus the output's: (10, 10)
first_factor = np.stack([np.repeat(f(angle)[:, None], 10, axis=1)
                         for f in (np.cos, np.sin)])  # (rank 2, image, output)
second_factor = np.stack([np.cos(by_output), np.sin(by_output)])
score = first_factor[0][:, None] * second_factor[0]
score -= first_factor[1][:, None] * second_factor[1]  # (image, text, output)
digits = np.arange(10)
assert (score.argmax(axis=2) == np.add.outer(digits, digits) % 10).all()

# %% [markdown]
# Rank two suffices for digits that are known for sure. The trained models of rank two stay far behind. So the rank alone does not explain the distance; perhaps one ReLU layer cannot bring noisy features onto a circle, perhaps training does not find the way. Note also the price: at these widths rank 16 has more parameters than the bilinear kernel. Low rank pays where widths are large or modalities are many.

# %%
exact("parameters of bilinear fusion, 24 and 24 to 10: {:,.0f}",
      counts.count_bilinear_fusion({"image": 24, "text": 24}, 10).parameters,
      key="digits-bilinear-parameters")
exact("parameters of low rank 16, the same widths: {:,.0f}",
      counts.count_low_rank_fusion({"image": 24, "text": 24}, 10, 16).parameters,
      key="digits-low-rank-parameters")

# %% [markdown]
# ## When a modality is missing
#
# In tensor and low-rank fusion $[1, x_m]$ of a missing modality becomes $[1, 0, \dots, 0]$. What is left is a fusion of the others. In bilinear fusion nothing is left but the bias: a product with zero is zero.

# %%
gone = {"text": np.zeros(6, bool)}  # missing in all six rows
lost = features | {"text": np.full((6, 3), np.nan)}
without_text = {m: features[m] for m in ("image", "audio")}
among_others = tensor_fusion(without_text, ["image", "audio"], kernel=whole[:, 0])
assert np.allclose(tensor_fusion(lost, list(dims), kernel=whole, mask=gone),
                   among_others, rtol=1e-12)
assert np.allclose(low_rank_fusion(lost, factors, weights, bias, mask=gone),
                   among_others, rtol=1e-10)
only_products = rng.normal(size=(4, 3, 5))
lost_pair = {"image": features["image"], "text": lost["text"]}
left_over = bilinear_fusion(lost_pair, ["image", "text"],
                            kernel=only_products, bias=bias, mask=gone)
assert (left_over == bias).all()

# %% [markdown]
# ## The same in three frameworks
#
# All four exist for PyTorch and for Keras. The same weights go in; the same numbers and the same gradients come out.

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
import mmcourse.fusion.numpy as formulas
from mmcourse.parity import transfer


def halves_agree(kind, formula, dims, **options):
    """The three halves on the same inputs and weights: outputs and gradients."""
    in_torch = kind(dims, **options).double()
    in_keras = getattr(keras_fusion, kind.__name__)(dims, **options, dtype="float64")
    transfer(in_torch, in_keras)
    order = {} if kind is LowRankFusion else {"modalities": list(dims)}
    rows = {m: features[m] for m in dims}
    wanted = formula(rows, **order, **numpy_arguments(in_torch))
    output = in_torch({m: torch.tensor(x) for m, x in rows.items()})
    (output**2).sum().backward()
    with tf.GradientTape() as tape:
        keras_output = in_keras({m: tf.constant(x) for m, x in rows.items()})
        loss = tf.reduce_sum(keras_output**2)
    slopes = tape.gradient(loss, {v.name: v.value for v in in_keras.trainable_weights})
    assert relative_error(output.detach(), wanted) < 1e-10
    assert relative_error(keras_output, wanted) < 1e-10
    for name, parameter in in_torch.named_parameters():
        assert relative_error(slopes[name], parameter.grad) < 1e-10


# %%
both = {"image": 4, "text": 3}
halves_agree(BilinearFusion, formulas.bilinear_fusion, both, out_dim=5)
halves_agree(MultiplicativeFusion, formulas.multiplicative_fusion, both, out_dim=5)
halves_agree(TensorFusion, formulas.tensor_fusion, dims, out_dim=5)
halves_agree(LowRankFusion, formulas.low_rank_fusion, dims, out_dim=5, rank=2)

# %% [markdown]
# ## What to keep
#
# A linear layer on joined features adds one function of each modality, whatever the encoders; on the signs it stays at $\log 2$, on the sum of two digits near chance. Products interact. Tensor fusion holds everything, from the bias to the products of all modalities, and pays for it with a kernel whose size is a product; its outer product need not be made. Low-rank fusion is the same with a kernel written as a sum of products, and pays a sum. A hidden layer after the concatenation interacts as well, so compare with one. And after a step of training, look whether every parameter has moved.
#
# **What this does not show.** One task with digits is no ranking of fusions. The question was made so that a sum must fail; where evidence adds up, as in [The weighted sum](weighted_sum.ipynb), a product need not gain anything.
#
# **Try it.** Ask for rank three on real digits: `sums_model(LowRankFusion, rank=3)`. Does a model of rank six still learn a target of rank eight? `regress(LowRankFusion(fours, out_dim=1, rank=6), *trilinear(3_000, rank=8))`. See what a sixth modality costs: `counts.count_tensor_fusion(modalities(6, 12), 32)`. The [exercises](exercises.ipynb) ask you to write low-rank fusion with missing modalities, and to find FiLM in a product.
#
# **Further reading.** [Zadeh et al. (2017)](../../book/bibliography.md#zadeh2017) for tensor fusion of language, vision and voice; [Liu et al. (2018)](../../book/bibliography.md#liu2018) for its low-rank form; [Jayakumar et al. (2020)](../../book/bibliography.md#jayakumar2020) for the many places in which multiplicative interactions are found.

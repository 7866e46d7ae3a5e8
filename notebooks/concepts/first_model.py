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
# # A first model
#
# Train a classifier from nothing, first on one modality and then on two, and find out whether it really uses both.
#
# **Before this:** Python with NumPy, the product of two matrices, and what a derivative is. Nothing about learning.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch

from mmcourse.data import PairedData, digits_with_words
from mmcourse.fusion.torch import EncodedFusion, FusionClassifier
from mmcourse.lesson import claim, exact, experiment, figure, setup

setup("concepts/first_model")

# %% [markdown]
# ## Which of the two looks at the picture?
#
# Somebody writes a digit by hand. Somebody else types its name in a hurry. Two students train the same model on the same pairs, to say which digit it is. Both are right more than nine times in ten on new pairs. But one of the two models never looks at the picture, and nothing in its training says so: no error, no warning, a loss that falls.
#
# At the end of this lesson you have built both, and you know how to tell them apart. First: what is a model, and what does training do to it?
#
# A model computes with numbers, so each modality must become a row of numbers, a *feature vector*. A picture of eight by eight pixels is written out row by row: 64 numbers between 0, paper, and 1, ink. A word becomes 26 numbers: how often each letter occurs in it, whatever the order. (Later lessons have better ways for both.)

# %%
parts = [digits_with_words(part, typo_rate=0, seed=0) for part in ("train", "test")]
pictures = np.concatenate([part.features["image"] for part in parts])
labels = np.concatenate([part.labels for part in parts])
word_counts = parts[0].features["text"]
print("pictures", pictures.shape, " labels", labels.shape, labels[:12])
assert (pictures[0] == parts[0].images[0].reshape(64)).all()

# %% tags=["hide-input"]
fig, axes = plt.subplots(
    2, 2, figsize=(9, 2.6), layout="constrained", gridspec_kw={"width_ratios": [1, 7]}
)
shown = 3
axes[0, 0].imshow(pictures[shown].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
axes[0, 1].imshow(pictures[shown][None], cmap="gray_r", vmin=0, vmax=1, aspect="auto")
axes[1, 0].text(0.5, 0.5, parts[0].words[shown], ha="center", va="center", fontsize=14)
axes[1, 0].set_axis_off()
axes[1, 1].imshow(word_counts[shown][None], cmap="gray_r", vmin=0, vmax=2, aspect="auto")
axes[0, 0].set(xticks=[], yticks=[])
axes[0, 1].set(yticks=[], xticks=range(0, 64, 8), xlabel="pixel")
axes[1, 1].set(yticks=[], xticks=range(26), xticklabels=list("abcdefghijklmnopqrstuvwxyz"), xlabel="letter")
figure(
    fig,
    "vectors",
    caption="Two modalities of one digit as feature vectors. Above, the picture's eight rows of pixels, one after the "
    "other. Below, how often each letter occurs in the word: e twice, h, r and t once.",
    alt="Above, a small grey picture of a handwritten three and a strip of 64 grey cells. Below, the word three and a "
    "strip of 26 cells, one a letter, in which e is darkest and h, r, t are grey.",
)

# %% [markdown]
# ## A score for each class
#
# The simplest classifier gives each class a score by a linear rule. With an input $x$ (a row of $d$ numbers), a matrix of *weights* $W$ ($d$ rows, one column for each class) and a row of *biases* $b$ (one for each class), the output is
#
# $$z = xW + b .$$
#
# This is a *layer*, and the scores $z$ are called *logits*. Two inputs and three classes fit on paper. With
#
# $$x = (1, 2), \quad W = \begin{pmatrix} 1 & 1 & 1 \\ 0 & \tfrac12 & -1 \end{pmatrix}, \quad b = (1, -1, 1)$$
#
# the product $xW$ is $(1, 2, -1)$, and the logits are $z = (2, 1, 0)$.
#
# The first class has the highest score, so it is the model's answer. How sure is the model? The *softmax* turns logits into probabilities: the exponential of each, so that all are positive, divided by the sum, so that they sum to one,
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}} .$$

# %%
x = np.array([1.0, 2.0])
W = np.array([[1.0, 1.0, 1.0], [0.0, 0.5, -1.0]])
b = np.array([1.0, -1.0, 1.0])
z = x @ W + b
assert (z == [2, 1, 0]).all()


def softmax(z):
    """Probabilities from logits, along the last axis."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


p = softmax(z)
exact("probability of the first class {:.3f}", p[0], key="p-first")
assert np.isclose(p[0], np.exp(2) / (np.exp(2) + np.exp(1) + np.exp(0)))
assert np.isclose(np.log(p[0] / p[1]), z[0] - z[1])  # what a logit means
assert np.allclose(softmax(z + 100), p)  # only differences count
assert np.allclose(softmax(np.array([1000.0, 0.0])), [1, 0])

# %% [markdown]
# So a *difference* of two logits is the logarithm of the ratio of the two probabilities, their odds. Adding one number to all logits changes nothing. So the code subtracts the largest before the exponential, because $e^{1000}$ is too large for a computer.
#
# Now somebody tells us the right class $y$. The *cross-entropy* is the price that the model pays: minus the logarithm of the probability that it gave to the right class,
#
# $$L = -\log p_y = \log \sum_j e^{z_j} - z_y .$$
#
# Probability one costs nothing, and the smaller the probability, the higher the price. The unit is the nat, since the logarithm is the natural one.

# %%
def cross_entropy(z, y):
    """Price of the logits z where the right class is number y."""
    return -np.log(softmax(z)[y])


exact("if the first is right, {:.3f} nats", cross_entropy(z, 0), key="price-first")
exact("if the third is right, {:.3f} nats", cross_entropy(z, 2), key="price-third")
exact("no opinion, log 3 = {:.3f}", cross_entropy(np.zeros(3), 0), key="price-none")

# %% [markdown]
# ## Which way is down?
#
# Training changes the weights so that the price falls. In which direction? Start at the logits. Take the derivative of $\log \sum_j e^{z_j} - z_y$ by $z_k$. The first part gives $e^{z_k} / \sum_j e^{z_j}$, which is $p_k$. The second part gives $-1$ where $k$ is the right class and $0$ elsewhere. Write $y$ for the row that is one at the right class and zero elsewhere. Then
#
# $$\frac{\partial L}{\partial z} = p - y .$$
#
# Against the gradient means: raise the logit of the right class by what is missing to certainty, and lower each other one by the probability that it got. A derivative found on paper is checked by *central differences*: move each logit by a little, up and down, and see what the price does.

# %%
y = np.array([1.0, 0.0, 0.0])  # the first class is right
h = 1e-5
for k in range(3):
    nudge = h * np.eye(3)[k]  # h at place k, zero elsewhere
    above, below = cross_entropy(z + nudge, 0), cross_entropy(z - nudge, 0)
    assert np.isclose((p - y)[k], (above - below) / (2 * h), rtol=1e-6)
assert np.isclose((p - y).sum(), 0)  # what one class gains, the others lose

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
for axis, values, title in zip(
    axes, (z, p, y - p), ("logits $z$", "probabilities $p$", "step: $y - p$"), strict=True
):
    axis.bar(range(3), values, color=["C2", "C0", "C0"])
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set(title=title, xticks=range(3), xticklabels=["first\n(right)", "second", "third"])
figure(
    fig,
    "three-numbers",
    caption="Three logits, their probabilities, and the step against the gradient, $y - p$: up for the right class, down "
    "for each other class by its probability.",
    alt="Three bar charts for three classes. Logits two, one, zero; probabilities two thirds, a quarter, a tenth; steps one "
    "third up for the first class, down a quarter and a tenth for the others.",
)

# %% [markdown]
# ## A step
#
# The logits are not ours to move; the weights are. Since $z_k = \sum_i x_i W_{ik} + b_k$, moving $W_{ik}$ moves $z_k$ by $x_i$ times as much, and moving $b_k$ moves it by as much. So $\partial L / \partial W_{ik} = x_i (p_k - y_k)$ and $\partial L / \partial b_k = p_k - y_k$. For $n$ examples, the rows of a matrix $X$, let the loss $L$ be the mean of their prices, $P$ the matrix of their probabilities and $Y$ that of their right classes. Then
#
# $$\frac{\partial L}{\partial W} = \frac1n X^\top (P - Y), \qquad \frac{\partial L}{\partial b} = \text{mean row of } P - Y .$$
#
# A step goes against the gradient, and the *learning rate* $\eta$ is its size:
#
# $$W \leftarrow W - \eta\, \frac{\partial L}{\partial W}, \qquad b \leftarrow b - \eta\, \frac{\partial L}{\partial b} .$$

# %%
def loss_and_gradients(X, labels, W, b):
    """Mean cross-entropy of a linear layer, and its gradients by W and b."""
    P, Y = softmax(X @ W + b), np.eye(W.shape[1])[labels]  # both (n, classes)
    loss = -np.log(P[np.arange(len(X)), labels]).mean()
    return loss, X.T @ (P - Y) / len(X), (P - Y).mean(axis=0)


from mmcourse.parity import central_differences, relative_error

few, few_labels = pictures[:20], labels[:20]
rng = np.random.default_rng(0)
start = {"W": 0.1 * rng.normal(size=(64, 10)), "b": np.zeros(10)}
loss, by_W, by_b = loss_and_gradients(few, few_labels, **start)
measured = central_differences(
    lambda at: loss_and_gradients(few, few_labels, **at)[0], start)
assert relative_error(by_W, measured["W"]) < 1e-6
assert relative_error(by_b, measured["b"]) < 1e-6
stepped = start["W"] - 0.1 * by_W, start["b"] - 0.1 * by_b
assert loss_and_gradients(few, few_labels, *stepped)[0] < loss  # downhill

# %% [markdown]
# Training is many such steps. Here are three hundred, from weights of zero, with all examples in each.

# %%
def train(X, labels, steps=300, rate=2.0):
    """Gradient steps on a linear layer from zero; returns W and b."""
    W, b = np.zeros((X.shape[1], 10)), np.zeros(10)
    for _ in range(steps):
        _, by_W, by_b = loss_and_gradients(X, labels, W, b)
        W, b = W - rate * by_W, b - rate * by_b
    return W, b


def hits(X, labels, W, b):
    """Which examples have their largest logit at the right class."""
    return (X @ W + b).argmax(axis=1) == labels


trained = train(pictures[:1200], labels[:1200])
seen = hits(pictures[:1200], labels[:1200], *trained).mean()
unseen = hits(pictures[1200:], labels[1200:], *trained).mean()
claim("accuracy on the pictures it was trained on", seen, at_least=0.97, key="seen")
claim("accuracy on pictures it has not seen", unseen,
      at_least=0.9, at_most=0.94, key="unseen")

# %% [markdown]
# ## A split, and what leaks through it
#
# The second number is lower, and it is the one that counts: a model is built for inputs that are new. So examples are *split*. The training part sets the weights. The test part is put away, and asked once.
#
# What counts as new? The usual advice is to split at random. In this file that is a mistake. Its rows seem to come writer after writer: pictures that stand near each other look alike.

# %%
squares = (pictures**2).sum(axis=1)
distances = squares[:, None] + squares - 2 * pictures @ pictures.T
np.fill_diagonal(distances, np.inf)
place = np.arange(len(pictures))
exact("share of pictures whose most similar one stands within 100 rows {:.2f}",
      (abs(distances.argmin(axis=1) - place) <= 100).mean(), key="near-rows")
by_chance = (abs(place[:, None] - place) <= 100).mean()
exact("by chance it would be {:.2f}", by_chance, key="near-chance")

# %% [markdown]
# Split at random, and most of these look-alikes end up in the training part. What is this worth? Cut the file into thirds in two ways, by position or at random. Train on two thirds, test on the other, in turn. In both ways each picture is tested once, by a model that saw as many others. Only the company differs.

# %%
def tested_in_thirds(order):
    """Train on two thirds, test on the third, in turn: a hit for each picture?"""
    found = np.zeros(len(order), dtype=bool)
    for third in np.array_split(order, 3):
        rest = np.setdiff1d(order, third)
        found[third] = hits(pictures[third], labels[third],
                            *train(pictures[rest], labels[rest]))
    return found


by_position = tested_in_thirds(place).mean()
at_random = [tested_in_thirds(rng.permutation(place)).mean() for _ in range(3)]
claim("accuracy with thirds by position", by_position,
      at_least=0.91, at_most=0.945, key="by-position")
claim("least gain of a random split, three draws", min(at_random) - by_position,
      at_least=0.02, key="leak")

# %% [markdown]
# The random split promises more than the model keeps on pages from farther away, perhaps by other writers. The rule: whatever hangs together (one writer, one patient, one film) goes into one part. The course splits these digits by position, the first `1200` rows for training.
#
# The test part also leaks when it is asked too often. Here are a thousand "models" that guess. The best of them was *chosen by the test part*:

# %%
guesses = np.random.default_rng(0).integers(10, size=(1000, 597))
exact("accuracy of the best of 1000 guessers {:.3f}, where 0.1 is the truth",
      (guesses == labels[1200:]).mean(axis=1).max(), key="best-guess")

# %% [markdown]
# ## The same step in PyTorch and in Keras
#
# In practice a framework records the computation and finds the gradients itself. The same weights give the same loss, gradients and step. Two things to know: PyTorch keeps the matrix of a layer the other way round, $(\text{classes}, d)$; and both losses here take *logits*, with the softmax inside.

# %%
linear = torch.nn.Linear(64, 10).double()
with torch.no_grad():
    linear.weight.copy_(torch.tensor(start["W"].T))
    linear.bias.copy_(torch.tensor(start["b"]))
logits = linear(torch.tensor(few))
torch_loss = torch.nn.functional.cross_entropy(logits, torch.tensor(few_labels))
torch_loss.backward()  # fills .grad of every parameter
assert relative_error(torch_loss.detach(), loss) < 1e-10
assert relative_error(linear.weight.grad, by_W.T) < 1e-10
assert relative_error(linear.bias.grad, by_b) < 1e-10

torch.optim.SGD(linear.parameters(), lr=0.5).step()
assert relative_error(linear.weight.detach(), (start["W"] - 0.5 * by_W).T) < 1e-10

# %%
import keras
import tensorflow as tf

dense = keras.layers.Dense(10, dtype="float64")
dense.build((None, 64))
dense.set_weights([start["W"], start["b"]])
price = keras.losses.SparseCategoricalCrossentropy(
    from_logits=True, dtype="float64")
with tf.GradientTape() as tape:  # records what happens inside
    keras_loss = price(few_labels, dense(few))
from_tape = tape.gradient(keras_loss, dense.trainable_variables)
assert relative_error(keras_loss, loss) < 1e-10
assert relative_error(from_tape[0], by_W) < 1e-10
assert relative_error(from_tape[1], by_b) < 1e-10

keras.optimizers.SGD(0.5).apply(from_tape, dense.trainable_variables)
assert relative_error(dense.kernel, start["W"] - 0.5 * by_W) < 1e-10

# %% [markdown]
# ## Layers, and why they must bend
#
# A *deep* network is layers in a row: the output of one is the input of the next. But two linear layers in a row are one, with the weights $W_1 W_2$, and nothing is gained. So something that is not linear goes between them, such as the *ReLU*, $\sigma(a) = \max(a, 0)$, for each number. Three layers:
#
# $$f(x) = \sigma(\sigma(x W_1 + b_1)\, W_2 + b_2)\, W_3 + b_3 .$$

# %%
def relu(a):
    return np.maximum(a, 0)


def three_layers(x, W1, W2, W3, b1=0, b2=0, b3=0):
    """The formula above; without biases, if none are given."""
    return relu(relu(x @ W1 + b1) @ W2 + b2) @ W3 + b3


matrices = [rng.normal(size=shape) / 8 for shape in ((64, 32), (32, 32), (32, 10))]
biases = [rng.normal(size=size) for size in (32, 32, 10)]

W1, W2, _ = matrices
assert np.allclose((pictures @ W1) @ W2, pictures @ (W1 @ W2))  # two layers are one
assert not np.allclose(relu(pictures @ W1) @ W2, relu(pictures @ (W1 @ W2)))

some_views = np.stack([np.zeros(64), pictures[0], 0.3 * pictures[0]])
blank, bright, dim = three_layers(some_views, *matrices)
assert (blank == 0).all()  # f(0) = 0
assert np.allclose(dim, 0.3 * bright)  # f(cx) = c f(x)
blank, bright, dim = three_layers(some_views, *matrices, *biases)
assert not np.allclose(blank, 0)
assert not np.allclose(dim, 0.3 * bright)

# %% [markdown]
# > **Correction.** A source document gives the formula of a three-layer network without the biases. Then $f(0) = 0$ for every choice of weights, and with the ReLU $f(cx) = c f(x)$ for every $c > 0$: the assertions above. So a dimmer copy of a picture always gets the same answer, only with less certainty, and an empty picture gets the same probability for every class. With biases neither holds. Nor is there any modality in the formula: it maps one vector. See [corrections](../../book/corrections.md#c-04).
#
# ## An encoder for each modality
#
# Now two modalities. Each gets a layer of its own, its *encoder*, which turns its feature vector into a hidden one. The hidden vectors are written one after the other, and a layer reads them together. A last layer, the head, gives the logits. All are trained at once, by the one loss at the end.

# %%
class TwoEncoders(torch.nn.Module):
    """logits = relu([relu(x_1 W_1 + b_1), relu(x_2 W_2 + b_2)] W + b) H + c"""

    def __init__(self, widths, classes=10, hidden_size=32):
        super().__init__()
        self.encoders = torch.nn.ModuleDict(
            {m: torch.nn.Linear(width, hidden_size) for m, width in widths.items()})
        self.join = torch.nn.Linear(hidden_size * len(widths), hidden_size)
        self.head = torch.nn.Linear(hidden_size, classes)

    def forward(self, features, mask=None):
        hidden = [encode(features[m]) for m, encode in self.encoders.items()]
        joined = torch.relu(torch.cat(hidden, dim=1))  # both: (n, 64)
        return self.head(torch.relu(self.join(joined)))


# %% [markdown]
# And the pairs get harder, so that neither modality is enough: noisy pixels, and each letter of a word mistyped with probability one half.

# %%
noise = {"typo_rate": 0.5, "pixel_noise": 0.2, "seed": 0}
train_pairs = digits_with_words("train", **noise)
test_pairs = digits_with_words("test", **noise)
print(train_pairs.widths, len(train_pairs), "to train,", len(test_pairs), "to test")

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 8, figsize=(8, 1.5))
for axis, image, word in zip(axes, train_pairs.images, train_pairs.words, strict=False):
    axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    axis.set_title(word, fontsize=11)
    axis.set_axis_off()
figure(
    fig,
    "pairs",
    caption="Eight training pairs, of the digits zero to seven: noisy pictures, and words of which most are mistyped.",
    alt="Eight small noisy grey pictures of handwritten digits, each with a number word above it, six of them misspelt.",
)

# %% [markdown]
# The package has the same model in two parts. From one seed both draw the same weights, so they give the same logits.

# %%
from mmcourse.training import seed_everything

batch = {m: torch.tensor(rows[:8]).float()
         for m, rows in test_pairs.features.items()}
seed_everything(0)
by_hand = TwoEncoders(train_pairs.widths)
seed_everything(0)
fusion = EncodedFusion(train_pairs.widths, hidden_size=32, out_dim=32)
packaged = FusionClassifier(fusion, classes=10)
assert torch.allclose(by_hand(batch), packaged(batch))

# %% [markdown]
# Then the two students. Pictures often come as whole numbers from 0 to 255, so one divides them by 255. These already lie between 0 and 1, and the second student divides all the same. That is the only difference.
#
# `fit` is our loop from above with two changes: each step uses a *batch* of 64 examples in place of all, and AdamW, which adapts the size of the step to each weight ([Loshchilov and Hutter, 2019](../../book/bibliography.md#loshchilov2019)). It goes through the training part sixty times.

# %%
from mmcourse.training import accuracy, fit, predict

TRAINING = {"epochs": 60, "batch_size": 64,
            "learning_rate": 3e-3, "weight_decay": 1e-2}
students = {
    "first": (train_pairs, test_pairs),
    "second": (train_pairs.scaled({"image": 1 / 255}),
               test_pairs.scaled({"image": 1 / 255})),
}
models = {}
for name, (train_part, test_part) in students.items():
    seed_everything(0)
    models[name] = TwoEncoders(train_part.widths)
    history = fit(models[name], train_part, seed=0, **TRAINING)
    scored = accuracy(predict(models[name], test_part), test_part.labels)
    claim(f"training loss of the {name} student's model, last over first epoch",
          history.loss[-1] / history.loss[0], at_most=0.1, key=f"{name}-loss")
    claim(f"test accuracy of the {name} student's model", scored,
          at_least=0.92, key=f"{name}-accuracy")

# %% [markdown]
# Two losses that fell, two accuracies that one could publish. Which model looks at the picture?
#
# ## Take one away
#
# *Shuffle* the test pictures: leave the model as it is, and give each example the picture of another. The pictures are as before, but they no longer say anything about the label. A model that relies on them must get worse.

# %%
def with_pictures_shuffled(pairs, seed=0):
    """The same examples, each with the picture of another one."""
    order = np.random.default_rng(seed).permutation(len(pairs))
    return {"image": pairs.features["image"][order], "text": pairs.features["text"]}


lost = {}
for name, (_, test_part) in students.items():
    mixed = PairedData(with_pictures_shuffled(test_part), test_part.labels,
                       test_part.classes)
    lost[name] = (accuracy(predict(models[name], test_part), test_part.labels)
                  - accuracy(predict(models[name], mixed), mixed.labels))
claim("accuracy that the first model loses with shuffled pictures", lost["first"],
      at_least=0.3, key="first-shuffled")
claim("accuracy that the second model loses with shuffled pictures", lost["second"],
      at_most=0.015, key="second-shuffled")

# %% [markdown]
# The second model does not notice. This is one of three questions to put beside every multimodal result.
#
# *Each modality alone.* Train the same model without the other one. It tells what the **task** needs: where the words alone are as good, the picture brought nothing.
#
# *Shuffled.* It tells what **this model** relies on.
#
# *Additive.* Do the modalities act together, or does each cast its vote by itself? Let $f(i, t)$ be a model's logits for picture $i$ with text $t$. Its *additive projection* ([Hessel and Lee, 2020](../../book/bibliography.md#hessel2020)) keeps the mean effect of each and drops the rest: the mean over all texts, plus the mean over all pictures, minus the mean over both,
#
# $$f_{\text{add}}(i, t) = \operatorname{mean}_{t'} f(i, t') + \operatorname{mean}_{i'} f(i', t) - \operatorname{mean}_{i', t'} f(i', t') .$$
#
# If it is as accurate as the model, then what the modalities do *together* was of no use for the accuracy. With four test examples there are sixteen combinations:

# %%
from mmcourse.training import additive

four = test_pairs.take(range(4))
i, t = np.repeat(range(4), 4), np.tile(range(4), 4)  # every picture with every text
features = {"image": four.features["image"][i], "text": four.features["text"][t]}
all_pairs = PairedData(features, four.labels[i], four.classes)
f = predict(models["first"], all_pairs).reshape(4, 4, 10)  # (picture, text, class)
added = f.mean(axis=1) + f.mean(axis=0) - f.mean(axis=(0, 1))  # (example, class)
projected = additive(lambda data: predict(models["first"], data), four)
assert np.allclose(added, projected, atol=1e-5)

# %% [markdown]
# The package's `baselines` asks all of these questions: it trains the model and its halves, shuffles, and projects.

# %%
from mmcourse.training import baselines

tables = {name: baselines(TwoEncoders, train_part, test_part, seed=0, **TRAINING)
          for name, (train_part, test_part) in students.items()}
for name, table in tables.items():  # one seed, one model, one shuffle as above
    drop = table.accuracy("fused") - table.accuracy("image shuffled")
    assert np.isclose(drop, lost[name])

results = experiment("concepts_first_model")
settings = {"first": "as they come", "second": "divided again"}
for name, setting in settings.items():
    stored = results.values("fused", setting=setting)
    claim(f"accuracy of the {name} model above, beside ten stored runs",
          tables[name].accuracy("fused"), at_least=stored.min() - 0.01,
          at_most=stored.max() + 0.01, key=f"{name}-live-point")

# %% tags=["hide-input"]
ROWS = ["fused", "image alone", "text alone", "image shuffled", "text shuffled", "additive"]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharey=True)
for axis, setting, title in zip(
    axes, settings.values(), ("first model: pixels as they come", "second model: divided again"), strict=True
):
    scores = [results.values(row.replace(" ", "_"), setting=setting) for row in ROWS]
    colours = ["C2", "C0", "C0", "C1", "C1", "C3"]
    axis.barh(ROWS, [score.mean() for score in scores], color=colours, alpha=0.75)
    for place, score in enumerate(scores):
        axis.plot(score, np.full(len(score), place), ".", color="black", markersize=4)
    axis.axvline(0.1, color="black", linestyle="--", linewidth=1)
    axis.set(title=title, xlabel="test accuracy", xlim=(0, 1))
axes[0].invert_yaxis()
axes[0].text(0.11, -0.55, "chance", fontsize=10)
figure(
    fig,
    "baselines",
    caption="One model, one data set, one line of difference. Mean over ten seeds (bars) and each seed (dots). The first rows "
    "look alike. Shuffle the pictures: the first model falls, the second does not notice, and it is as good as "
    "the words alone.",
    alt="Two panels of horizontal bars. Left, the fused model and its additive projection are longest, each modality alone is "
    "shorter, and both shuffled bars are about half as long. Right, fused, text alone, image shuffled and additive have one "
    "length, image alone is shorter, and text shuffled is at chance.",
)

# %% [markdown]
# On the left each modality alone is worse than the two together, and both shuffles hurt: this model uses both. Its additive projection is as good: it is enough that each modality votes and the votes add up. On the right the model is as good as the words alone, shuffled pictures change nothing, and with shuffled words it guesses: it only *seems* to use both. The picture still has something to say, as *image alone* shows, but it is not heard. ([The weighted sum](../fusion/weighted_sum.ipynb) measures what the size of its numbers does to a modality.)

# %%
def stored_mean(row, setting, minus=None):
    """Mean of ten stored runs, or of the difference of two rows."""
    values = results.values(row, setting=setting)
    if minus:
        values = values - results.values(minus, setting=setting)
    return values.mean()


# %%
for name, setting, bounds in (
    ("first", "as they come", {"at_least": 0.03}),
    ("second", "divided again", {"at_least": -0.01, "at_most": 0.01}),
):
    claim(f"gain of the {name} model over the words alone, ten seeds",
          stored_mean("fused", setting, "text_alone"), **bounds, key=f"{name}-gain")
    claim(f"gain of the {name} model over its additive projection, ten seeds",
          stored_mean("fused", setting, "additive"),
          at_least=-0.005, at_most=0.005, key=f"{name}-interaction")
claim("loss of the first model by shuffled pictures, ten seeds",
      stored_mean("fused", "as they come", "image_shuffled"),
      at_least=0.35, key="first-reliance")
claim("loss of the second model by shuffled pictures, ten seeds",
      stored_mean("fused", "divided again", "image_shuffled"),
      at_most=0.005, key="second-reliance")
claim("accuracy of the second model with shuffled words, ten seeds",
      stored_mean("text_shuffled", "divided again"),
      at_most=0.12, key="second-words")
claim("accuracy of the divided pictures alone, ten seeds",
      stored_mean("image_alone", "divided again"), at_least=0.5, key="unheard")

# %% [markdown]
# *Alone* and *shuffled* can have different answers. Let the words be typed without a mistake. Then the words alone are always right, and the picture can add nothing. Yet a model trained on both leans on the picture:

# %%
careful = "careful words"
assert (results.values("text_alone", setting=careful) == 1).all()  # ten seeds
claim("gain over the words alone where words have no mistakes, ten seeds",
      stored_mean("fused", careful, "text_alone"), at_most=0, key="careful-gain")
claim("loss by shuffled pictures all the same, ten seeds",
      stored_mean("fused", careful, "image_shuffled"), at_least=0.05,
      key="careful-reliance")

# %% [markdown]
# More modalities do not always help. This one brings nothing but a new way to fail.
#
# ## How sure?
#
# The first model beats the words alone on these 597 test pairs. Would it on others? Compare pair by pair: $1$ where only the fused model is right, $-1$ where only the words alone are, $0$ elsewhere. The mean of these *gains* is the difference of the two accuracies.
#
# Five pairs fit on paper. Let the gains be $0, 1, 0, 1, -1$, with the mean $1/5$. Write them on five slips, draw a slip five times, putting it back each time, and take the mean. This is the *bootstrap*: what came is treated as if it were everything that could come ([Efron and Tibshirani, 1993](../../book/bibliography.md#efron1993)). There are $5^5$ ways to draw:

# %%
slips = np.array([0, 1, 0, 1, -1])
means = np.array([slips[list(rows)].mean()
                  for rows in itertools.product(range(5), repeat=5)])
assert np.isclose(means.mean(), 1 / 5)
exact("share of draws in which nothing is gained, {:.2f}: five pairs prove nothing",
      (means <= 0).mean(), key="five-slips")

# %% [markdown]
# For 597 pairs there are too many ways, so we draw two thousand times. The middle `95%` of the means are the *paired interval*. If it lies above zero, the gain is hardly an accident of which examples came into the test part.

# %%
def bootstrap_means(gains, draws=2000, seed=0):
    """Means of as many gains, drawn with replacement, again and again."""
    rng, n = np.random.default_rng(seed), len(gains)
    return np.array([gains[rng.integers(n, size=n)].mean() for _ in range(draws)])


def unpaired_width(one, other):
    """Width of the interval if the two had been tested on different examples."""
    apart = bootstrap_means(one, seed=1) - bootstrap_means(other, seed=2)
    return np.subtract(*np.quantile(apart, [0.975, 0.025]))


intervals = {}
for name, table in tables.items():
    both, words_only = (table.correct[row] * 1.0 for row in ("fused", "text alone"))
    low, high = np.quantile(bootstrap_means(both - words_only), [0.025, 0.975])
    intervals[name] = low, high, unpaired_width(both, words_only)
    assert np.allclose(table.interval("fused", "text alone")[1:], (low, high))
claim("the first model's interval, lower end", intervals["first"][0],
      at_least=0.01, key="first-low")
low, high, unpaired = intervals["second"]
claim("the second model's interval, lower end", low, at_most=0, key="second-low")
claim("the second model's interval, upper end", high, at_least=0, key="second-high")
claim("unpaired width over paired width, second model", unpaired / (high - low),
      at_least=1.5, key="unpaired-width")

# %% [markdown]
# The first interval lies above zero: this model gains by the picture. The second holds zero. It is narrow, for the model and the words alone make mostly the same mistakes; if they had been tested on different examples, the interval would be wider by the last factor. That is why one compares pair by pair.
#
# What the interval does *not* cover is the training. Give the model a third modality, a *stranger*: the picture of some other pair, which has no bearing on the label. Give it only a hundred pairs to learn from. Repeat with another seed, twenty times: the training pairs stay, the seed draws the strangers, the start of the weights and the order of the examples.

# %% tags=["hide-input"]
gains, lows, highs = (results.values(key, sweep="stranger") for key in ("gain", "low", "high"))
order = np.argsort(gains)
fig, axis = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
clear = (lows[order] > 0) | (highs[order] < 0)
for mark, colour, label in ((~clear, "C0", "holds zero"), (clear, "C1", "does not")):
    place = np.flatnonzero(mark)
    run = order[place]
    axis.errorbar(place, gains[run], [gains[run] - lows[run], highs[run] - gains[run]], fmt="o", color=colour, label=label)
axis.axhline(0, color="black", linewidth=0.8)
axis.axhline(gains.mean(), color="0.4", linestyle="--", label="mean of the runs")
axis.set(xlabel="run, sorted", ylabel="gain by the third modality", xticks=[])
axis.legend(loc="upper left", ncols=3, fontsize=10)
axis.set_ylim(-0.085, 0.06)
figure(
    fig,
    "strangers",
    caption="A third modality that says nothing about the label: difference in test accuracy with its paired 95% interval, "
    "in twenty training runs on the same hundred pairs. The runs differ more than one interval tells.",
    alt="Twenty points with error bars, sorted, from minus five to plus one and a half hundredths. Most bars cross zero, the "
    "lowest ones do not; the mean lies about one hundredth below zero.",
)

# %%
one_run = (highs - lows).mean() / (2 * 1.96)  # about one standard deviation
claim("mean gain by the stranger, twenty runs", gains.mean(),
      at_least=-0.02, at_most=-0.005, key="stranger-gain")
claim("spread over runs, over the spread that one run's interval tells",
      gains.std(ddof=1) / one_run, at_least=1.2, key="stranger-spread")
claim("runs, of twenty, whose interval lies wholly below zero", (highs < 0).sum(),
      at_least=2, at_most=8, key="stranger-clear")
claim("runs, of twenty, in which the stranger seems to help", (gains > 0).sum(),
      at_least=2, at_most=8, key="stranger-helps")

# %% [markdown]
# On average the stranger does harm: more is not always better. But some runs come out in its favour, and the spread over runs is larger than one run's interval says. So report both, an interval over examples and several seeds. (The interval also takes the examples for independent. If several are by one writer, it is too narrow.)
#
# ## Chance alone does not mean without information
#
# Ask another question of the same pairs: *does the word name the picture?* Take threes and eights. Each picture comes once with its own word (yes) and once with that of the other digit (no), and so does each word.

# %%
def fits(pairs, first=3, second=8):
    """Each picture of two digits with its own word, yes, and with another, no."""
    i, j = (np.flatnonzero(pairs.labels == label) for label in (first, second))
    n = min(len(i), len(j))
    i, j = i[:n], j[:n]
    images, words = np.concatenate([i, i, j, j]), np.concatenate([i, j, j, i])
    features = {"image": pairs.features["image"][images],
                "text": pairs.features["text"][words]}
    return PairedData(features, np.repeat([1, 0, 1, 0], n), ("no", "yes"))


fit_table = baselines(lambda widths: TwoEncoders(widths, classes=2),
                      fits(train_pairs), fits(test_pairs), seed=0, **TRAINING)
assert fit_table.accuracy("image alone") == fit_table.accuracy("text alone") == 0.5
claim("accuracy of the model with both", fit_table.accuracy("fused"),
      at_least=0.8, key="fits-fused")
claim("accuracy of its additive projection", fit_table.accuracy("additive"),
      at_most=0.6, key="fits-additive")
claim("mean accuracy with both, ten seeds", stored_mean("fused", "does it fit"),
      at_least=0.85, key="fits-fused-mean")
claim("mean accuracy of the additive projection, ten seeds",
      stored_mean("additive", "does it fit"),
      at_most=0.55, key="fits-additive-mean")

# %% [markdown]
# The picture alone is at chance, and it *must* be: each picture comes with both answers, so whatever is said to it is right once and wrong once. The same goes for the words. Yet both together know the answer most of the time. And now the additive projection is at chance too: what counts is whether the two agree, and no sum of votes tells that. So do not dismiss a modality because it is at chance alone; train without it and compare. The lesson on representation returns to this.
#
# ## Two inputs in Keras
#
# The same model in Keras's functional style, with the weights of the first student's model. Outputs and gradients agree.

# %%
inputs = {m: keras.Input((width,), name=m, dtype="float64")
          for m, width in train_pairs.widths.items()}
options = {"activation": "relu", "dtype": "float64"}
encoded = [keras.layers.Dense(32, **options)(inputs[m]) for m in inputs]
side_by_side = keras.layers.Concatenate(dtype="float64")(encoded)
joined = keras.layers.Dense(32, **options)(side_by_side)
in_keras = keras.Model(inputs, keras.layers.Dense(10, dtype="float64")(joined))

in_torch = models["first"].cpu().double()
ours = [*in_torch.encoders.values(), in_torch.join, in_torch.head]
theirs = [layer for layer in in_keras.layers if layer.weights]
for one, other in zip(ours, theirs, strict=True):
    other.set_weights([one.weight.detach().numpy().T, one.bias.detach().numpy()])

# %%
some = test_pairs.take(range(32))
in_torch.zero_grad()
torch_loss = torch.nn.functional.cross_entropy(
    in_torch({m: torch.tensor(rows) for m, rows in some.features.items()}),
    torch.tensor(some.labels))
torch_loss.backward()
with tf.GradientTape() as tape:
    keras_loss = price(some.labels, in_keras(some.features))
from_tape = tape.gradient(keras_loss, in_keras.trainable_variables)

assert relative_error(keras_loss, torch_loss.detach()) < 1e-10
for parameter, gradient in zip(in_torch.parameters(), from_tape, strict=True):
    wanted = parameter.grad.T if parameter.ndim == 2 else parameter.grad
    assert relative_error(gradient, wanted) < 1e-10

# %% [markdown]
# ## What to keep
#
# Logits are scores; softmax makes them probabilities; cross-entropy is minus the logarithm of what the right class got, and its gradient by the logits is $p - y$. A step goes against the gradient. Trust only examples that the training did not see, and keep together what hangs together. An encoder for each modality, joined by a layer that bends, is a multimodal model; that it has two inputs does not mean that it uses two. Put each modality alone, each shuffled, and the additive projection beside every result, with a paired interval and several seeds.
#
# What these runs do not show is that the loss by a shuffle measures importance: the careful words have shown the contrary.
#
# **Try it.** Break the pairs in the training part alone, as a badly sorted list does: `baselines(TwoEncoders, train_pairs.shuffled("image", seed=1), test_pairs, seed=0, **TRAINING).as_rows()`. Which rows give it away? Ask whether ones and sevens fit: `baselines(lambda w: TwoEncoders(w, classes=2), fits(train_pairs, 1, 7), fits(test_pairs, 1, 7), seed=0, **TRAINING).as_rows()`. Train longer from zero: `hits(pictures[1200:], labels[1200:], *train(pictures[:1200], labels[:1200], steps=3000)).mean()`.
#
# The [exercises](exercises.ipynb) 5 and 6 ask you to write a training step yourself, and to judge whether a modality pays.
#
# **Further reading.** [Goyal et al. (2017)](../../book/bibliography.md#goyal2017) for models that answer questions about pictures without the picture, and how the data were mended; [Hessel and Lee (2020)](../../book/bibliography.md#hessel2020) for the additive projection; [Breiman (2001)](../../book/bibliography.md#breiman2001) for shuffling as a measure; [Kapoor and Narayanan (2022)](../../book/bibliography.md#kapoor2022) for what leaks in published work.

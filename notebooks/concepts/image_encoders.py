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
# # Image encoders
#
# Build the two families of image encoders by hand, count what they cost and how far they see, and predict which of them needs fewer pictures.
#
# **Before this:** matrix products, a linear classifier, the chain rule. The second half uses self-attention from [Sequence encoders](sequence_encoders.ipynb).

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

from mmcourse.data import PairedData, glyphs, letter_and_marks
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.parity import numpy_arguments, relative_error, transfer
from mmcourse.training import accuracy, fit, predict, seed_everything

setup("concepts/image_encoders")

# %% [markdown]
# ## A letter moves
#
# Which letter is this, whatever its marks and its font? We take eighteen letters, small and capital, plain and with marks, in four fonts, each on an empty canvas of 20 by 20 pixels. The characters of the test part never occur in training: if ô is asked, it was not trained on in any font.

# %%
LETTERS = "ACDEGHIKLNORSTUWYZ"
PARTS = {"train": 0.6, "choice": 0.1, "test": 0.3}  # shares of the characters


def letter_of(name):
    """The letter under the marks, as a class; -1 for what is not on the list."""
    base = letter_and_marks(name)[0]
    for case in ("LATIN SMALL LETTER ", "LATIN CAPITAL LETTER "):
        if base.startswith(case) and base.removeprefix(case) in list(LETTERS):
            return LETTERS.index(base.removeprefix(case))
    return -1


everything = glyphs(("sans", "bold", "serif", "mono"), size=16, font_size=12)
chosen = everything.take([letter_of(name) >= 0 for name in everything.names])
classes = np.array([letter_of(name) for name in chosen.names])
groups, group = np.unique(chosen.group, return_inverse=True)  # never divided
part_of = np.random.default_rng(0).choice(
    list(PARTS), size=len(groups), p=list(PARTS.values()))[group]
print(chosen)
print({part: int((part_of == part).sum()) for part in PARTS})


# %%
def draw(part, count, middle=False, seed=0):
    """Letters of a part on canvases, (count, 1, 20, 20), and their classes."""
    rng = np.random.default_rng([seed, list(PARTS).index(part)])
    images, labels = chosen.images[part_of == part], classes[part_of == part]
    rows = rng.integers(len(images), size=count)
    corners = rng.integers(5, size=(count, 2))  # 20 - 16 + 1 places each way
    if middle:
        corners[:] = 2
    pictures = np.zeros((count, 1, 20, 20), np.float32)
    for picture, row, (top, left) in zip(pictures, rows, corners, strict=True):
        picture[0, top : top + 16, left : left + 16] = images[row]
    return PairedData({"image": pictures}, labels[rows], tuple(LETTERS))


# %% tags=["hide-input"]
def show(axis, image, title="", **options):
    axis.imshow(image, **{"cmap": "gray_r", "vmin": 0, "vmax": 1} | options)
    axis.set_title(title, fontsize=11)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set(visible=True, color="0.7")


fig, axes = plt.subplots(2, 8, figsize=(8, 2.5), layout="constrained")
for line, middle in zip(axes, (True, False), strict=True):
    some = draw("test", 8, middle=middle, seed=3)
    for axis, image, label in zip(line, some.features["image"], some.labels, strict=True):
        show(axis, image[0], LETTERS[label])
figure(
    fig,
    "letters",
    caption="Eight characters of the test part with their class: in the middle of the canvas (above), and the same ones anywhere on it (below).",
    alt="Two rows of eight small pictures of letters with accents. Above, all stand in the middle; below, each stands somewhere else.",
)

# %% [markdown]
# Two methods that know nothing about pictures take the 400 pixels as one long vector. One is a linear classifier; the other answers with the class of the nearest training picture. They learn from letters in the middle, and are asked about letters in the middle and about letters anywhere.

# %%
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier


def pixels(data):
    return data.features["image"].reshape(len(data), -1)


train = draw("train", 1_000, middle=True)
asked = {"middle": draw("test", 2_000, middle=True),
         "anywhere": draw("test", 2_000)}
for method, model in (("linear", RidgeClassifier(10.0)),
                      ("nearest", KNeighborsClassifier(1))):
    model.fit(pixels(train), train.labels)
    for place, data in asked.items():
        score = (model.predict(pixels(data)) == data.labels).mean()
        kept = {"at_least": 0.9} if place == "middle" else {"at_most": 0.25}
        claim(f"{method}, trained in the middle, asked {place}: accuracy",
              score, key=f"{method}-{place}", **kept)

# %% [markdown]
# Nobody would call the moved letter another letter. To a vector of pixels it is another: the ink now stands in other numbers. A linear classifier has a weight for each pixel, and what it learned about one pixel it did not learn about the next. The cure is to look through a small window, and to use the same weights wherever the window is.
#
# ## Nine numbers slide over sixteen
#
# A *kernel* is a small table of weights. Lay it on the picture, multiply what lies on top of each other, add up, write down the sum; move on by one pixel. A kernel of 3 by 3 has four places on a picture of 4 by 4. The picture below is dark on the left and bright on the right. The kernel subtracts what is left from what is right, so it answers to edges: at the first place $3\cdot 9 - 3 \cdot 0 = 27$.

# %%
picture = np.array([[0, 0, 9, 9],
                    [0, 0, 9, 9],
                    [0, 0, 9, 9],
                    [0, 0, 9, 0]], dtype=float)
kernel = np.array([[-1, 0, 1],
                   [-1, 0, 1],
                   [-1, 0, 1]], dtype=float)
by_hand = np.zeros((2, 2))
for i in range(2):
    for j in range(2):
        by_hand[i, j] = (picture[i : i + 3, j : j + 3] * kernel).sum()
print(by_hand)
assert (by_hand == [[27, 27], [27, 18]]).all()

# %% [markdown]
# The package has the same as `convolution`. A real layer adds four things. Pictures have *channels* $c$ (red, green, blue), over which the sum runs as well. There are several kernels, one for each output channel $o$. Each has a *bias* $b_o$. And the window may move by a *stride* $s$ and start $p$ pixels outside the picture, where zeros stand (*padding*):
#
# $$z_{o,i,j} = b_o + \sum_{c,u,v} W_{o,c,u,v}\; x_{c,\, si+u-p,\, sj+v-p} .$$
#
# Here $x$ is the picture, $W$ the kernels, $z$ the *feature maps*. If the picture has the size $n$ along an axis and the kernel the size $k$, the number of places along it is
#
# $$\Big\lfloor \frac{n + 2p - k}{s} \Big\rfloor + 1 .$$
#
# The loop below is the formula. The package does the same as one matrix product, with the window of each place as a column; PyTorch agrees.

# %%
from mmcourse.encoders.numpy import convolution


def convolve(x, kernels, bias, stride=1, padding=0):
    """The formula: x (channels, height, width), z (out, places down, across)."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    out, _, k, _ = kernels.shape
    down, across = ((n - k) // stride + 1 for n in x.shape[1:])
    z = np.zeros((out, down, across))
    for o, i, j in np.ndindex(z.shape):
        top, left = stride * i, stride * j
        window = x[:, top : top + k, left : left + k]
        z[o, i, j] = bias[o] + (kernels[o] * window).sum()
    return z


# %%
rng = np.random.default_rng(0)
x = rng.normal(size=(3, 7, 9))
W, b = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)
for stride, padding in ((1, 0), (1, 1), (2, 1), (3, 0)):
    options = {"stride": stride, "padding": padding}
    z = convolve(x, W, b, **options)
    assert z.shape[1:] == tuple((n + 2 * padding - 3) // stride + 1 for n in (7, 9))
    assert np.allclose(z, convolution(x[None], W, b, **options)[0], rtol=1e-12)
    in_torch = torch.nn.functional.conv2d(
        torch.tensor(x), torch.tensor(W), torch.tensor(b), **options)
    assert np.allclose(z, in_torch.numpy(), rtol=1e-12)

# %% [markdown]
# > **Correction.** A source document ([entry C-02](../../book/corrections.md#c-02)) offers $y = f(x; W, b)$ as the formula of a convolutional network. That holds for every model with parameters. What makes it a convolution is in the indices: the same $W$ at every place, and a sum over a window only. Another ([C-29](../../book/corrections.md#c-29), [S4-C05](../../book/corrections.md#s4-c05)) gives code without channels, without the size of the result and with stride and padding unused; its last line returns a name that does not exist. The loop above is that code, complete.
#
# Strictly, the formula is a *cross-correlation*. The convolution of mathematics turns the kernel by half a turn first. Libraries compute the first and call it the second. Training does not care, since a learned kernel may as well be learned turned. A kernel that somebody wrote down does: the edge detector changes its sign ([S4-C05-04](../../book/corrections.md#s4-c05-04)).

# %%
from scipy.signal import convolve2d, correlate2d

assert (correlate2d(picture, kernel, "valid") == by_hand).all()
assert (convolve2d(picture, kernel, "valid") == -by_hand).all()  # turned
assert (convolve2d(picture, kernel[::-1, ::-1], "valid") == by_hand).all()

# %% [markdown]
# There is one bias for each output channel ([S4-C05-05](../../book/corrections.md#s4-c05-05)), and where it is added outside the convolution it needs the shape `(out, 1, 1)`. With the shape `(out,)` NumPy lines it up with the *width*. Mostly this fails. Where the width equals the number of channels it does not fail, and it is wrong ([S4-C07-04](../../book/corrections.md#s4-c07-04)).

# %%
maps = convolve(x, W, np.zeros(4))  # (4, 5, 7)
try:
    maps + b
except ValueError as error:
    print("(4, 5, 7) + (4,):", error)
assert np.allclose(maps + b[:, None, None], convolve(x, W, b))
narrow = maps[:, :, :4]  # four channels and, by chance, four columns
assert (narrow + b).shape == narrow.shape  # no error
assert not np.allclose(narrow + b, narrow + b[:, None, None])  # and another result

# %% [markdown]
# On a real letter the edge kernel and its transpose, which looks for edges between above and below, find the strokes.

# %% tags=["hide-input"]
row = chosen.characters.index("Ê")
letter = np.zeros((20, 20))
letter[2:18, 2:18] = chosen.images[row]
sideways, upright = (convolution(letter[None, None], k[None, None], padding=1)[0, 0] for k in (kernel, kernel.T))
fig, axes = plt.subplots(1, 3, figsize=(7.5, 2.8), layout="constrained")
show(axes[0], letter, "picture")
for axis, result, title in ((axes[1], sideways, "right minus left"), (axes[2], upright, "below minus above")):
    drawn_map = axis.imshow(result, cmap="PuOr", vmin=-3, vmax=3)
    axis.set_title(title, fontsize=11)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set(visible=True, color="0.7")
fig.colorbar(drawn_map, ax=axes[2], shrink=0.8)
figure(
    fig,
    "edges",
    caption="The letter Ê and the maps of two kernels. The first answers to the upright stroke, with opposite signs on its two sides; the second answers to the bars.",
    alt="Three squares: a letter E with a circumflex, a map with a pair of coloured upright lines, and a map with pairs of coloured horizontal lines.",
)

# %% [markdown]
# ## Pooling
#
# *Pooling* takes one number out of each window: the largest, or the mean. Usually the windows do not overlap, so a stride of two halves height and width. The channels stay as many as they were.

# %%
from mmcourse.encoders.numpy import average_pooling, max_pooling

fours = picture.reshape(2, 2, 2, 2)  # (window down, row, window across, column)
largest, mean = fours.max(axis=(1, 3)), fours.mean(axis=(1, 3))
print("largest:", *largest.astype(int), " mean:", *mean)
assert (max_pooling(picture[None, None], 2)[0, 0] == largest).all()
assert (average_pooling(picture[None, None], 2)[0, 0] == mean).all()

images = rng.normal(size=(5, 3, 8, 8))
pooled = max_pooling(images, 2)
assert pooled.shape == (5, 3, 4, 4)  # channels stay, height and width are halved
in_torch = torch.nn.functional.max_pool2d(torch.tensor(images), 2)
assert np.array_equal(pooled, in_torch.numpy())

# %% [markdown]
# > **Correction.** A source document ([entry C-43](../../book/corrections.md#c-43)) says that pooling reduces the dimension of the features. It reduces the resolution; the number of features at each place, the channels, stays. Another ([S4-C06](../../book/corrections.md#s4-c06), [S4-C06-02](../../book/corrections.md#s4-c06-02)) leaves its body out and does not say which pooling is meant.
#
# Which one is meant decides more than it seems. Convolution is linear up to its bias, and so is a mean. A stack of convolutions and mean pooling is therefore one affine map, however deep. The largest of four numbers is not linear, and neither is the ReLU, $\max(0, z)$, which stands after each convolution of a real network. Here are two stages in full, with a shape at every line.

# %%
def two_stages(images, first, second, pool, activation=lambda z: z):
    """Convolution, bias, activation, pooling, twice; then the mean over places."""
    z = activation(convolution(images, *first, padding=1))  # (batch, 8, 20, 20)
    z = pool(z, 2)                                          # (batch, 8, 10, 10)
    z = activation(convolution(z, *second, padding=1))      # (batch, 16, 10, 10)
    z = pool(z, 2)                                          # (batch, 16, 5, 5)
    return z.mean(axis=(2, 3))                              # (batch, 16)


def relu(z):
    return np.maximum(z, 0)


# %%
first = rng.normal(size=(8, 1, 3, 3)), rng.normal(size=8)
second = rng.normal(size=(16, 8, 3, 3)), rng.normal(size=16)
two = rng.normal(size=(2, 1, 20, 20))
between = 0.3 * two[:1] + 0.7 * two[1:]


def is_affine(pool, **options):
    """Does the map of a mixture equal the mixture of the maps?"""
    a, b = two_stages(two, first, second, pool, **options)
    return np.allclose(two_stages(between, first, second, pool, **options)[0],
                       0.3 * a + 0.7 * b)


assert two_stages(two, first, second, max_pooling, relu).shape == (2, 16)
assert is_affine(average_pooling)  # two layers and no more than a linear classifier
assert not is_affine(max_pooling)
assert not is_affine(average_pooling, activation=relu)

# %% [markdown]
# > **Correction.** The two-stage network of a source document ([entries S4-C07](../../book/corrections.md#s4-c07), [S4-C07-03](../../book/corrections.md#s4-c07-03)) uses names that are not defined, has no activation, and ends in three dots where the features should come out. If its pooling is a mean, no second stage was needed: the assertion above says so.
#
# ## What moves in the picture moves in the map
#
# The window uses the same weights everywhere. So if the picture moves by two pixels down and three to the right, the map does the same. This is called *equivariance*. It ends at the border, where the window meets padding. With a stride, or after pooling by two, it holds for moves by an even number of pixels only. The mean over all places at the end then forgets *where*: features of a letter well inside the canvas stay the same.

# %%
noise = rng.normal(size=(1, 1, 20, 20))
moved = np.roll(noise, (2, 3), axis=(2, 3))
before, after = (convolution(x, first[0], padding=1) for x in (noise, moved))
expected = np.roll(before, (2, 3), axis=(2, 3))
assert np.allclose(after[..., 3:-1, 4:-1], expected[..., 3:-1, 4:-1])  # inside
assert not np.allclose(after, expected)  # at the border


def letter_features(down, right):
    canvas = np.zeros((1, 1, 48, 48))  # wide enough that no window meets the border
    canvas[0, 0, 12 + down : 32 + down, 12 + right : 32 + right] = letter
    return two_stages(canvas, first, second, max_pooling, relu)


assert np.allclose(letter_features(0, 0), letter_features(4, 8))  # fours
assert not np.allclose(letter_features(0, 0), letter_features(0, 1))  # pooled twice

# %% [markdown]
# ## Few parameters, and how far they see
#
# Count the first layer by hand: 8 kernels of 9 numbers and 8 biases are $80$ parameters, whatever the size of the picture. A linear layer from the same $400$ pixels to maps of the same $8 \cdot 400$ numbers would have over a million. The second layer has $16 \cdot 8 \cdot 9 + 16 = 1168$.

# %%
from mmcourse.encoders.counts import count_convolution, count_linear

assert count_convolution(1, 8, 3, size=20, padding=1).parameters == 8 * 9 + 8
layer = count_convolution(8, 16, 3, size=10, padding=1)
assert layer.parameters == 16 * 8 * 9 + 16 == sum(p.size for p in second)
assert layer.multiply_adds == 16 * 8 * 9 * 10 * 10  # once for each place
dense = count_linear(400, 8 * 400).parameters
exact("parameters of a linear layer of that size: {:.0f}",
      dense, key="dense-parameters")

# %% [markdown]
# The price is a narrow view: a number of the first map sees 3 by 3 pixels. Deeper ones see more. Follow the *receptive field* $r$ and the *jump* $j$, the distance in pixels between the fields of neighbours, from $r = j = 1$ on: a layer with kernel $k$ and stride $s$ makes
#
# $$r \leftarrow r + (k - 1)\, j, \qquad j \leftarrow j s .$$
#
# Is this true? Ask the gradient. A pixel that a number does not see has the derivative zero. For a number in the middle of the last map we add up the sizes of its derivatives by every pixel, over 300 random pictures, since a maximum and a ReLU each pass on only some of them.

# %%
from mmcourse.encoders.receptive_field import receptive_field
from mmcourse.encoders.torch import Convolution
from mmcourse.encoders.windows import Window

seed_everything(0)
stack = [Convolution(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
         Convolution(8, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
         Convolution(8, 8, 3, padding=1)]
windows = [Window(3, padding=1), Window(2, stride=2),
           Window(3, padding=1), Window(2, stride=2), Window(3, padding=1)]

# %%
# after each convolution: modules of the stack, windows, place of the map asked
depths = {"first": (1, 1, 10), "second": (4, 3, 5), "third": (7, 5, 2)}
footprints, fields = {}, {}
for name, (modules, layers, place) in depths.items():
    views = torch.randn(300, 1, 20, 20, requires_grad=True)
    maps = torch.nn.Sequential(*stack[:modules])(views)
    maps[:, :, place, place].sum().backward()
    footprint = views.grad.abs().sum(dim=(0, 1)).numpy()
    field = receptive_field(windows[:layers])
    start = field.centre + place * field.jump - (field.size - 1) / 2
    inside = np.flatnonzero(footprint.any(axis=0))
    assert (inside[0], inside[-1]) == (start, start + field.size - 1)
    footprints[name], fields[name] = footprint, field
print({name: field.size for name, field in fields.items()})
seen = footprints["third"][np.ix_(inside, inside)]  # (18, 18)
claim("mean derivative in the inner third of the last field, over that on its rim",
      seen[6:12, 6:12].mean() / np.concatenate([seen[0], seen[-1]]).mean(),
      at_least=2, key="field-centre")

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(7.5, 2.8), layout="constrained")
for axis, (name, footprint) in zip(axes, footprints.items(), strict=True):
    show(axis, (footprint / footprint.max()) ** 0.5, f"{name} convolution: {fields[name].size} x {fields[name].size}", cmap="viridis")
figure(
    fig,
    "footprints",
    caption="What one number in the middle of each map sees: the square root of its summed derivatives by every pixel, which are exactly zero "
    "outside the predicted square. Inside the last one the middle counts far more than the rim.",
    alt="Three squares with a bright patch on dark ground: three pixels wide, eight wide, and eighteen wide, the last fading towards its edge.",
)

# %% [markdown]
# Predicted and seen agree to the pixel. Seeing is not the same as caring, though: the rim of a field has few paths to the result ([Luo et al., 2016](../../book/bibliography.md#luo2016)). And depth is a cheap way to see far. Three layers of 3 by 3 see as far as one of 7 by 7, with $27$ weights for each pair of channels in place of $49$, and with activations in between. That is the idea of VGG-16 and VGG-19 ([Simonyan and Zisserman, 2015](../../book/bibliography.md#simonyan2015)).

# %%
assert receptive_field([Window(3)] * 3).size == 7
assert receptive_field([Window(7)]).size == 7
small = count_convolution(64, 64, 3, size=56, padding=1, bias=False)
large = count_convolution(64, 64, 7, size=56, padding=3, bias=False)
assert (3 * small.parameters, large.parameters) == (27 * 64**2, 49 * 64**2)

# %% [markdown]
# > **Correction.** A source document ([entry D-43](../../book/corrections.md#d-43)) takes VGG for the name of a kind of network. The letters are those of a group in Oxford, the Visual Geometry Group; the networks are VGG-16 and VGG-19.
#
# ## The residual block
#
# The more layers, the more has to go right before anything comes out at the end. A *residual block* ([He et al., 2016](../../book/bibliography.md#he2016)) adds to its input what two convolutions make of it:
#
# $$y = \mathrm{relu}\big(N_2(K_2 * \mathrm{relu}(N_1(K_1 * x))) + x\big).$$
#
# Here $K * x$ is a convolution without bias, and $N$ is a *batch norm*: it brings each channel to mean zero and variance one, then multiplies by a learned scale and adds a learned bias. What does the sum buy? A block that has learned nothing yet, with scale zero in $N_2$, hands on its input as it came, and so does a chain of a hundred. Without the sum such a block hands on nothing. Where the block changes the number of channels or the resolution, $x$ passes a kernel of 1 by 1 first.

# %%
from mmcourse.encoders.torch import ResidualBlock

block = ResidualBlock(8, 8).double().eval()
parts = numpy_arguments(block)


def normalised(x, part):
    norm = {name: value[:, None, None] for name, value in part["norm"].items()}
    z = convolution(x, part["convolution"]["kernel"], padding=1)
    z = (z - norm["running_mean"]) / np.sqrt(norm["running_variance"] + 1e-5)
    return norm["scale"] * z + norm["bias"]


maps = relu(rng.normal(size=(2, 8, 6, 6)))  # what comes from a block before it
hidden = relu(normalised(maps, parts["first"]))
by_hand = relu(normalised(hidden, parts["second"]) + maps)
assert relative_error(block(torch.tensor(maps)).detach(), by_hand) < 1e-10
with torch.no_grad():
    block.second.norm.scale.zero_()
    unchanged = torch.tensor(maps)
    for _ in range(100):
        unchanged = block(unchanged)
assert np.array_equal(unchanged.numpy(), maps)  # a hundred blocks pass it on

# %% [markdown]
# ResNet-18 is a stem, eight such blocks in four stages, and a mean over places. Each stage but the first halves the resolution and doubles the channels. The library Transformers has it as well; built from its configuration, without a download, its weights are random. Ours with the same weights gives the same numbers.

# %%
from transformers import ResNetConfig, ResNetModel

from mmcourse.encoders.torch import ResNet18

config = ResNetConfig(layer_type="basic", depths=[2, 2, 2, 2],
                      hidden_sizes=[64, 128, 256, 512], embedding_size=64)
theirs = ResNetModel(config).double().eval()
ours = ResNet18.from_transformers(theirs)
photos = torch.tensor(rng.normal(size=(2, 3, 64, 96)))  # red, green, blue
with torch.no_grad():
    vectors = ours(photos)
    assert relative_error(vectors, theirs(photos).pooler_output.flatten(1)) < 1e-10
assert vectors.shape == (2, 512)

# %%
from mmcourse.encoders.counts import count_resnet
from mmcourse.encoders.resnet_plan import longest_path

resnet18 = count_resnet(224, out_dim=1000)
without_head = sum(p.numel() for p in ours.parameters())
assert resnet18.parameters == without_head + 512 * 1000 + 1000
exact("ResNet-18 with its head: {:.0f} parameters",
      resnet18.parameters, key="resnet18")
exact("{:.2f} billion multiply-adds for a picture of 224 by 224",
      resnet18.multiply_adds / 1e9, key="resnet18-cost")
exact("its receptive field is {:.0f} pixels wide",
      receptive_field(longest_path()).size, key="resnet18-field")

# %% [markdown]
# ## A picture is a sequence
#
# The other family drops the sliding window. Cut the picture into *patches* of $P$ by $P$ pixels, give each a vector by one matrix $E$, and hand the sequence to a Transformer, as if the patches were words ([Dosovitskiy et al., 2021](../../book/bibliography.md#dosovitskiy2021)). A picture of $H$ by $W$ pixels has $N = HW/P^2$ of them. Ours of 20 by 20 with $P = 4$ has 25.

# %%
from mmcourse.encoders.numpy import cut_patches, patch_embedding


def joined(patches, grid=(5, 5)):
    """Put square patches of one channel together again, row by row."""
    side = int(patches.shape[2] ** 0.5)
    cut = patches.reshape(len(patches), *grid, side, side)
    rows = cut.transpose(0, 1, 3, 2, 4)  # (batch, down, row, across, column)
    return rows.reshape(len(patches), 1, grid[0] * side, grid[1] * side)


letters = draw("test", 6).features["image"].astype(float)
patches = cut_patches(letters, 4)
assert patches.shape == (6, 25, 16)
assert np.array_equal(patches[0, 1].reshape(4, 4), letters[0, 0, :4, 4:8])
assert np.array_equal(joined(patches), letters)

E, e = rng.normal(size=(24, 1, 4, 4)), rng.normal(size=24)
tokens = patches @ E.reshape(24, 16).T + e  # (6, 25, 24)
assert np.allclose(tokens, patch_embedding(letters, E, e))
maps = convolution(letters, E, e, stride=4)  # kernel as wide as its stride
assert np.allclose(tokens, maps.reshape(6, 24, 25).transpose(0, 2, 1))

# %% tags=["hide-input"]
fig = plt.figure(figsize=(8, 2.6), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1, 3.2])
show(left.subplots(), letters[0, 0])
for axis, patch in zip(right.subplots(3, 9).ravel(), [*patches[0], None, None], strict=True):
    if patch is None:
        axis.set_axis_off()
    else:
        show(axis, patch.reshape(4, 4))
figure(
    fig,
    "patches",
    caption="A picture, and the same picture as the Transformer gets it: 25 patches in a row (here broken into three lines), each of 16 numbers.",
    alt="Left, a letter on a square canvas. Right, twenty-five small squares in three lines, most of them empty, some with a piece of a stroke.",
)

# %% [markdown]
# The last assertion says that the patch embedding is a convolution after all, one whose stride is as large as its kernel. What comes after it is different: every patch attends to every other, near or far, in the first layer. And attention has no places. Shuffle the patches and the class token, the extra token whose output is taken as the picture's vector, does not notice. So a *position* is added to each token:
#
# $$z_0 = [x_\text{cls};\; x_1 E;\; \dots;\; x_N E] + E_\text{pos} .$$
#
# Here $x_n$ is patch $n$ as a row of pixels, $x_\text{cls}$ the learned class token, and $E_\text{pos}$ has one row for each token.

# %%
from mmcourse.encoders.torch import VisionTransformer

seed_everything(0)
vit = VisionTransformer(size=20, patch_size=4, channels=1,
                        dim=24, layers=3, heads=3).double().eval()
shuffled = joined(patches[:, rng.permutation(25)])


@torch.no_grad()
def vector(model, images):
    return model(torch.tensor(images)).numpy()


assert not np.allclose(vector(vit, letters), vector(vit, shuffled))
with torch.no_grad():
    learned = vit.positions.clone()
    vit.positions.zero_()
assert np.allclose(vector(vit, letters), vector(vit, shuffled))  # a set of patches
with torch.no_grad():
    vit.positions.copy_(learned)

# %% [markdown]
# > **Correction.** A source document ([entry C-44](../../book/corrections.md#c-44)) describes the vision Transformer as patches and a Transformer, and nothing else. Without positions it could not tell a picture from the same picture cut up and shuffled, as the last assertion shows.
#
# Positions may be learned, one vector for each place. Or they may be computed: half of the vector is made of sines and cosines of the row $r$, half of the column $c$, at several frequencies $f$. The dot product of two such positions is $\sum_f \cos f(r - r') + \sum_f \cos f(c - c')$: it knows how far two patches are from each other, not where they are. No training told it.

# %%
from mmcourse.encoders.image_positions import sine_cosine_positions

positions = sine_cosine_positions((5, 5), 24)
products = (positions @ positions.T).reshape(5, 5, 5, 5)  # (r, c, r', c')
frequencies = 10_000.0 ** (-4 * np.arange(6) / 24)
offset = np.arange(5)[:, None] - np.arange(5)
waves = np.cos(offset[..., None] * frequencies).sum(axis=-1)  # (r, r')
assert np.allclose(products, waves[:, None, :, None] + waves[None, :, None, :])

# %% [markdown]
# ## Resolution is paid in tokens
#
# Double height and width, and there are four times as many patches. Attention compares every token with every token, so this part of the cost grows sixteenfold; the rest, like a convolution, grows fourfold. The counts are for a Transformer of twelve layers and width 768 with patches of 16, the size called ViT-B/16.

# %%
from mmcourse.encoders.counts import count_vision_transformer


def cost(side, patch):
    """Multiply-adds of the Transformer, and those of comparing all with all."""
    whole = count_vision_transformer(side, patch, dim=768, layers=12).multiply_adds
    tokens = 1 + (side // patch) ** 2
    return whole, 12 * 2 * tokens**2 * 768  # scores and mixing, in each layer


for side in (224, 1024):
    whole, pairs = cost(side, 16)
    exact(f"{side} by {side}: {{:.0f}} tokens",
          1 + (side // 16) ** 2, key=f"tokens-{side}")
    exact("    share of comparing all with all: {:.3f}",
          pairs / whole, key=f"pairs-{side}")
    exact("    times the cost of ResNet-18: {:.1f}",
          whole / count_resnet(side).multiply_adds, key=f"over-resnet-{side}")

# %% tags=["hide-input"]
sides = np.arange(64, 1025, 32)
fig, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
for patch, colour in ((16, "C1"), (32, "C4")):
    costs = np.array([cost(side, patch) for side in sides])
    axis.plot(sides, costs[:, 0], color=colour, label=f"Transformer, patches of {patch}")
    axis.plot(sides, costs[:, 1], "--", color=colour, label="of it: comparing all with all")
axis.plot(sides, [count_resnet(int(side)).multiply_adds for side in sides], color="C0", label="ResNet-18")
axis.set(xscale="log", yscale="log", xlabel="height and width of the picture, pixels", ylabel="multiply-adds")
axis.set_xticks([64, 128, 256, 512, 1024], ["64", "128", "256", "512", "1024"])
axis.minorticks_off()
axis.legend(fontsize=10, loc="center left", bbox_to_anchor=(1, 0.5))
figure(
    fig,
    "resolution",
    caption="Cost of one picture, counted. The solid lines of the Transformers bend upwards where their dashed part, which grows with the fourth power of the side, takes over. "
    "Patches twice as wide make a quarter of the tokens.",
    alt="Curves on logarithmic axes, all rising. The curve for patches of 16 lies highest and bends upwards at the right; ResNet-18 is a straight line below it.",
)

# %% [markdown]
# A language model that is given a picture pays for the same tokens again, in every one of its layers. So patch size and resolution are among the first numbers to ask for.
#
# ## Which needs fewer pictures?
#
# A convolution is told that a stroke is a stroke wherever it is. A Transformer over patches is told next to nothing: it has to learn, from pictures, that the same letter on other patches, cut in other ways, is the same letter. So we predict: with few pictures the convolutional network is far ahead, and with many the gap narrows.
#
# Both read letters anywhere on the canvas. The CNN is a ResNet of three blocks, the ViT has three layers. Each learns with the better of two rates, chosen on characters of neither part; it was the same for both. Each takes the same number of steps whatever the number of pictures. Beside them stand the two methods from the beginning.

# %%
from mmcourse.encoders.torch import ResNet


class Reader(torch.nn.Module):
    """An encoder of pictures as fit and predict call a model."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, features, mask=None):
        return self.encoder(features["image"])


# %%
def reader(kind, seed=0):
    seed_everything(seed)
    common = {"channels": 1, "out_dim": len(LETTERS), "check_values": False}
    if kind == "CNN":
        return Reader(ResNet(widths=[8, 16, 32], depths=[1, 1, 1],
                             small_pictures=True, **common))
    return Reader(VisionTransformer(size=20, patch_size=4, dim=24,
                                    layers=3, heads=3, **common))


for kind in ("CNN", "ViT"):
    size = sum(p.numel() for p in reader(kind).parameters())
    exact(f"{kind}: {{:.0f}} parameters", size, key=f"{kind.lower()}-parameters")


# %%
def train_and_score(kind, train, asked, seed=0, steps=800):
    """Accuracy of a freshly trained network on letters it was not trained on."""
    model = reader(kind, seed)
    steps_each = -(-len(train) // 64)
    fit(model, train, epochs=round(steps / steps_each), batch_size=64,
        learning_rate=3e-3, weight_decay=0.01, seed=seed)
    return accuracy(predict(model, asked), asked.labels)


runs = experiment("concepts_image_encoders")
few = draw("train", 200)
live = train_and_score("CNN", few, asked["anywhere"])
three = runs.values("accuracy", sweep="sizes", model="CNN", pictures=200)
claim("CNN with 200 pictures, beside three stored ones: accuracy", live,
      at_least=three.min() - 0.01, at_most=three.max() + 0.01, key="live-point")

# %%
COUNTS = [200, 1_000, 5_000, 25_000]


def scores(kind, key="accuracy"):
    """(training sizes, three seeds)"""
    return np.array([runs.values(key, sweep="sizes", model=kind, pictures=count)
                     for count in COUNTS])


lead = (scores("CNN") - scores("ViT")).mean(axis=1)
LEADS = {200: (0.16, 0.21), 1_000: (0.38, 0.45),
         5_000: (0.31, 0.34), 25_000: (0.27, 0.3)}
for count, value in zip(COUNTS, lead, strict=True):
    low, high = LEADS[count]
    claim(f"lead of the CNN with {count} pictures, mean of three seeds",
          value, at_least=low, at_most=high, key=f"lead-{count}")

# %% tags=["hide-input"]
LOOKS = {"CNN": ("C0", "o", "CNN"), "ViT": ("C1", "s", "ViT"),
         "nearest": ("C2", "^", "nearest picture"), "linear": ("0.35", "v", "linear on pixels")}
fig, axis = plt.subplots(figsize=(7.2, 4), layout="constrained")
for kind, (colour, marker, label) in LOOKS.items():
    seeds = scores(kind)
    axis.plot(COUNTS, seeds.mean(axis=1), color=colour)
    axis.plot(COUNTS, seeds, marker, color=colour, alpha=0.6, markersize=5)
    axis.plot([], [], marker + "-", color=colour, label=label)
patient = runs.values("accuracy", sweep="patience").item()
axis.plot(25_000, patient, "s", color="C1", markerfacecolor="none", markersize=9, label="ViT, four times the steps")
axis.set(xscale="log", xlabel="training pictures", ylabel="accuracy on new characters", ylim=(0, 1))
axis.set_xticks(COUNTS, [f"{count:,}" for count in COUNTS])
axis.minorticks_off()
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
figure(
    fig,
    "training-size",
    caption="Accuracy on new characters against the number of training pictures, letters anywhere on the canvas: three seeds (dots) and their mean (lines). "
    "From 1,000 pictures on the gap between CNN and ViT narrows; it does not close. The nearest picture lies between them and ends level with the CNN. Open square: one ViT with four times the steps.",
    alt="Four rising curves over training size. The CNN rises steeply and levels off near 0.95, the nearest picture follows and meets it at the right end; "
    "the ViT stays below both and ends near two thirds; the linear classifier stays flat near 0.3. A single open square at the right end, for a ViT trained longer, stands halfway between ViT and CNN.",
)

# %%
nearest = scores("nearest").mean(axis=1)
vit_means = scores("ViT").mean(axis=1)
claim("nearest picture minus ViT, mean of three seeds, least of the four sizes",
      (nearest - vit_means).min(), at_least=0.1, key="nearest-vit")
claim("nearest picture minus CNN, with 25000 pictures, mean of three seeds",
      nearest[3] - scores("CNN")[3].mean(),
      at_least=-0.01, at_most=0.03, key="nearest-cnn")
fitted = scores("ViT", "train_accuracy").mean(axis=1)
for place, bounds in ((1, {"at_least": 0.95}), (2, {"at_most": 0.8}),
                      (3, {"at_most": 0.8})):
    claim(f"ViT with {COUNTS[place]} pictures, on these pictures: accuracy",
          fitted[place], key=f"vit-fitted-{COUNTS[place]}", **bounds)
claim("ViT with 25000 pictures and four times the steps, one seed: gain",
      patient - scores("ViT")[3, 0], at_least=0.14, key="vit-patience")
claim("CNN in the usual number of steps, same seed, minus that patient ViT",
      scores("CNN")[3, 0] - patient,
      at_least=0.08, at_most=0.13, key="lead-over-patient")

# %% [markdown]
# The prediction holds in part. The gap is widest with 1,000 pictures, it narrows from there on, and it does not close. With 200 pictures it is narrow for another reason: there the CNN does not read much either. With 1,000 pictures the ViT knows nearly all of its training pictures by heart, so it does not lack parameters. With 5,000 and more it does not even know those. There the number of steps holds it back, and four times as many take more than half of what was left of the gap. The CNN was not given them.
#
# And look at the green curve. The nearest picture, which learns nothing, is ahead of the ViT at every size, and with 25,000 pictures it is level with the CNN. Perhaps that is because the places can be exhausted: a letter has $5 \cdot 5$ of them, and the training part has 1,344 pictures of letters. Without such a baseline we would have praised both networks.
#
# ## Does a convolution read moved letters by itself?
#
# We had a reason for the CNN's lead: what moves in the picture moves in the map. If that is all, a CNN that was trained on letters in the middle should read letters anywhere. The experiment asked that as well.

# %%
MIDDLE = {"sweep": "middle"}
BOUNDS = {("CNN", "middle"): (0.93, 0.98), ("CNN", "anywhere"): (0.12, 0.2),
          ("ViT", "middle"): (0.88, 0.96), ("ViT", "anywhere"): (0.1, 0.15)}
for (kind, place), (low, high) in BOUNDS.items():
    key = {"middle": "accuracy", "anywhere": "moved_accuracy"}[place]
    claim(f"{kind}, trained in the middle, asked {place}, three seeds: accuracy",
          runs.values(key, model=kind, **MIDDLE).mean(),
          at_least=low, at_most=high, key=f"{kind.lower()}-{place}")

# %% [markdown]
# It does not. It falls as low as the pixels did. Remember the small print: after two layers that halve the resolution, only moves by multiples of *four* pixels move the map. A letter moved by one pixel meets the grid of places in another way, and the network has never seen it so. Is that the cause? Take the strides out. This CNN keeps the full resolution to the end; it is smaller, and it takes half the steps, since each costs more.

# %%
seed_everything(0)
without_stride = Reader(ResNet(
    widths=[12], depths=[3], small_pictures=True, channels=1,
    out_dim=len(LETTERS), check_values=False))
fit(without_stride, train, epochs=25, batch_size=64,
    learning_rate=3e-3, weight_decay=0.01, seed=0)
calm = {place: accuracy(predict(without_stride, data), data.labels)
        for place, data in asked.items()}
claim("CNN without stride, trained in the middle, asked in the middle: accuracy",
      calm["middle"], at_least=0.8, key="calm-middle")
claim("CNN without stride: what it loses when asked anywhere",
      calm["middle"] - calm["anywhere"], at_most=0.08, key="calm-loss")

# %% [markdown]
# In this one run it is: without a stride, hardly anything is lost. So the lead of the CNN is not that it reads moved letters from the start. Perhaps it is that it must see a letter in each of $4 \cdot 4$ positions to its grid and no more, and shares what it learned there. That small moves upset networks with strides is known from large ones ([Azulay and Weiss, 2019](../../book/bibliography.md#azulay2019); [Zhang, 2019](../../book/bibliography.md#zhang2019)).
#
# What this does not show: these are two tiny networks on drawn letters, trained without moving or distorting the pictures on purpose, and they differ in more than one respect. At the other end, [Dosovitskiy et al. (2021)](../../book/bibliography.md#dosovitskiy2021) report that vision Transformers trained on about a million photographs stay somewhat behind residual networks of similar size, and that with many more they catch up.

# %% [markdown]
# ## Pictures as words, in brief
#
# A patch is a vector, a word is an entry of a list. A model that shall *write* pictures as it writes words wants entries. Make a list: sort the patches of the training pictures into $K$ clusters with k-means. The means of the clusters are the *codebook*, and a patch is replaced by the number of its nearest entry. A picture is then 25 whole numbers of $\log_2 K$ bits each. What is lost? Compare the squared error on new characters with that of $K = 1$, where every patch becomes the mean patch.

# %%
from sklearn.cluster import KMeans

known = draw("train", 600).features["image"]
new = asked["anywhere"].take(slice(600))
to_learn = cut_patches(known, 4).reshape(-1, 16)
to_code = cut_patches(new.features["image"], 4).reshape(-1, 16)
codebooks, errors = (1, 4, 16, 64, 256), {}
rebuilt = {}
for entries in codebooks:
    book = KMeans(entries, n_init=1, random_state=0).fit(to_learn)
    words = book.predict(to_code)  # 25 whole numbers for each picture
    copies = book.cluster_centers_[words]
    errors[entries] = ((copies - to_code) ** 2).mean()
    rebuilt[entries] = joined(copies.reshape(len(new), 25, 16))
assert words.reshape(len(new), 25).shape == (600, 25)
for entries in (16, 256):
    bounds = {16: (0.25, 0.4), 256: (0.1, 0.17)}[entries]
    claim(f"share of the squared error that is left with {entries} entries",
          errors[entries] / errors[1],
          at_least=bounds[0], at_most=bounds[1], key=f"codebook-{entries}")

# %% tags=["hide-input"]
fig = plt.figure(figsize=(8.4, 3), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1.2, 2])
axis = left.subplots()
axis.plot(codebooks, [errors[entries] / errors[1] for entries in codebooks], "o-", color="C0")
axis.set(xscale="log", xlabel="entries of the codebook", ylabel="squared error left", ylim=(0, 1.05))
axis.set_xticks(codebooks, map(str, codebooks))
axis.minorticks_off()
grid = right.subplots(3, 5)
for line, row in zip(grid, (0, 1, 2), strict=True):
    show(line[0], new.features["image"][row, 0], "picture" if row == 0 else "")
    for axis, entries in zip(line[1:], codebooks[1:], strict=True):
        show(axis, rebuilt[entries][row, 0], f"K = {entries}" if row == 0 else "")
figure(
    fig,
    "codebook",
    caption="Left: squared error on new characters, as a share of that with one entry, against the size of the codebook. Right: three new characters, and what the codebooks make of them.",
    alt="Left, a falling curve. Right, three letters and four copies of each, from a few blocks to nearly the letter itself.",
)

# %% [markdown]
# A picture of 400 grey values of 8 bits has become 25 numbers, with $K = 256$ of 8 bits as well: a sixteenth. The strokes survive, small marks blur. The codebooks of large models are learned together with an encoder and a decoder, so that an entry stands for more than 16 grey values ([van den Oord et al., 2017](../../book/bibliography.md#oord2017)). The step itself, to the nearest entry, is this one.
#
# ## The same in three frameworks
#
# Both families exist for PyTorch and for Keras, with the same parameters under the same names. The same weights go in; the same numbers and the same gradients come out, and the NumPy formula agrees. The vision Transformer of the library Transformers, with its weights carried over, agrees as well.

# %%
import tensorflow as tf

import mmcourse.encoders.keras as keras_encoders
import mmcourse.encoders.torch as torch_encoders
from mmcourse.encoders.numpy import resnet, vision_transformer

from mmcourse.parity import keras_variables

tiny = rng.normal(size=(3, 1, 12, 12))


# %%
def agree(name, formula, **options):
    """PyTorch, Keras, NumPy: same outputs; the first two: same gradients."""
    in_torch = getattr(torch_encoders, name)(channels=1, **options).double().eval()
    in_keras = getattr(keras_encoders, name)(channels=1, **options, dtype="float64")
    transfer(in_torch, in_keras)
    output = in_torch(torch.tensor(tiny))
    (output**2).sum().backward()
    slopes = {name: p.grad.numpy() for name, p in in_torch.named_parameters()}
    variables = {name: keras_variables(in_keras)[name].value for name in slopes}
    with tf.GradientTape() as tape:
        keras_output = in_keras(tf.constant(tiny), training=False)
        loss = tf.reduce_sum(keras_output**2)
    keras_slopes = tape.gradient(loss, variables)
    reference = formula(tiny, numpy_arguments(in_torch))
    assert relative_error(output.detach(), reference) < 1e-10
    assert relative_error(keras_output, reference) < 1e-10
    one, other = (np.concatenate([np.ravel(each[name]) for name in slopes])
                  for each in (slopes, keras_slopes))
    assert relative_error(other, one) < 1e-10


# %%
from transformers import ViTConfig, ViTModel

agree("ResNet", lambda x, p: resnet(x, small_pictures=True, **p),
      widths=[3, 5], depths=[1, 1], small_pictures=True)
agree("VisionTransformer",
      lambda x, p: vision_transformer(x, heads=3, size=12, **p),
      size=12, patch_size=4, dim=12, layers=2, heads=3)

config = ViTConfig(
    image_size=12, patch_size=4, num_channels=1, hidden_size=12,
    num_hidden_layers=2, num_attention_heads=3, intermediate_size=48)
theirs = ViTModel(config).double().eval()
ours = VisionTransformer.from_transformers(theirs)
with torch.no_grad():
    their_tokens = theirs(torch.tensor(tiny)).last_hidden_state
    assert relative_error(ours.tokens(torch.tensor(tiny)), their_tokens) < 1e-10

# %% [markdown]
# A source document promises its algorithms in detail and gives empty bodies ([entry E-07](../../book/corrections.md#e-07)); another promises a chapter of formulas and gives none ([E-18](../../book/corrections.md#e-18)). Here convolution, pooling, residual block, patches and positions are written out, and each equals the library's.
#
# ## What to keep
#
# A convolution uses the same few weights at every place, so what it learns about one place holds for all, and what moves in the picture moves in the map. Pooling lowers the resolution and keeps the channels; without an activation the stack may be one affine map. Count before you train: parameters, receptive field, tokens, multiply-adds. A vision Transformer reads patches as a sequence, needs positions to know where they were, and pays for resolution by the square of the number of tokens. What the convolution is told, the Transformer must learn from pictures: here the gap narrowed with more of them, and with more steps, and did not close. And a stride breaks the promise of the first sentence for all moves that are no multiple of it.
#
# **Try it.** Give the Transformer patience with `train_and_score("ViT", draw("train", 5_000), asked["anywhere"], steps=3_200)`: how much of the gap to the CNN is left? What does a picture cost with the patches that some language models use, `cost(448, 14)`? Put a stride into the first layer, `receptive_field([Window(3, stride=2), *windows])`, and explain the new size. The [exercises](exercises.ipynb) ask you to write the convolution and the receptive field yourself.
#
# **Further reading.** [LeCun et al. (1998)](../../book/bibliography.md#lecun1998) for the convolutional network that read cheques, [Dumoulin and Visin (2016)](../../book/bibliography.md#dumoulin2016) for the arithmetic of strides and padding, [Araujo et al. (2019)](../../book/bibliography.md#araujo2019) for receptive fields, [Dosovitskiy et al. (2021)](../../book/bibliography.md#dosovitskiy2021) for the vision Transformer and its hunger.

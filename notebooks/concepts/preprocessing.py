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
# # Preprocessing
#
# Turn pictures, sound and text into the numbers that a model reads, with the field's tools, and put three questions to every step on the way.
#
# **Before this:** NumPy arrays, and what the accuracy of a classifier is. The page [Concepts](../../book/concepts/index.md) says where this lesson stands.

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab preprocessing

# %%
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import cv2
import matplotlib.pyplot as plt
import numpy as np

from mmcourse.data import glyphs, scenes
from mmcourse.data.scenes import parse
from mmcourse.lesson import claim, exact, experiment, figure, setup

setup("concepts/preprocessing")

# %% [markdown]
# ## A line that everybody copies
#
# Somebody scans letters, crookedly and off-centre: three pictures of each letter in each of three fonts. Letters of a fourth font are to be read. The reader is the simplest there is. It finds the training picture that differs least and answers with that picture's label: the *nearest neighbour*.

# %%
def moved(images, rng, *, turn=0.0, scale=0.0, shift=0.0):
    """Every picture turned (degrees), resized (by e^scale) and shifted (pixels)."""
    size = images.shape[1]
    middle = ((size - 1) / 2, (size - 1) / 2)
    out = np.empty_like(images)
    for row, image in enumerate(images):
        angle, zoom = rng.uniform(-turn, turn), np.exp(rng.uniform(-scale, scale))
        change = cv2.getRotationMatrix2D(middle, angle, zoom)
        change[:, 2] += rng.uniform(-shift, shift, size=2)
        out[row] = cv2.warpAffine(image, change, (size, size))
    return out


def scanned(letters, style, count, rng):
    """count careless pictures of each letter in a font, and their labels."""
    font = glyphs((style,))
    images = font.images[[font.characters.index(letter) for letter in letters]]
    images = np.repeat(images, count, axis=0)
    labels = np.repeat(np.arange(len(letters)), count)
    return moved(images, rng, turn=10, scale=0.15, shift=1.5), labels


# %%
FONTS = ("sans", "bold", "serif", "mono")


def nearest(rows, labels, asked):
    """The label of the nearest row, for each row that is asked."""
    rows, asked = rows.reshape(len(rows), -1), asked.reshape(len(asked), -1)
    return labels[((rows**2).sum(axis=1) - 2 * asked @ rows.T).argmin(axis=1)]


def gain_by_mirror(letters, new_font="serif", seed=0):
    """Accuracy in a new font, with mirrored copies minus without."""
    rng = np.random.default_rng([seed, FONTS.index(new_font)])
    known = [scanned(letters, font, 3, rng) for font in FONTS if font != new_font]
    images, labels = (np.concatenate(part) for part in zip(*known, strict=True))
    asked, truth = scanned(letters, new_font, 30, rng)
    copies = np.concatenate([images, images[:, :, ::-1]])
    with_copies = nearest(copies, np.tile(labels, 2), asked) == truth
    return with_copies.mean() - (nearest(images, labels, asked) == truth).mean()


# %% [markdown]
# Nine pictures a letter are few. So somebody adds what stands in many training scripts: show every picture in the mirror, too. Twice the data for one line. Here are three users, each with letters of their own.

# %%
LETTERS = {"another letter": "bdpq", "itself": "AHIMOTUVWXY",
           "no letter": "BCDEFGJKLNPQRSZ"}  # what the mirror shows
runs = experiment("concepts_preprocessing")


def stored_gain(augmentation, mirrored, reader="nearest neighbour", **settings):
    """Gains by an augmentation in all stored runs with these settings."""
    settings |= {"sweep": "augmentation", "alphabet": mirrored, "reader": reader}
    changed, plain = (runs.values("accuracy", augmentation=kind, **settings)
                      for kind in (augmentation, "none"))
    return changed - plain


for mirrored, letters in LETTERS.items():
    same_run = stored_gain("mirror", mirrored, font="serif", seed=0)[0]
    claim(f"gain by the mirror, letters {letters}", gain_by_mirror(letters),
          at_least=same_run - 0.02, at_most=same_run + 0.02,
          key="mirror-" + mirrored.replace(" ", "-"))

# %% [markdown]
# The line ruins the first result, helps the second and does little to the third. No error, no warning. What tells the three apart?
#
# ## Question one: what does the step make equal?
#
# Draw a d on three by five pixels. Look at it in the mirror, upside down, and both.

# %%
d = np.array([[0, 0, 1],
              [0, 0, 1],
              [1, 1, 1],
              [1, 0, 1],
              [1, 1, 1]], dtype=np.uint8)
b, q, p = d[:, ::-1], d[::-1], d[::-1, ::-1]
assert np.array_equal(b, cv2.flip(d, 1))  # OpenCV's name for the mirror
assert np.array_equal(p, cv2.rotate(d, cv2.ROTATE_180))
for strokes in zip(d, b, q, p, strict=True):
    print("    ".join("".join(".#"[pixel] for pixel in line) for line in strokes))

# %% [markdown]
# With mirrored copies the training part holds one picture twice, once called b and once called d, and nobody can learn from that. An augmentation acts on a *pair*: from the picture $x$ with the label $y$ it makes $(g(x), y)$, and this is a true example only if $g(x)$ is still a $y$. Where $g(x)$ has another label that is known, give it that one, here $h(\text{b}) = \text{d}$, and the pair $(g(x), h(y))$ is true again.
#
# The question is the same for any step, whether it adds examples or changes them: which inputs come out equal that were different before, and did they have the same label? Here are five steps of this lesson, and five that do better.

# %% tags=["hide-input"]
from mmcourse.data.resampling import resampled

font = glyphs()
glyph_of = dict(zip(font.characters, font.images, strict=True))
bar, stripes = np.zeros((2, 32, 32), np.float32)
bar[2:30, 14:18], stripes[:, 2::4] = 1, 1
filled = cv2.resize(bar[2:30, 14:18], (32, 32))
assert np.array_equal(filled, cv2.resize(bar.T[14:18, 2:30], (32, 32)))
nearest_pixel, mean_of_area = (
    [cv2.resize(picture, (8, 8), interpolation=method) for picture in (stripes, 0 * stripes)]
    for method in (cv2.INTER_NEAREST, cv2.INTER_AREA)
)
assert np.array_equal(*nearest_pixel)
tones = [np.cos(2 * np.pi * hertz * np.arange(4000) / 8000) for hertz in (3000, 1000)]
assert np.allclose(tones[0][::2], tones[1][::2])
part = slice(1000, 1020)  # far from both ends
letters_of = glyph_of["d"], glyph_of["b"]
shifted = np.roll(letters_of[0], 2, axis=1), np.roll(letters_of[1], -2, axis=0)

# %% tags=["hide-input"]
GALLERY = {
    "mirrored copies": (("d", "b"), letters_of, (letters_of[0][:, ::-1], letters_of[1]), shifted),
    "a bar to fit": (("bar", "dash"), (bar, bar.T), (filled, filled), (bar, bar.T)),
    "shrunk by four": (("stripes", "blank"), (stripes, 0 * stripes), nearest_pixel, mean_of_area),
    "half the rate": (("3 kHz", "1 kHz"), [tone[2000:2040] for tone in tones], [tone[::2][part] for tone in tones],
                      [resampled(tone, 8000, 4000)[part] for tone in tones]),
    "letters as numbers": (("e acute", "e grave"), "éè", ("unknown", "unknown"), ("C3 A9", "C3 A8")),
}


def draw_cell(axis, content, name):
    if isinstance(content, str):
        axis.text(0.5, 0.5, content, ha="center", va="center", fontsize=20 if len(content) == 1 else 9)
    elif content.ndim == 2:
        axis.imshow(content, cmap="gray_r", vmin=0, vmax=1)
    else:
        axis.plot(content, ".-", linewidth=0.8, markersize=3)
        axis.set(ylim=(-1.4, 1.4))
    axis.spines[:].set_visible(True)
    axis.set(xticks=[], yticks=[], box_aspect=1)
    axis.set_xlabel(name, fontsize=9)


# %% tags=["hide-input"]
fig = plt.figure(figsize=(10, 4.6), layout="constrained")
for column, (title, (below, *lines)) in zip(fig.subfigures(1, 5), GALLERY.items(), strict=True):
    column.suptitle(title, fontsize=11)
    for axes, pair, row in zip(column.subplots(3, 2), lines, ("two inputs", "made equal", "kept apart"), strict=True):
        for axis, content, name in zip(axes, pair, below, strict=True):
            draw_cell(axis, content, name)
        axes[0].set_ylabel(row if title == "mirrored copies" else "", fontsize=10)
figure(
    fig,
    "made-equal",
    caption="Top: two inputs with different labels. Middle: after a careless step they are equal, and no model can "
    "tell them apart. Bottom: after a better step they still differ. From left to right: copies in the mirror, against "
    "copies moved a little; a shape stretched to fill the picture, against one that keeps its proportions; every fourth "
    "pixel, against means over four by four; every second sample, against a filter first; "
    "one number for all unknown letters, against the bytes of each.",
    alt="Five pairs of small pictures in three rows. In the middle row both pictures of each pair are the same: two b, two "
    "black squares, two blank squares, two equal waves, twice the word unknown. In the lower row they differ again.",
)

# %% [markdown]
# ### Which augmentations help?
#
# The experiment behind this lesson tries eight of them on the three alphabets: each font is once the new one, with ten drawings of the data, and a small convolutional network trained on the same pictures stands beside the nearest neighbour.

# %% tags=["hide-input"]
AUGMENTATIONS = ("shift", "resize", "turn by up to 15°", "turn by any angle", "cut to 60%", "upside down",
                 "mirror", "mirror, label too")
DRAWN = [("nearest neighbour", augmentation) for augmentation in AUGMENTATIONS] + [
    ("network", augmentation) for augmentation in ("shift", "mirror", "mirror, label too")]


def draw_gains(axis, mirrored):
    for reader, augmentation in DRAWN:
        if augmentation == "mirror, label too" and mirrored != "another letter":
            continue  # there is no other label
        colour, marker, lift = ("C0", "o", 0) if reader == "nearest neighbour" else ("C1", "D", 0.3)
        gains, place = stored_gain(augmentation, mirrored, reader), AUGMENTATIONS.index(augmentation) + lift
        axis.plot([gains.min(), gains.max()], [place] * 2, color=colour, linewidth=1, alpha=0.6)
        axis.plot(gains.mean(), place, marker, color=colour, markersize=6, label=reader)
    axis.axvline(0, color="0.5", linewidth=1)
    axis.set(xlabel="gain in accuracy", yticks=range(8), yticklabels=AUGMENTATIONS)
    axis.set_title(f"the mirror shows\n{mirrored}", fontsize=11)


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.8), sharex=True, sharey=True, layout="constrained")
for axis, mirrored in zip(axes, LETTERS, strict=True):
    draw_gains(axis, mirrored)
axes[0].invert_yaxis()
handles, readers = axes[0].get_legend_handles_labels()
fig.legend(handles[2::8], readers[2::8], loc="outside lower center", ncols=2)
figure(
    fig,
    "gains",
    caption="What an augmentation adds to the accuracy, for letters that the mirror turns into one another (b d p q), into "
    "themselves (A H I M O T U V W X Y), into no letter (other capitals). Points: means over four fonts and ten drawings "
    "(network: three). Lines: from the smallest to the largest gain.",
    alt="Three panels of points. The mirror loses most for b d p q, gains for letters that are their own mirror image, loses "
    "a little for the others; with exchanged labels it gains for b d p q. Shifting gains most everywhere.",
)

# %%
for mirrored, letters in LETTERS.items():
    for reader in ("nearest neighbour", "network"):
        gains = stored_gain("mirror", mirrored, reader)
        print(f"{letters:16} {reader:18} {gains.mean():+.2f}")
claim("mean gain with the label exchanged, b d p q",
      stored_gain("mirror, label too", "another letter").mean(),
      at_least=0.05, key="exchanged-gain")
claim("mean gain by shifting, b d p q",
      stored_gain("shift", "another letter").mean(), at_least=0.2, key="shift-gain")
own = {"sweep": "amount", "alphabet": "itself"}
few, many = (runs.values("accuracy", augmentation="mirror", pictures=count, **own)
             - runs.values("accuracy", augmentation="none", pictures=count, **own)
             for count in (1, 10))  # of each letter in each known font
claim("mean gain by the mirror of A H I …, ten pictures a font over that with one",
      many.mean() / few.mean(), at_most=0.5, key="amount-ratio")

# %% [markdown]
# Whether a step is right depends on the labels, not on the step. The letters to be read are shifted, resized and turned a little, and copies of just these kinds help with all three alphabets, shifts most. For b d p q the mirror helps, too, as soon as the labels are exchanged with it. Copies are worth most where pictures are few: the gain that the mirror brings to letters which are their own image is more than halved when there are ten times as many. Cutting does next to nothing here, and turning by any angle costs b d p q, where half a turn makes another letter.
#
# In multimodal data the label may be a sentence. Mirror the pictures of a thousand scenes and leave their captions as they are:

# %%
world = scenes(1000, seed=0)
captions = world.captions()
position, velocity = world.position.copy(), world.velocity.copy()
position[..., 0] = 1 - position[..., 0]
velocity[..., 0] *= -1
in_mirror = replace(world, position=position, velocity=velocity)
assert np.allclose(in_mirror.images(32), world.images(32)[..., ::-1], atol=1e-6)

# %%
def untrue(captions, world):
    """Share of the captions that say something untrue of their scene."""
    truths = zip(captions, world.facts(), strict=True)
    return np.mean([not parse(caption) <= facts for caption, facts in truths])


def exchanged(caption):
    other = {"left": "right", "right": "left"}
    return " ".join(other.get(word, word) for word in caption.split(" "))


shortest = min((caption for caption in captions if "left of" in caption), key=len)
print(shortest, exchanged(shortest), sep="\n")
assert untrue(captions, world) == 0
exact("untrue after the mirror: {:.1%}", untrue(captions, in_mirror), key="untrue")
assert untrue(map(exchanged, captions), in_mirror) == 0

# %% [markdown]
# Exchange *left* and *right* in the words, and every caption is true again. A step on one modality is a step on the pair.
#
# ## Pictures: fewer pixels
#
# OpenCV shrinks pictures in several ways. `INTER_NEAREST` takes every fourth pixel and forgets the others. `INTER_LINEAR`, which you get if you say nothing, looks at four of the sixteen. `INTER_AREA` takes the mean of all.

# %%
rng = np.random.default_rng(0)
x = rng.random((32, 32)).astype(np.float32)
blocks = x.reshape(8, 4, 8, 4)  # row, row within the block, column, column within
by_hand = {
    cv2.INTER_NEAREST: blocks[:, 0, :, 0],
    cv2.INTER_LINEAR: blocks[:, 1:3, :, 1:3].mean(axis=(1, 3)),
    cv2.INTER_AREA: blocks.mean(axis=(1, 3)),
}
for interpolation, expected in by_hand.items():
    small = cv2.resize(x, (8, 8), interpolation=interpolation)
    assert np.allclose(small, expected, atol=1e-6)
assert np.allclose(cv2.resize(x, (8, 8)), by_hand[cv2.INTER_LINEAR], atol=1e-6)

# %% [markdown]
# Does it matter to the nearest neighbour? Letters of 40 by 40 pixels are shifted by up to two pixels and then shrunk to 10 by 10. Each font in turn is the new one.

# %%
def mean_accuracy(pictures, labels):
    """Nearest neighbour, each font once the new one; pictures: {font: array}."""
    right = []
    for new in pictures:
        known = np.concatenate([x for font, x in pictures.items() if font != new])
        answers = nearest(known, np.tile(labels, len(pictures) - 1), pictures[new])
        right.append((answers == labels).mean())
    return np.mean(right)


def large(letters, count, rng, shift=2.0):
    """{font: count shifted pictures of each letter, 40 by 40}, and their labels."""
    pictures = {}
    for style in FONTS:
        found = glyphs((style,), size=40)
        rows = [found.characters.index(letter) for letter in letters]
        images = np.repeat(found.images[rows], count, axis=0)
        pictures[style] = moved(images, rng, shift=shift)
    return pictures, np.repeat(np.arange(len(letters)), count)


# %%
capitals, labels = large("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 8, rng)
shrunk_accuracy = {}
METHODS = {"every fourth pixel": cv2.INTER_NEAREST,
           "OpenCV's default": cv2.INTER_LINEAR, "means of areas": cv2.INTER_AREA}
for method, how in METHODS.items():
    shrunk = {style: np.array([cv2.resize(image, (10, 10), interpolation=how)
                               for image in images])
              for style, images in capitals.items()}
    shrunk_accuracy[method] = mean_accuracy(shrunk, labels)
    print(f"{method:20} {shrunk_accuracy[method]:.2f}")
assert list(shrunk_accuracy.values()) == sorted(shrunk_accuracy.values())
claim("accuracy with means of areas minus that with every fourth pixel",
      shrunk_accuracy["means of areas"] - shrunk_accuracy["every fourth pixel"],
      at_least=0.1, key="area-gain")

# %% [markdown]
# Another habit is to cut a shape out and stretch it to the size that the model wants. That changes the proportions. The other way is to keep them and fill up with background, which is called *letterboxing*.

# %%
def cropped(image):
    """The picture cut to its ink."""
    ink = image > 0.5
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stretched(image, size=20):
    return cv2.resize(cropped(image), (size, size), interpolation=cv2.INTER_AREA)


def letterboxed(image, size=20):
    cut = cropped(image)
    zoom = size / max(cut.shape)
    height, width = (max(1, round(side * zoom)) for side in cut.shape)
    inside = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (size - height) // 2, (size - width) // 2
    return cv2.copyMakeBorder(inside, top, size - height - top, left,
                              size - width - left, cv2.BORDER_CONSTANT, value=0)


# %%
TREATMENTS = {"as they are": np.asarray, "stretched": stretched,
              "letterboxed": letterboxed}
for signs in ("-_|.", "oOcCsSvVwWxXzZ"):
    drawn, sign_labels = large(signs, 1, rng, shift=0)
    for name, treat in TREATMENTS.items():
        treated = {style: np.array([treat(image) for image in images])
                   for style, images in drawn.items()}
        print(f"{signs:15} {name:12} {mean_accuracy(treated, sign_labels):.2f}")

# %% [markdown]
# Stretching makes a dash and a bar equal. Letterboxing keeps them apart, but small letters and capitals of the same shape become equal in both. No way of resizing is right in itself: ask which difference your labels need.

# %% [markdown]
# ## Sound: fewer samples
#
# Take $8$ samples a second of a tone of $3$ hertz, then keep every second sample, $4$ a second. The tone is now sampled at $3n/4$ of its circle for $n = 0, 1, 2, \dots$, and three quarters forward is one quarter back. The samples are those of a tone of $1$ hertz. In general a frequency $f$, sampled $r$ times a second, comes out as
#
# $$\Big| f - r \cdot \operatorname{round}\Big(\frac{f}{r}\Big) \Big| ,$$
#
# its distance from the nearest multiple of $r$. This is called *aliasing*.

# %%
def heard(f, r):
    return np.abs(f - r * np.round(f / r))


n = np.arange(8)
assert np.allclose(np.cos(2 * np.pi * 3 * n / 4), np.cos(2 * np.pi * 1 * n / 4))
assert heard(3, 4) == 1
for f in rng.uniform(0, 100, size=100):
    tone = np.cos(2 * np.pi * f * n / 7)
    assert np.allclose(tone, np.cos(2 * np.pi * heard(f, 7) * n / 7))

# %% [markdown]
# Whatever is above half the new rate must be taken away *before* samples are dropped. `librosa.resample` does that, and so does the package's `resampled`.

# %%
import librosa

from mmcourse.data.resampling import resampled

time = np.arange(8000) / 8000  # one second at 8000 hertz
both = np.sin(2 * np.pi * 500 * time) + np.sin(2 * np.pi * 3000 * time)
halved = {
    "8000 samples a second": both,
    "every second sample": both[::2],
    "librosa.resample": librosa.resample(both, orig_sr=8000, target_sr=4000),
}
inside = slice(200, -200)  # the ends differ, where the filters meet silence
assert np.allclose(halved["librosa.resample"][inside],
                   resampled(both, 8000, 4000)[inside], atol=1e-3)

# %% tags=["hide-input"]
fig, axes = plt.subplots(3, 1, figsize=(7, 4.2), sharex=True, sharey=True, layout="constrained")
for axis, (name, wave), colour in zip(axes, halved.items(), ("C0", "C1", "C2"), strict=True):
    amplitude = 2 * np.abs(np.fft.rfft(wave)) / len(wave)
    axis.plot(np.fft.rfftfreq(len(wave), time[-1] / (len(wave) - 1)), amplitude, color=colour)
    axis.set(title=name, ylim=(0, 1.15), xlim=(0, 4000), ylabel="amplitude")
    axis.title.set_fontsize(11)
axes[1].axvspan(2000, 4000, color="0.92")
axes[2].axvspan(2000, 4000, color="0.92")
axes[-1].set(xlabel="frequency (hertz)")
figure(
    fig,
    "alias",
    caption="The spectrum of a tone of 500 and one of 3000 hertz. With every second sample (middle) the high tone is heard at "
    "1000 hertz, as loud as before. With a filter first (bottom) it is gone. At the lower rate there is nothing above 2000 "
    "hertz (grey).",
    alt="Three spectra. The first has peaks at 500 and 3000 hertz, the second at 500 and 1000, the third at 500 only.",
)

# %% [markdown]
# ### What a speech model reads
#
# A waveform has thousands of numbers a second. Most speech models read *log-mel* frames: the power in bands of frequency, every few milliseconds, on a logarithmic scale. The bands are equally wide in *mel*, a scale of pitch: up to a thousand hertz it is linear, above it is logarithmic,
#
# $$\operatorname{mel}(f) = \begin{cases} 3f / 200 & \text{for } f < 1000, \\ 15 + 27 \log_{6.4} (f / 1000) & \text{else.} \end{cases}$$
#
# Between $0$ and $4000$ hertz we want $24$ bands. So $26$ points in equal steps of mel, and a triangle over each three neighbours, with the area one. Here is the eleventh triangle by hand.

# %%
from mmcourse.encoders.numpy import log_mel, mel_filters

SOUND = {"sample_rate": 8000, "n_fft": 256, "n_mels": 24}


def hertz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


top = 15 + 27 * np.log(4) / np.log(6.4)  # mel of 4000 hertz
points = hertz(np.linspace(0, top, 24 + 2))
low, peak, high = points[10:13]
bins = np.arange(129) * 8000 / 256  # the frequencies of the Fourier transform
triangle = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
triangle = np.maximum(triangle, 0) * 2 / (high - low)
print(f"from {low:.0f} over {peak:.0f} to {high:.0f} hertz")
filters = mel_filters(**SOUND)  # (bins, bands)
assert np.allclose(triangle, filters[:, 10])
assert np.allclose(filters.T, librosa.filters.mel(sr=8000, n_fft=256, n_mels=24))

# %%
from mmcourse.data import spoken_digits

spoken = {name: spoken_digits(name, language="english")
          for name in ("train", "test")}
seven = spoken["test"].waveforms[list(spoken["test"].labels).index(7)]
frames = log_mel(seven, **SOUND, hop_length=64)
power = librosa.feature.melspectrogram(
    y=seven, sr=8000, n_fft=256, hop_length=64, n_mels=24, pad_mode="constant")
assert np.allclose(frames.T, librosa.power_to_db(power), atol=1e-3)
quiet = log_mel(0.1 * seven, **SOUND, hop_length=64)
assert np.allclose(frames - quiet, 20)  # a tenth of the amplitude is 20 dB less
print(len(seven), "samples become", frames.shape, "numbers")

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3), layout="constrained", width_ratios=(1, 1.2, 1.2))
axes[0].plot(bins, filters, color="0.75", linewidth=1)
axes[0].plot(bins, triangle, color="C1", linewidth=2)
axes[0].set(xlabel="frequency (hertz)", ylabel="weight", title="24 bands", yticks=[])
axes[1].plot(np.arange(len(seven)) / 8000, seven, linewidth=0.5)
axes[1].set(xlabel="time (seconds)", ylabel="amplitude", title="“seven”, waveform")
shown = axes[2].imshow(frames.T, origin="lower", aspect="auto", extent=(0, len(seven) / 8000, 0.5, 24.5), cmap="cividis", interpolation="nearest")
axes[2].axhline(11, color="C1", linewidth=1)
axes[2].set(xlabel="time (seconds)", ylabel="band", title="log-mel (dB)")
fig.colorbar(shown, ax=axes[2])
figure(
    fig,
    "log-mel",
    caption="Left: the triangles of the 24 bands, the eleventh in orange. Middle: a synthetic voice says “seven”. Right: its "
    "log-mel frames, with the eleventh band marked. The two vowels are bright, each in several stripes of bands.",
    alt="Triangles that get wider and lower with frequency; a waveform; and a map of power over time and band.",
)

# %% [markdown]
# How loud a recording is shifts every number by the same amount. If loudness says nothing about the label, subtract the largest value of each recording: then quiet and loud come out equal, and here that is wanted.

# %% [markdown]
# ## Text: which pieces?
#
# A text becomes a list of pieces, *tokens*, and each token the number of its place in a vocabulary. Where to cut? Three classical tools, and two sentences that say much the same.

# %%
from functools import partial

import spacy
from nltk.tokenize import word_tokenize, wordpunct_tokenize


def with_spacy(language):
    return lambda text: [token.text for token in spacy.blank(language)(text)]


TOOLS = {
    "NLTK, wordpunct": wordpunct_tokenize,
    # preserve_line leaves out the split into sentences, which needs a download.
    "NLTK, word_tokenize": partial(word_tokenize, preserve_line=True),
    "spaCy, English": with_spacy("en"),
    "spaCy, Chinese": with_spacy("zh"),
}
english, chinese = "It isn't red: it's 3.5 m away.", "它不是红色的，离这里三米。"
for text in (english, chinese):
    for name, cut in TOOLS.items():
        print(f"{name:20}", "|".join(cut(text)))
assert TOOLS["NLTK, word_tokenize"](chinese) == [chinese]
assert TOOLS["spaCy, Chinese"](chinese) == list(chinese)

# %% [markdown]
# `wordpunct_tokenize` splits where letters and signs meet: *isn't* becomes three pieces, and a number falls apart. The rules of `word_tokenize` come from the Penn Treebank and know that *n't* is a word, *not*; spaCy knows the same for English. Chinese has no spaces between words. NLTK returns whole stretches of text. spaCy, without a dictionary or a trained model, returns single characters, and applied to English it does so as well.
#
# > **Correction.** A source document ([entry S4-C13-07](../../book/corrections.md#s4-c13-07)) is written in Chinese and cuts texts with NLTK. There `word_tokenize` returns the sentence in one piece, so that nearly every sentence is a word that was never seen before. Use characters, a segmenter for Chinese, or pieces learned from data.

# %% [markdown]
# ### Pieces learned from data
#
# Many of today's models learn their pieces by *byte-pair encoding* ([Sennrich et al., 2016](../../book/bibliography.md#sennrich2016)). Start with single characters. Count which two pieces stand side by side most often, join them everywhere, and repeat. Five words, with how often each occurs:

# %%
COUNTS = {"low": 5, "lower": 2, "newest": 6, "widest": 3, "wide": 2}


def joined(pieces, pair):
    """The pieces of a word, with the pair joined wherever it stands."""
    out = []
    for piece in pieces:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


# %%
def learn_merges(counts, most):
    """The pairs that byte-pair encoding joins, in order, with their counts."""
    words = {word: list(word) for word in counts}
    number = {c: i for i, c in enumerate(sorted(set("".join(counts))))}
    merges = {}
    while len(merges) < most:
        pairs = Counter()
        for word, pieces in words.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
        if not pairs:
            break
        # The most frequent; of equally frequent ones that with the lower numbers.
        best = min(pairs, key=lambda p: (-pairs[p], number[p[0]], number[p[1]]))
        merges[best] = pairs[best]
        number.setdefault("".join(best), len(number))
        words = {word: joined(pieces, best) for word, pieces in words.items()}
    return merges


# %%
import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def library_merges(counts):
    """The merges that Hugging Face's tokenizers learns from the same words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    texts = [" ".join([word] * count) for word, count in counts.items()]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(show_progress=False))
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(pair) for pair in learned]


merges = learn_merges(COUNTS, 100)
for (left, right), count in list(merges.items())[:5]:
    print(f"{left:>4} + {right:4} stood side by side {count} times")
assert list(merges) == library_merges(COUNTS)
in_captions = Counter(" ".join(captions).split())
assert list(learn_merges(in_captions, 500)) == library_merges(in_captions)

# %% [markdown]
# *e* and *s* stand together nine times, in *newest* and *widest*. Check the second line by hand: *es* and *t*, nine times, too. All merges agree with the library's, on these words and on the captions of a thousand scenes. To cut a new word, the merges are applied to it in the order in which they were learned: an [exercise](exercises.ipynb).
#
# ### Letters that were never seen
#
# A vocabulary of characters has no number for a character that the training texts did not have. All such characters get one number, *unknown*. So the English tokenizer makes red and green equal, in Chinese. The remedy is *bytes*: there are 256 of them, and every text is made of them. Either all pieces are pieces of bytes ([Wang et al., 2020](../../book/bibliography.md#wang2020a)), or bytes are the way out where a character is unknown, which is called *byte fallback*.

# %%
def trained(texts, size, kind="bytes"):
    """A tokenizer with pieces of "bytes" or "characters", or with a "fallback"."""
    tokenizer = Tokenizer(models.BPE(unk_token=None if kind == "bytes" else "unknown",
                                     byte_fallback=kind == "fallback"))
    options = {"vocab_size": size, "show_progress": False}
    if kind == "bytes":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        options["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        bytes_apart = [f"<0x{byte:02X}>" for byte in range(256)]
        options["special_tokens"] = ["unknown", *bytes_apart * (kind == "fallback")]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(**options))
    return tokenizer


# %%
of_characters, with_fallback, of_bytes = (
    trained(captions, 400, kind) for kind in ("characters", "fallback", "bytes"))
for tokenizer in (of_characters, with_fallback):
    print("a café:", tokenizer.encode("a café").tokens)
assert of_characters.encode("红").ids == of_characters.encode("绿").ids
for tokenizer in (with_fallback, of_bytes):
    assert tokenizer.encode("红").ids != tokenizer.encode("绿").ids
everything = glyphs().characters  # thousands, of all scripts
numbers = {tuple(of_bytes.encode(character).ids) for character in everything}
assert len(numbers) == len(everything)
assert all(of_bytes.decode(of_bytes.encode(c).ids) == c for c in everything)

# %% [markdown]
# Nothing is lost any more. But it has a price, and not everybody pays the same. Here are the captions of three hundred new scenes in two languages, cut by a tokenizer that has learned from English alone and by one of the same size that has learned from both.

# %%
new_scenes = scenes(300, seed=0, first=1000)
of_both = trained([*captions, *world.captions("zh")], 400)


def mean_length(tokenizer, language):
    encoded = tokenizer.encode_batch(list(new_scenes.captions(language)))
    return np.mean([len(one.ids) for one in encoded])


characters = np.mean([len(caption) for caption in new_scenes.captions("zh")])
assert np.isclose(mean_length(of_bytes, "zh"), 3 * characters)
for name, tokenizer in (("English", of_bytes), ("both", of_both)):
    in_english = mean_length(tokenizer, "en")
    exact(f"learned from {name}: {in_english:.0f} tokens an English caption, "
          "{:.0f} a Chinese one", mean_length(tokenizer, "zh"),
          key=f"tokens-{name.lower()}")
ids = of_both.encode(new_scenes.captions("zh")[0]).ids
print("|".join(of_both.decode([i]) for i in ids))

# %% [markdown]
# The same facts take several times as many tokens in the language that the tokenizer has not seen: three for each character, its three bytes. And the pieces of the last line are what stood together often. They need not be words, and a piece of bytes need not even be a whole character (�).
#
# ### Equal to the eye
#
# Some texts look the same and are different lists of numbers: é is one character, or an e with an accent that joins it. Unicode's normal form NFC makes such pairs equal, and that is wanted. The form NFKC makes far more equal.

# %%
from unicodedata import normalize

composed, combining = "caf\u00e9", "cafe\u0301"
print(composed, len(composed), combining, len(combining))
assert composed != combining
assert of_bytes.encode(composed).ids != of_bytes.encode(combining).ids
assert normalize("NFC", composed) == normalize("NFC", combining)
assert normalize("NFC", "2²") == "2²"
assert normalize("NFKC", "2²") == "22"

# %% [markdown]
# ### What the model gets
#
# In the end each modality is an array. Texts have different lengths, so a batch is filled up, and a mask says what is real.

# %%
four = world.take(range(4))
of_both.enable_padding()
batch = of_both.encode_batch(four.captions())
arrays = {
    "image": four.images(64),
    "text": np.array([text.ids for text in batch]),
    "mask": np.array([text.attention_mask for text in batch], dtype=bool),
    "sound": log_mel(four.sound(8000), **SOUND, hop_length=64),
}
for name, array in arrays.items():
    print(f"{name:6} {array.shape!s:18} {array.dtype}")
lengths = [len(of_both.encode(caption).ids) for caption in four.captions()]
assert arrays["mask"].sum(axis=1).tolist() == lengths

# %% [markdown]
# ## Question two: is it the same in training and in use?
#
# A model knows the numbers that it was trained on. If the same step is done differently later, nothing crashes. Three hundred pictures of one shape each are saved and read again, by the package's `read_image` and by OpenCV. The reader names the colour of the pixel that differs most from the floor, by its nearest neighbour among training pictures.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from mmcourse.data.files import read_image
from mmcourse.data.scenes import COLOURS

one_shape = scenes(600, seed=0, objects=(1, 1))
colours = one_shape.colour[:, 0]
known, asked = (one_shape.take(part) for part in (slice(300), slice(300, None)))


def colour_of(pictures):
    """(n, height, width, 3) -> (n, 3), the pixel least like that in the corner."""
    pixels = pictures.reshape(len(pictures), -1, 3)
    most = ((pixels - pixels[:, :1]) ** 2).sum(axis=2).argmax(axis=1)
    return pixels[np.arange(len(pixels)), most]


with TemporaryDirectory() as folder:
    paths = [Path(folder, f"{i}.png") for i in range(300)]
    for path, picture in zip(paths, asked.images(32), strict=True):
        plt.imsave(path, picture.transpose(1, 2, 0))
    ours = np.array([read_image(path) for path in paths])
    theirs = np.array([cv2.imread(str(path)) for path in paths]) / 255

# %%
known_colours = colour_of(known.images(32).transpose(0, 2, 3, 1))
colour_names = list(COLOURS)
for tool, pictures in (("read_image", ours), ("imread", theirs)):
    named = nearest(known_colours, colours[:300], colour_of(pictures))
    exact(f"{tool}: share of colours named right {{:.3f}}",
          (named == colours[300:]).mean(), key=tool.replace("_", "-"))
for there, said in sorted(set(zip(colours[300:], named, strict=True))):
    print(colour_names[there], "is called", colour_names[said])
survive = np.array([COLOURS["purple"], COLOURS["white"]])
assert np.allclose(survive[:, 0], survive[:, 2], atol=0.02)  # red and blue
assert np.allclose(theirs[..., ::-1], ours, atol=1e-6)

# %% [markdown]
# OpenCV hands out blue, green, red in this order. White and purple survive, since their red and their blue are about equal. `cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)` puts the channels in order. Next, recordings. Digits are recognised from log-mel frames at 4000 samples a second, ten means over time for each band. In use somebody drops every second sample instead of resampling.

# %%
AT_4000 = {"sample_rate": 4000, "n_fft": 128, "n_mels": 24, "hop_length": 32}


def summary(wave, segments=10):
    """Log-mel below its maximum, in means over ten stretches of time."""
    decibels = log_mel(wave, **AT_4000)
    stretches = np.array_split(decibels - decibels.max(), segments)
    return np.concatenate([stretch.mean(axis=0) for stretch in stretches])


halve = {"filtered": lambda wave: resampled(wave, 8000, 4000),
         "dropped": lambda wave: wave[::2]}
digits = {(name, how): np.array([summary(half(wave)) for wave in data.waveforms])
          for name, data in spoken.items() for how, half in halve.items()}
for how_trained, how_used, bound in (
    ("filtered", "filtered", {"at_least": 0.9}),
    ("dropped", "dropped", {"at_least": 0.88}),
    ("filtered", "dropped", {"at_most": 0.85}),
):
    recognised = nearest(digits["train", how_trained], spoken["train"].labels,
                         digits["test", how_used])
    claim(f"digits recognised, trained with samples {how_trained}, used {how_used}",
          (recognised == spoken["test"].labels).mean(),
          key=f"digits-{how_trained}-{how_used}", **bound)

# %% [markdown]
# The wrong step on both sides costs far less than the wrong step on one side. The same goes for numbers that bring columns to a common scale. To *standardise* is to subtract a column's mean and divide by its standard deviation. They are measured on the training part and kept. What if the part in use is standardised by itself?

# %%
from sklearn.preprocessing import StandardScaler

from mmcourse.data import digits_with_words

written = {part: digits_with_words(part, typo_rate=0, seed=0)
           for part in ("train", "test")}
pixels = {part: data.features["image"] for part, data in written.items()}
truth = written["test"].labels


def standardised(rows, by):
    """The rows, with the mean and the deviation of the rows `by`."""
    deviation = by.std(axis=0)
    return (rows - by.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


training = standardised(pixels["train"], by=pixels["train"])
kept = standardised(pixels["test"], by=pixels["train"])
scaler = StandardScaler().fit(pixels["train"])  # scikit-learn's keeps the same
assert np.allclose(kept, scaler.transform(pixels["test"]))

# %%
everyone = np.arange(len(truth))
for name, key, batches in (
    ("all at once", "batch-all", [everyone]),
    ("only the ones", "batch-ones", [everyone[truth == 1]]),
    ("one at a time", "batch-single", everyone[:, None]),
):
    picked = np.concatenate(batches)
    parts = [pixels["test"][rows] for rows in batches]
    own = np.concatenate([standardised(part, by=part) for part in parts])
    by_training, by_itself = (
        (nearest(training, written["train"].labels, rows) == truth[picked]).mean()
        for rows in (kept[picked], own))
    exact(f"{name:14} by the training part {by_training:.3f}, by itself {{:.3f}}",
          by_itself, key=key)

# %% [markdown]
# All at once, the part in use loses nothing by its own statistics, it even gains a little. With ones alone it loses about a third of its answers: what all ones share is subtracted. And a single picture minus its own mean is zero. A result that depends on who else is in the batch is no result for one user.
#
# ## Clean before you compute
#
# A folder of files is often not what its names say. `cv2.imread` returns `None` for a file that it cannot read, and whoever skips `None` loses data without a word. Ask the readers of this course.

# %%
import warnings

from PIL import Image

from mmcourse.data.files import ConvertedFileWarning, FileError, read_text


def what_it_says(read, path):
    """The words of a reader about a file, without the path."""
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always", ConvertedFileWarning)
        try:
            read(path)
        except FileError as error:
            return f"refused: {error.got}"
    return "; ".join(str(note.message).rsplit(": ", 1)[-1] for note in notes)


# %%
FILES = ("grey.png", "cut_off.png", "gb18030.txt", "accent.txt")
with TemporaryDirectory() as folder:
    grey, cut_off, gb18030, accent = (Path(folder, name) for name in FILES)
    Image.fromarray((255 * glyph_of["d"]).astype(np.uint8)).save(grey)
    cut_off.write_bytes(grey.read_bytes()[:100])
    gb18030.write_bytes(chinese.encode("gb18030"))
    accent.write_text(combining, encoding="utf-8")
    assert cv2.imread(str(cut_off)) is None
    for read, path in ((read_image, grey), (read_image, cut_off),
                       (read_text, gb18030), (read_text, accent)):
        print(f"{path.name:11} {what_it_says(read, path)}")

# %% [markdown]
# Then look for doubles. In one font hundreds of pictures stand under several names. A double with another label sets a limit to every model: one of the two answers must be wrong. A double with the same label must not be torn apart by the split between training and test. What happens if it is comes next.

# %%
same = np.unique(font.images.reshape(len(font), -1), axis=0, return_inverse=True)[1]
copies = np.bincount(same)[same]
exact("pictures in one font: {:.0f}", len(font), key="pictures")
exact("of these equal in every pixel to another: {:.0f}",
      (copies > 1).sum(), key="doubles")
as_A = same == same[font.characters.index("A")]
print(*np.array(font.names)[as_A], sep="\n")

# %% [markdown]
# ## Question three: what has the step looked at?
#
# A test part stands for what is not known yet. A step that has looked at it, *leakage*, makes the result too good. How much? The experiment asks this for three steps that people take before they split. Each time a nearest neighbour is tested by five-fold cross-validation: the rows are cut in five, each fifth is the test part once. Beside the estimate stands the truth, the accuracy of the same models on two thousand fresh rows.
#
# *Standardise*: pictures of capitals and small letters, columns standardised by all rows. *Select*: a thousand columns of noise, labels by a coin, and the twenty columns that go best with the labels of all rows are kept. *Split by picture*: every letter is there in four fonts, and its pictures fall on both sides; once with the right labels, once with a coin for each letter.

# %% tags=["hide-input"]
ROWS = np.array(sorted({run["rows"] for run in runs if run["sweep"] == "leakage"}))
LEAKS = {"standardise": "standardised by all rows", "select": "columns selected by all rows (coin labels)",
         "split": "split by picture, not by letter", "split, coin labels": "the same, coin labels"}


def leak(name, rows, *, beside="really"):
    """The estimate minus what it should be, in all stored runs."""
    settings = {"sweep": "leakage", "leak": name, "rows": rows}
    return runs.values("leaky", **settings) - runs.values(beside, **settings)


# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(7.4, 4.2), layout="constrained")
for (name, words), colour, marker in zip(LEAKS.items(), ("C0", "C1", "C2", "C3"), "osD^", strict=True):
    too_good = np.array([leak(name, rows) for rows in ROWS])  # (rows, seeds)
    error = 1.96 * too_good.std(axis=1, ddof=1) / np.sqrt(too_good.shape[1])
    axis.errorbar(ROWS, too_good.mean(axis=1), error, color=colour, marker=marker, capsize=3, label=words)
axis.axhline(0, color="0.5", linewidth=1)
axis.set(xscale="log", xlabel="rows", ylabel="estimate minus truth", xticks=ROWS, xticklabels=ROWS)
axis.minorticks_off()
fig.legend(loc="outside lower center", ncols=2, fontsize=10)
figure(
    fig,
    "leakage",
    caption="How much too good an estimate of accuracy is when a step has looked at the test rows: means of fifty runs "
    "with 95% intervals of the mean.",
    alt="Four curves over the number of rows, from 20 to 1000. Standardising stays close to zero. Selecting falls from nearly "
    "one half to nearly zero, splitting by picture from 0.3; with coin labels it stays above one quarter.",
)

# %%
claim("standardised by all rows: estimate minus the honest one, 300 rows",
      leak("standardise", 300, beside="honest").mean(),
      at_least=0.005, at_most=0.015, key="leak-standardise")
claim("the same with 1000 rows", leak("standardise", 1000, beside="honest").mean(),
      at_least=0.001, at_most=0.005, key="leak-standardise-many")
claim("columns selected by all rows: estimate minus truth, 50 rows",
      leak("select", 50).mean(), at_least=0.3, key="leak-select")
claim("the same with 1000 rows", leak("select", 1000).mean(),
      at_most=0.05, key="leak-select-many")
claim("split by picture: estimate minus truth, 100 rows",
      leak("split", 100).mean(), at_least=0.12, key="leak-split")
claim("split by picture, coin labels: estimate minus truth, 1000 rows",
      leak("split, coin labels", 1000).mean(), at_least=0.25, key="leak-split-coin")

# %% [markdown]
# The three leaks are of three sizes. Standardising uses no labels, and many say that it is harmless. It is not quite: beside the estimate with the mean and the deviation of the training rows, on the same rows and folds, it comes out higher, by about a hundredth with a few hundred rows and by less with a thousand. Perhaps that is because many pixels are blank in nearly all pictures, so that a single row decides how large their deviation is. [Moscovich and Rosset (2022)](../../book/bibliography.md#moscovich2022) study such steps without labels. Selecting by labels is grave as long as columns are many and rows are few; [Ambroise and McLachlan (2002)](../../book/bibliography.md#ambroise2002) showed it on published data of genes. A split that tears copies apart is the worst, and more rows mend it slowly. With coin labels there is nothing to learn but single letters by heart, and still the estimate is far above one half.
#
# The remedy is one rule. Split first, by what is independent (letters, speakers, patients, not their pictures), and let every step learn from the training part alone.
#
# ## What to keep
#
# Ask three questions of every step between the file and the model. What does it make equal, and do the labels agree? Is it the same in training and in use, down to the order of channels and the filter? What has it looked at? An augmentation acts on the pair, so change the label, or the sentence, with the picture. Filter before you drop pixels or samples. Learn pieces of bytes, from the languages that will come. These runs are small: letters, synthetic voices, a grammar's sentences, a nearest neighbour. How much each mistake costs is particular to them. None of the mistakes raised an error.
#
# **Try it.** Give the letters a font of your choice, `gain_by_mirror("bdpq", new_font="mono")`. Learn more pieces, `mean_length(trained([*captions, *world.captions("zh")], 800), "zh")`. Cut a word of your own, `of_both.encode("triangular").tokens`. The [exercises](exercises.ipynb) ask you to cut words by merges, and to find out whether a split is clean.
#
# **Further reading.** [Parmar et al. (2022)](../../book/bibliography.md#parmar2022) on resizing that changes published results, [Barz and Denzler (2020)](../../book/bibliography.md#barz2020) on copies in a famous test set, [Kapoor and Narayanan (2023)](../../book/bibliography.md#kapoor2023) on leakage in the sciences, [Davis and Mermelstein (1980)](../../book/bibliography.md#davis1980) on mel bands for speech; [McFee et al. (2015)](../../book/bibliography.md#mcfee2015) on librosa, [Bird et al. (2009)](../../book/bibliography.md#bird2009) on NLTK.

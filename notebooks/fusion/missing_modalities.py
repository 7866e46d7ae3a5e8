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
# # Missing modalities
#
# Say what a model loses when a modality is missing, train one that copes with every subset of them, and know how sure it may then be.
#
# **Before this:** [The weighted sum](weighted_sum.ipynb) for fusion and masks, and [A first model](../concepts/first_model.ipynb) for training, test parts and paired intervals. The proofs are on the page [Absence and confidence](../../book/fusion/missing_modalities.md).

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab

# %%
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from mmcourse.data import PairedData, controlled_pairs, digits_with_speech, masked
from mmcourse.data import root_mean_square_norms, subset_chances, subsets
from mmcourse.encoders.numpy import log_mel_summary
from mmcourse.fusion.numpy import modality_dropout
from mmcourse.fusion.torch import ConcatenationFusion, EncodedFusion
from mmcourse.fusion.torch import FusionClassifier, ModalityDropout
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.training import accuracy, every_subset, expected_calibration_error
from mmcourse.training import fit, fit_temperature, predict, probabilities
from mmcourse.training import reliability, seed_everything

setup("fusion/missing_modalities")

# %% [markdown]
# ## The microphone fails, and then the keyboard
#
# A machine at a counter reads digits in three ways: somebody writes them by hand, types their names, and says them. All three are noisy: grey specks on the picture, wrong letters in the word, a hiss as loud as the voice. Each becomes one vector: 64 pixels, 26 letter counts, and for the sound the mean loudness of 16 mel bands in each quarter of the recording. The test part has other writers and other voices.

# %%
NOISE = {"typo_rate": 0.7, "pixel_noise": 0.4, "snr": 0}
SOUND = {"n_fft": 256, "hop_length": 128, "n_mels": 16, "parts": 4}


def vectors(part):
    """One vector a modality, and which recording is behind each row."""
    digits = digits_with_speech(part, **NOISE, seed=0)
    heard = log_mel_summary(
        digits.features["audio"], digits.recordings.lengths,
        sample_rate=digits.sample_rate, **SOUND)
    features = {m: digits.features[m] for m in ("image", "text")} | {"audio": heard}
    data = PairedData(features, digits.labels, digits.classes)
    return data, digits.recordings.identities


(train, _), (test, recordings) = vectors("train"), vectors("test")
norms = root_mean_square_norms(train)
factors = {m: width**0.5 / norms[m] for m, width in train.widths.items()}
train, test = train.scaled(factors), test.scaled(factors)  # mean square 1
print({m: rows.shape for m, rows in train.features.items()})

# %% [markdown]
# We train one model on all three, an encoder for each modality and a layer that joins them, and ask it for the digit when only the picture is there. To know what may be expected of a picture, we also train the same network on pictures alone. (The argument `dropout` is for later.)

# %%
TRAINING = {"epochs": 20, "batch_size": 64,
            "learning_rate": 3e-3, "weight_decay": 1e-2}


class Prepared(nn.Module):
    """model(*before(features, mask)): something happens to the features first."""

    def __init__(self, before, model):
        super().__init__()
        self.before, self.model = before, model

    def forward(self, features, mask=None):
        return self.model(*self.before(features, mask))


def trained(data, dropout=None):
    """The network, fitted to data; dropout: a rate at which modalities are dropped."""
    seed_everything(0)
    fusion = EncodedFusion(data.widths, hidden_size=32, out_dim=64)
    model = FusionClassifier(fusion, classes=len(data.classes))
    if dropout is not None:
        model = Prepared(ModalityDropout(data.widths, rates=dropout), model)
    fit(model, data, seed=0, progress=False, **TRAINING)
    return model


# %%
complete = trained(train)
table = every_subset(complete, test, clusters=recordings)
only_image = trained(train.only("image"))
image_score = accuracy(predict(only_image, test.only("image")), test.labels)
claim("accuracy with all three", table.accuracy().mean,
      at_least=0.91, key="live-complete")
claim("accuracy on the image alone, trained on images alone", image_score,
      at_least=0.70, key="live-only-image")
claim("accuracy on the image alone, trained on all three",
      table.accuracy("image").mean, at_most=0.45, key="live-image")
fall = table.accuracy().mean - table.accuracy("image").mean
claim("share of the fall that the missing information does not explain",
      (image_score - table.accuracy("image").mean) / fall,
      at_least=0.55, key="live-share")
claim("image alone minus all three: upper end of the interval",
      table.difference("image").high, at_most=-0.45, key="live-interval")

# %% [markdown]
# A part of the fall is the information that left: the network that knows nothing but pictures does worse than one with all three. But the larger part is lost for another reason. The picture still tells what it told, and the model that was trained on all three cannot use it.
#
# `every_subset` asked with each of the seven non-empty subsets of three modalities, the same test examples each time. What is left out holds NaN there, so a model that does not respect its mask is found out. The interval is over test recordings, drawn as wholes, since several examples share one.
#
# ## Two thermometers
#
# The smallest case. Is the heating on? If so, a thermometer shows 21 degrees, else 19, plus an error that is normal with variance one. There are two such thermometers, with errors of their own. With $x_1$ and $x_2$ their readings, the log of the odds that the heating is on is
#
# $$2\,(x_1 - 20) + 2\,(x_2 - 20) .$$
#
# It is positive where the mean reading is above 20. This is the best rule, and with $\Phi$ for the distribution function of the normal it is right with probability $\Phi(\sqrt2)$. With one thermometer alone $\Phi(1)$ is possible. Now the second one fails, and the program writes a zero.

# %%
PHI = NormalDist().cdf
rng = np.random.default_rng(1)
heating = rng.integers(2, size=20_000)
readings = 20 + (2 * heating - 1)[:, None] + rng.normal(size=(20_000, 2))


def log_odds(readings):
    return 2 * (readings - 20).sum(axis=1)


def share_right(second):
    """The rule's accuracy with these numbers in place of the second reading."""
    seen = np.column_stack([readings[:, 0], np.broadcast_to(second, 20_000)])
    return np.mean((log_odds(seen) > 0) == heating)


example = np.array([21.0, 19.5])  # by hand: 2 * 1 + 2 * (-0.5) = 1
assert log_odds(example[None]) == 1
assert log_odds(np.array([[21.0, 0.0]])) == 2 - 40
exact("both readings {:.3f}", share_right(readings[:, 1]), key="both-readings")
exact("both, best possible {:.3f}", PHI(2**0.5), key="both-bayes")
exact("zero for the second {:.3f}", share_right(0.0), key="second-zero")
exact("its mean, 20, for the second {:.3f}", share_right(20.0), key="second-mean")
exact("one alone, best possible {:.3f}", PHI(1.0), key="one-bayes")

# %% [markdown]
# Zero is a number like any other, here an icy room, and the rule believes it. The mean makes the second term vanish, and what is left is the best rule for one thermometer. That is no accident: given the answer the two readings are independent, so the log-odds are a sum of one term a modality, and a missing term is simply left out. Late fusion does this by construction.
#
# > **Result.** If the modalities are independent given the label, and a score adds one correct log-odds term for each, then leaving a term out is optimal for every subset. No remedy is needed.
#
# A trained network gives no such promise. Its join is not a sum of terms that are correct each by itself.
#
# ## What a mask does, and what it does not
#
# The network above got a mask, which says for each example which modalities are there. Whatever numbers stand in the place of a missing vector, in the *hole*, the mask keeps from having any influence, on the answer and on every gradient.

# %%
few = {m: torch.tensor(rows[:6]) for m, rows in test.features.items()}
mask = {"audio": torch.tensor([True, True, False, False, True, False])}
checked = complete.double()
answers = []
for filling in (torch.nan, 123.0):
    inputs = {m: x.clone() for m, x in few.items()}
    inputs["audio"][~mask["audio"]] = filling
    inputs = {m: x.requires_grad_() for m, x in inputs.items()}
    checked.zero_grad()
    answer = checked(inputs, mask)
    answer.square().sum().backward()
    assert (inputs["audio"].grad[~mask["audio"]] == 0).all()
    slopes = [parameter.grad.clone() for parameter in checked.parameters()]
    answers.append([answer.detach(), *slopes])
assert all(torch.equal(one, other) for one, other in zip(*answers, strict=True))
complete = complete.float()

# %% [markdown]
# So a mask is necessary: without it, what stands in a hole decides. But it only says that nothing is there. The next layer was never trained with nothing there. Over ten runs it does about what zeros do that a program writes into the hole, and it loses against a network that was trained on just the modalities that are there.

# %%
runs = experiment("fusion_missing_modalities")
NAMES = [" + ".join(subset) for subset in subsets(train.features)]
PARTIAL = NAMES[:-1]  # something is missing


def means(method, names=NAMES):
    """Accuracy under each subset, mean of ten runs."""
    rows = [runs.values(name, sweep="subsets", method=method) for name in names]
    return np.mean(rows, axis=1)


stored = runs.values("image", sweep="subsets", method="mask")
claim("accuracy on the image alone above, beside ten stored runs",
      table.accuracy("image").mean, at_least=stored.min() - 0.01,
      at_most=stored.max() + 0.01, key="live-point")
claim("largest difference between mask and zeros over the six subsets",
      np.abs(means("mask", PARTIAL) - means("zeros", PARTIAL)).max(),
      at_most=0.04, key="mask-zeros")
own = means("each subset", PARTIAL)
claim("smallest loss against a network trained on that subset alone",
      (own - means("mask", PARTIAL)).min(), at_least=0.04, key="smallest-loss")
claim("largest loss against a network trained on that subset alone",
      (own - means("mask", PARTIAL)).max(), at_least=0.35, key="largest-loss")

# %% [markdown]
# ## Drop modalities in training
#
# If the model must cope with nothing there, show it nothing there. *Modality dropout* removes whole modalities at random from each training example ([Neverova et al., 2016](../../book/bibliography.md#neverova2016)). Each modality $m$ has a rate $p_m$. If they were dropped independently, sometimes nothing would be left, and a label without any input teaches only how frequent it is. So draw again where nothing is left. Exactly the subset $S$ remains of all modalities with probability
#
# $$P(S) = \frac{\prod_{m \in S} (1 - p_m) \prod_{m \notin S} p_m}{1 - \prod_m p_m}, \qquad S \ne \emptyset .$$

# %%
RATES = {"image": 0.2, "text": 0.5, "audio": 0.7}


def draw_again(rates, count, rng):
    """Drop independently; whoever has nothing left draws again."""
    kept = np.zeros((count, len(rates)), dtype=bool)
    while (nothing := ~kept.any(axis=1)).any():
        kept[nothing] = rng.random((nothing.sum(), len(rates))) >= list(rates.values())
    return kept


kept = draw_again(RATES, 100_000, np.random.default_rng(1))
for subset, chance in subset_chances(RATES).items():
    wanted = np.array([m in subset for m in RATES])
    share = (kept == wanted).all(axis=1).mean()
    print(f"{' + '.join(subset):22} wanted {chance:.3f}   drawn {share:.3f}")
    assert abs(share - chance) < 4 * (chance * (1 - chance) / 100_000) ** 0.5
exact("the image, rate 0.2, is dropped in a share {:.3f} of the examples",
      1 - sum(p for s, p in subset_chances(RATES).items() if "image" in s),
      key="image-dropped")

# %% [markdown]
# Drawing again takes nobody knows how many random numbers. One number $u_m$ between 0 and 1 for each modality is enough. Go through them in order. Once something is kept, keep $m$ if $u_m < 1 - p_m$, as usual. Before that, the chance to keep $m$ must be raised, because we already know that not everything will go:
#
# $$P(\text{keep } m \mid \text{those before it dropped, not all dropped}) = \frac{1 - p_m}{1 - \prod_{k \ge m} p_k} .$$
#
# For the last one this is $1$. By hand, with $u = (0.9, 0.6, 0.4)$:

# %%
u = {"image": 0.9, "text": 0.6, "audio": 0.4}
keep_below = {"image": 0.8 / (1 - 0.2 * 0.5 * 0.7),  # 0.86 < 0.9: dropped
              "text": 0.5 / (1 - 0.5 * 0.7),         # 0.77 > 0.6: kept
              "audio": 0.3}                          # text is kept; 0.3 < 0.4: dropped
by_hand = {m: u[m] < keep_below[m] for m in u}

ones = {m: np.ones((1, 2)) for m in u}
_, left = modality_dropout(ones, RATES, {m: np.array([u[m]]) for m in u})
assert {m: bool(here[0]) for m, here in left.items()} == by_hand
print(by_hand)

# %%
many = {m: rng.random(100_000) for m in RATES}
_, left_of_many = modality_dropout(
    {m: np.ones((100_000, 1)) for m in RATES}, RATES, many)
in_order = np.column_stack(list(left_of_many.values()))
assert in_order.any(axis=1).all()
assert np.allclose(in_order.mean(axis=0), kept.mean(axis=0), atol=0.01)

# %% [markdown]
# A modality that was missing before stays missing; the formula is then taken over those that are there. As a layer, `ModalityDropout` hands on features and mask, so any fusion of vectors in this chapter can follow. In evaluation it drops nothing.

# %%
layer = ModalityDropout(train.widths, rates=RATES)
once, again = layer(few)[1], layer(few)[1]
assert any((once[m] != again[m]).any() for m in once)  # new draws in each call
same, none_dropped = layer.eval()(few)
assert all(same[m] is few[m] for m in few)
assert all(here.all() for here in none_dropped.values())

# %% [markdown]
# ## Accuracy under every subset
#
# We train again, with rate `0.5` for each of the three, so that each of the seven subsets comes equally often. Beside it stand the fillings that need no training of the network: the *mean* of the training part, and *ridge regression*, a linear guess of the missing vector from those that are there, with a penalty on its squared coefficients ([Hoerl and Kennard, 1970](../../book/bibliography.md#hoerl1970)). The yardstick is a network trained on that subset alone. That takes seven networks; with four modalities it takes fifteen.

# %%
robust = trained(train, dropout=0.5)
robust_table = every_subset(robust, test, clusters=recordings)
stored = runs.values("image", sweep="subsets", method="dropout")
claim("with dropout: accuracy on the image alone, beside ten stored runs",
      robust_table.accuracy("image").mean, at_least=stored.min() - 0.01,
      at_most=stored.max() + 0.01, key="live-dropout")
gain = robust_table.accuracy().mean - table.accuracy().mean
claim("accuracy with all three, with dropout minus without", gain,
      at_least=0.01, key="live-gain")

# %% tags=["hide-input"]
SHOWN = (
    ("mask", "trained on complete data", "C1", "o"),
    ("means", "… and means filled in", "C4", "s"),
    ("ridge", "… and ridge filled in", "C3", "^"),
    ("dropout", "trained with modality dropout", "C0", "D"),
)


def draw_subset(axis, place, name):
    """Mean and range of ten runs for each method, and the yardstick."""
    yardstick = runs.values(name, sweep="subsets", method="each subset").mean()
    axis.plot([place - 0.38, place + 0.38], [yardstick, yardstick], color="black", linewidth=2, zorder=1)
    for shift, (method, label, colour, marker) in zip((-0.24, -0.08, 0.08, 0.24), SHOWN, strict=True):
        scores = runs.values(name, sweep="subsets", method=method)
        axis.plot([place + shift] * 2, [scores.min(), scores.max()], color=colour, linewidth=1.5)
        axis.plot(place + shift, scores.mean(), marker, color=colour, markersize=7, label=label if place == 0 else None)


# %% tags=["hide-input"]
fig, axis = plt.subplots(figsize=(9, 4.6), layout="constrained")
for place, name in enumerate(NAMES):
    draw_subset(axis, place, name)
axis.plot([], [], color="black", linewidth=2, label="trained on that subset alone")
axis.axhline(0.1, color="0.6", linestyle=":", linewidth=1)
axis.text(-0.45, 0.115, "chance", color="0.35", fontsize=10)
axis.set_xticks(range(len(NAMES)), [name.replace(" + ", "\n+ ") for name in NAMES])
axis.set(ylabel="test accuracy", ylim=(0.05, 1.02), xlabel="what is there")
axis.legend(loc="lower right", bbox_to_anchor=(1, 0.14), fontsize=10)
figure(
    fig,
    "every-subset",
    caption="Accuracy under each of the seven subsets, ten runs: mean and range. The model trained on complete data falls far "
    "below what its inputs tell (black lines). Trained with modality dropout it stays close to the lines or above them.",
    alt="Seven groups of markers, one for each subset of image, text and audio. The circles of the model trained on complete "
    "data lie far below black lines for image and audio alone and less far for pairs; the diamonds of modality dropout lie on "
    "the lines or above; squares of mean filling lie between, triangles of ridge filling near the diamonds.",
)

# %%
without, dropout = means("mask", PARTIAL), means("dropout", PARTIAL)
claim("smallest gain by modality dropout over six subsets, mean of ten runs",
      (dropout - without).min(), at_least=0.06, key="gain-least")
claim("largest gain by modality dropout", (dropout - without).max(),
      at_least=0.4, key="gain-most")
claim("dropout minus a network of its own for each subset, lowest of six",
      (dropout - own).min(), at_least=-0.045, at_most=0, key="own-lowest")
claim("and highest of six", (dropout - own).max(),
      at_least=0.01, key="own-highest")

# %% [markdown]
# One network with dropout does about what seven networks do, each for its subset. It even beats some of them, so the lines are a yardstick and no ceiling. A ceiling would be the best possible rule, and for these digits nobody knows it.
#
# What do the cheaper remedies do?

# %%
BOUNDS = {"means": ((-0.4, -0.25), (-0.06, -0.005)),
          "ridge": ((-0.06, -0.02), (0.06, 0.12)),
          "learned absence": ((-0.02, 0.01), (-0.01, 0.02)),
          "late": ((-0.03, 0.01), (0.01, 0.045))}
for method, bounds in BOUNDS.items():
    gap, key = means(method, PARTIAL) - dropout, method.replace(" ", "-")
    claim(f"{method} minus dropout, lowest of six subsets", gap.min(),
          at_least=bounds[0][0], at_most=bounds[0][1], key=f"{key}-lowest")
    claim(f"{method} minus dropout, highest of six", gap.max(),
          at_least=bounds[1][0], at_most=bounds[1][1], key=f"{key}-highest")
assert (means("ridge", PARTIAL) - dropout).argmax() == PARTIAL.index("audio")

# %% [markdown]
# *Means* are behind dropout under every subset, far behind with the picture or the sound alone. *Ridge* is the surprise: without any new training it comes within a few points of dropout everywhere, and for the audio alone it is clearly better. The picture and the word that it guesses from a sound are blurred averages of what usually goes with such a sound. Perhaps the linear guess overfits the few training voices less than the network does; this experiment does not show why. A *learned absence* is a vector for each modality, trained with the rest, that is put where the modality is missing. Trained under the same dropout it does what the mask does. *Late* fusion trains a network for each modality and adds the log-probabilities of those that are there. Here it needs no remedy: for each label, picture, word and recording were drawn independently, so the result in the box above applies as far as each term is right.
#
# ## What does it cost?
#
# With all three present, the model with dropout has seen the complete input in one example out of seven. One would expect to pay for that.

# %%
everything = "image + text + audio"
whole = {m: runs.values(everything, sweep="subsets", method=m)
         for m in ("mask", "dropout", "numbers dropped")}
claim("accuracy with all three, dropout minus without, mean of ten runs",
      (whole["dropout"] - whole["mask"]).mean(), at_least=0.015, key="gain-whole")
claim("runs of ten in which dropout is better", sum(whole["dropout"] > whole["mask"]),
      at_least=8, key="wins-whole")
claim("single numbers dropped at the same rate, minus without, mean of ten runs",
      (whole["numbers dropped"] - whole["mask"]).mean(),
      at_least=0, at_most=0.02, key="gain-numbers")

# %% [markdown]
# It is not a cost but a gain. Dropout of single numbers, a usual remedy against overfitting, brings a part of it. Perhaps the rest is this: trained together, the network leans on what is easiest and learns too little of each modality by itself, as the circles of the first figure suggest, and dropout makes each one answer for itself. The lesson on dominant modalities, in the next chapter, comes back to this.
#
# How large should the rate be?

# %% tags=["hide-input"]
RATES_TRIED = sorted({run["rate"] for run in runs if run["sweep"] == "rates"})
fig, axis = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for key, label, colour, marker in (
    (everything, "all three there", "C2", "o"),
    ("mean", "mean of the seven subsets", "C0", "D"),
    ("image", "image alone", "C1", "s"),
):
    scores = np.array([runs.values(key, sweep="rates", rate=rate) for rate in RATES_TRIED])
    axis.fill_between(RATES_TRIED, scores.min(axis=1), scores.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    axis.plot(RATES_TRIED, scores.mean(axis=1), color=colour, marker=marker, label=label)
axis.set(xlabel="rate of modality dropout, the same for all three", ylabel="test accuracy", ylim=(0.2, 1.0))
axis.legend(loc="lower right", fontsize=10)
figure(
    fig,
    "rates",
    caption="Accuracy by the rate at which modalities are dropped in training, five runs: mean and range. "
    "A tenth is enough for most of the gain.",
    alt="Three curves over the rate from 0 to 0.9. Accuracy with all three there rises slightly and stays flat; the mean over "
    "subsets and the accuracy on the image alone jump from rate 0 to rate 0.1 and then rise slowly.",
)

# %%
def at_rate(rate, key=everything):
    return runs.values(key, sweep="rates", rate=rate).mean()


exact("rate 0.9: all three are there in a share {:.4f} of the examples",
      subset_chances(dict.fromkeys(RATES, 0.9))[tuple(RATES)], key="whole-at-nine")
claim("accuracy with all three, lowest of the five rates above 0, minus rate 0",
      min(at_rate(rate) for rate in RATES_TRIED[1:]) - at_rate(0.0),
      at_least=0.005, key="rates-whole")
claim("share of the gain in the mean of subsets that rate 0.1 brings",
      (at_rate(0.1, "mean") - at_rate(0.0, "mean"))
      / (max(at_rate(rate, "mean") for rate in RATES_TRIED) - at_rate(0.0, "mean")),
      at_least=0.7, key="rates-tenth")

# %% [markdown]
# The rate matters little, as long as it is not zero. Even at `0.9`, where the network almost never sees all three together, it is better with all three than the one that never saw anything else. Nothing has to be read together here: given the digit, the three are independent by construction.
#
# A price exists where modalities must be read *together*, and the model is too small to have one way for each subset. Two microphones ([The weighted sum](weighted_sum.ipynb)): the first hears a voice and the noise of the room, the second the same noise alone. The best rule with both subtracts the second from the first. A linear model has one weight for the voice, whether the second microphone works or not.

# %%
def microphones(rows, seed=0):
    """Voice (2, or -2) and room (noise of size 3), one number each."""
    pair = {"voice": 2.0, "room": 3.0}
    data = controlled_pairs("shared_noise", rows, separation=pair,
                            widths=dict.fromkeys(pair, 1), seed=seed)
    return data.scaled({m: way[0] for m, way in data.directions.items()})


def listener(fusion, rate, data):
    seed_everything(0)
    model = FusionClassifier(fusion(data.widths), classes=2)
    model = Prepared(ModalityDropout(data.widths, rates=rate), model)
    fit(model, data, seed=0, epochs=20, batch_size=64,
        learning_rate=1e-2, progress=False)
    return model


rooms = microphones(12_000)
rooms_train = rooms.take(slice(2_000))
rooms_test = rooms.take(slice(2_000, None))
exact("both microphones, best possible {:.3f}", rooms.bayes_accuracy, key="rooms-bayes")
exact("the voice alone, best possible {:.3f}", rooms.alone["voice"], key="voice-bayes")

# %%
def bent(widths):
    return EncodedFusion(widths, hidden_size=16, out_dim=32)


for name, fusion, low, high in (("linear", ConcatenationFusion, -0.1, -0.04),
                                ("bent", bent, -0.02, 0.01)):
    tables = [every_subset(listener(fusion, rate, rooms_train), rooms_test)
              for rate in (0.0, 0.5)]
    plain, dropped = (found.accuracy().mean for found in tables)
    claim(f"{name}, both there: dropout minus without", dropped - plain,
          at_least=low, at_most=high, key=f"cost-{name}")
    plain_voice, dropped_voice = (found.accuracy("voice").mean for found in tables)
    claim(f"{name}, voice alone: dropout minus without", dropped_voice - plain_voice,
          at_least=-0.02, at_most=0.02, key=f"voice-{name}")

# %% [markdown]
# The linear model pays several points with both there and gains nothing with one: its decision from the voice alone was right before. A model with a layer that bends can tell that something is missing, since the encoder of a modality that is there hardly ever gives all zeros, and it pays next to nothing.
#
# ## How sure may it be?
#
# Stay with the microphones. With both there, the log-odds are $w_1 x_1 + w_2 x_2$ with known weights. If the room is missing and its term is left out, the *decision* is still the best possible. The *confidence* is not. The voice alone deserves a smaller weight, for nobody cancels the noise any more.
#
# A model is *calibrated* if of all answers given with a probability of, say, seven in ten, seven in ten are right. The *expected calibration error* sorts answers into bins by their confidence and takes the mean distance between confidence and accuracy, weighted by how many answers are in the bin. *Temperature scaling* divides all logits by one number $T$, so that the labels of data not used in training become as likely as possible ([Guo et al., 2017](../../book/bibliography.md#guo2017)). The order of the classes stays, and with it the accuracy. In $1/T$ this loss is convex, so there is one best temperature ([the page](../../book/fusion/missing_modalities.md) proves it, and says when it is finite); `fit_temperature` finds it.

# %%
noise = np.eye(2) + 3.0**2 * np.ones((2, 2))  # own hiss, shared noise
best = 2 * np.linalg.solve(noise, [2.0, 0.0])  # weights with both
alone = 2 * 2.0 / noise[0, 0]  # weight of the voice alone
x = {m: rows[:, 0] for m, rows in rooms_test.features.items()}
rooms_labels = rooms_test.labels
full = best[0] * x["voice"] + best[1] * x["room"]
logits = {"both": np.column_stack([-full / 2, full / 2])}
left_out = best[0] * x["voice"]
logits["voice alone"] = np.column_stack([-left_out / 2, left_out / 2])

exact("voice alone: the weight is {:.2f} times too large", best[0] / alone,
      key="too-sure")
for name, z in logits.items():
    exact(f"{name}: fitted temperature {{:.2f}}", fit_temperature(z, rooms_labels),
          key=f"t-{name.replace(' ', '-')}")
one_for_both = fit_temperature(np.vstack(list(logits.values())),
                               np.tile(rooms_labels, 2))
exact("one temperature for both {:.2f}", one_for_both, key="t-one")

# %%
for name, z in logits.items():  # one number: fitted and tried on the same 10,000
    own_temperature = fit_temperature(z, rooms_labels)
    tried = {"no": 1.0, "one": one_for_both, "its own": own_temperature}
    for which, t in tried.items():
        error = expected_calibration_error(probabilities(z, t), rooms_labels, bins=10)
        key = f"error-{name} {which}".replace(" ", "-")
        exact(f"{name:11} with {which:7} temperature: error {{:.3f}}", error, key=key)

# %% [markdown]
# Missing evidence must make a model less sure, and *how much* less depends on what is missing. The fitted temperature finds the factor by which the weight is too large. One temperature for both cases is wrong twice: too unsure with both there, too sure with one. One for each subset is right. The subset is known when the model is used, so nothing stands in the way.
#
# Now the digits. Half of the test recordings serve to fit temperatures, the other half to measure, so that no recording is on both sides. The diagrams show, for each tenth of the answers by confidence, how sure they were and how many were right.

# %%
mixed = np.random.default_rng(1).permutation(recordings.max() + 1)
CALIBRATE = np.isin(recordings, mixed[: len(mixed) // 2])
MEASURE = ~CALIBRATE


def diagram(table, subset, temperature=1.0):
    """Confidence and accuracy of ten bins of equal mass, on the other half."""
    p = probabilities(table.at(subset)[MEASURE], temperature)
    found = reliability(p, test.labels[MEASURE], bins=10, equal="mass")
    return found.confidence, found.accuracy


def temperature_for(table, subset):
    return fit_temperature(table.at(subset)[CALIBRATE], test.labels[CALIBRATE])


# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.5), sharey=True, layout="constrained")
panels = (
    ("trained on complete data", table, lambda subset: 1.0),
    ("with modality dropout", robust_table, lambda subset: 1.0),
    ("… and a temperature a subset", robust_table, lambda subset: temperature_for(robust_table, subset)),
)
for axis, (title, shown_table, temperature) in zip(axes, panels, strict=True):
    axis.plot([0, 1], [0, 1], color="0.6", linestyle=":")
    for subset, colour, marker in (("image", "C0", "o"), ("audio", "C1", "s"), (("image", "audio"), "C2", "^")):
        confidence, share = diagram(shown_table, subset, temperature(subset))
        name = subset if isinstance(subset, str) else " + ".join(subset)
        axis.plot(confidence, share, color=colour, marker=marker, markersize=5, label=name)
    axis.set(title=title, xlabel="confidence", xlim=(0.1, 1.03), ylim=(0, 1.03))
    axis.title.set_fontsize(11)
axes[0].set(ylabel="share of right answers")
axes[0].legend(loc="upper left", fontsize=10)
figure(
    fig,
    "reliability",
    caption="Reliability in one run: without a remedy, with modality dropout, and with a temperature of its own for each subset. "
    "Below the dotted line a model is too sure, above it not sure enough. A marker is a tenth of the answers, about thirty.",
    alt="Three panels of confidence against the share of right answers. Left: the curves for image, audio and both lie far below "
    "the diagonal. Middle: they follow it roughly, image with audio somewhat below. Right: image lies on it, audio far above.",
)

# %%
def calibration(quantity, method, names=PARTIAL):
    """Mean over ten runs and these subsets of a stored quantity."""
    rows = [runs.values(f"{quantity} {name}", sweep="calibration", method=method)
            for name in names]
    return np.mean(rows)


claim("no remedy: calibration error with all three", calibration(
    "error none", "mask", [everything]), at_most=0.035, key="error-mask-whole")
SCALED = {"none": "no temperature", "complete": "temperature of complete data",
          "own": "a temperature a subset"}
for which, low, high in (("none", 0.17, 0.2), ("complete", 0.145, 0.18),
                         ("own", 0.08, 0.105)):
    claim(f"no remedy: calibration error, mean of six subsets, {SCALED[which]}",
          calibration(f"error {which}", "mask"),
          at_least=low, at_most=high, key=f"error-mask-{which}")
claim("modality dropout: calibration error, mean of six subsets, no temperature",
      calibration("error none", "dropout"), at_most=0.065, key="error-dropout-none")

# %%
WITHOUT_AUDIO_ALONE = [name for name in PARTIAL if name != "audio"]
for which, names, what, low, high in (
        ("complete", PARTIAL, "all six", 0.025, 0.06),
        ("own", WITHOUT_AUDIO_ALONE, "five", -0.015, 0.01),
        ("own", ["audio"], "audio alone", 0.06, 0.18)):
    change = (calibration(f"error {which}", "dropout", names)
              - calibration("error none", "dropout", names))
    claim(f"modality dropout: change of the error, {what}, {SCALED[which]}", change,
          at_least=low, at_most=high, key=f"change-{which}-{len(names)}")

# %%
def error_if_calibrated(table, subset, draws=200):
    """Mean error if labels were drawn from the model's own probabilities."""
    p = probabilities(table.at(subset)[MEASURE])
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(draws):
        labels = (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1).clip(max=9)
        errors.append(expected_calibration_error(p, labels, bins=10, equal="mass"))
    return np.mean(errors)


claim("error that a perfect model would show on as many pictures",
      error_if_calibrated(robust_table, "image"),
      at_least=0.02, at_most=0.07, key="error-floor")

# %% [markdown]
# Without a remedy the network is well calibrated on complete data, and far too sure when something is missing. The usual temperature, fitted on complete data, does not repair that; one a subset takes off more than a third of the error. Modality dropout does better without any temperature, perhaps because a network that is trained on every subset learns how sure each of them may make it. An error of a few hundredths is what even a perfect model shows on so few answers.
#
# Then the surprises. For the network with dropout the temperature of the complete data makes things *worse*. A temperature for each subset leaves five of them about as they are, and makes the sound alone much worse: in the right panel it is not sure enough. A temperature makes the *likelihood* best, not the error. Perhaps a few recordings in new voices are misheard with great confidence: the likelihood punishes that severely, and one factor for all answers then takes confidence from the many to save the few. So measure again after scaling.
#
# ## Why is it missing?
#
# So far modalities went missing by a coin that knows nothing of the example. [Rubin (1976)](../../book/bibliography.md#rubin1976) tells three cases apart. *Missing completely at random*: the coin. *At random*: the chance depends only on what is still seen; dark pictures, say, go with a text that nobody typed. Then absence tells nothing new: where $p(r \mid x_I, y) = p(r \mid x_I)$ for the absence $r$, the picture $x_I$ and the label $y$, Bayes' rule gives $p(y \mid x_I, r) = p(y \mid x_I)$. *Not at random*: the chance depends on something that is not seen, and the most harmful such thing is the label.
#
# In a clinic half of the patients are ill. The text of a report is missing for six in ten of those who are ill and for one in ten of the others, because the ill were sent on in a hurry. Picture and text each hold one unit of evidence as the thermometers did. Somebody who uses the absence as evidence has the log-odds $\log(0.6/0.1)$ for ill before looking at anything.

# %%
def best_accuracy(absence, believed=None):
    """Of the rule that believes in these rates of absence (healthy, ill)."""
    right = 0.0
    for missing in (True, False):
        here, rule = (np.array(rates) if missing else 1 - np.array(rates)
                      for rates in (absence, believed or absence))
        prior = np.log(rule[1] / rule[0])  # what absence or presence says
        d = 1.0 if missing else 2**0.5  # evidence of picture, or of both
        right += here[1] / 2 * PHI(d + prior / (2 * d))
        right += here[0] / 2 * PHI(d - prior / (2 * d))
    return right


HURRY, EVEN, REVERSED = (0.1, 0.6), (0.35, 0.35), (0.6, 0.1)
for name, world in (("as in training", HURRY), ("by a coin", EVEN),
                    ("the other way round", REVERSED)):
    key = name.replace(" ", "-")
    exact(f"{name}: rule that reads the absence {{:.3f}}",
          best_accuracy(world, HURRY), key=f"reads-{key}")
    exact(f"{name}: rule that does not          {{:.3f}}",
          best_accuracy(world, EVEN), key=f"ignores-{key}")

# %% [markdown]
# On data like those of the clinic the absence is worth points, and no test part from the same clinic will warn. The day the hurry ends, or another clinic does it the other way round, the rule is worse than one that never looked. Do trained networks read the absence? Nobody tells them to. Here are two that get a mask, the encoders with a join that bends, and a linear layer on the vectors side by side.

# %%
reports = controlled_pairs(
    "redundant", 14_000, separation={"image": 1.0, "text": 1.0},
    widths={"image": 4, "text": 4}, seed=0)


def clinic(data, absence, seed):
    """Texts go missing with a chance that depends on the label."""
    drawn = np.random.default_rng([7, seed]).random(len(data))
    return masked(data, {"text": drawn >= np.array(absence)[data.labels]})


def in_clinics(fusion, absence):
    """Trained in one clinic; accuracy in the three."""
    seed_everything(0)
    model = FusionClassifier(fusion(reports.widths), classes=2)
    fit(model, clinic(reports.take(slice(4_000)), absence, seed=0), seed=0, epochs=10,
        batch_size=64, learning_rate=3e-3, weight_decay=1e-2, progress=False)
    part = reports.take(slice(4_000, None))
    parts = [clinic(part, world, seed=1) for world in (HURRY, EVEN, REVERSED)]
    return [accuracy(predict(model, data), data.labels) for data in parts]


# %%
reader, linear = in_clinics(bent, HURRY), in_clinics(ConcatenationFusion, HURRY)
claim("bent: accuracy as in training", reader[0],
      at_least=0.91, at_most=0.935, key="clinic-same")
claim("bent: accuracy the other way round", reader[2],
      at_least=0.75, at_most=0.82, key="clinic-reversed")
claim("linear: accuracy as in training", linear[0],
      at_least=0.88, at_most=0.91, key="clinic-linear-same")
claim("linear: accuracy the other way round", linear[2],
      at_least=0.87, at_most=0.905, key="clinic-linear-reversed")
claim("bent, trained where the coin decides: accuracy the other way round",
      in_clinics(bent, EVEN)[2], at_least=0.88, at_most=0.91, key="clinic-even")

# %% [markdown]
# The bent network is as good as the rule that reads the absence, and fails like it. The linear one adds the same constant whether the text is there or not, and since these vectors have mean zero it has no term with which to read the absence. So "what is missing has no influence" is a statement about the *content* of the hole. That there *is* a hole, a model may well see, and the bent one used it.
#
# > **Warning.** Before you train on data with holes, compare how often each modality is missing by class, by site, by year. If you cannot trust the pattern, let chance decide: with complete data and modality dropout, absence says nothing about the label, by construction.
#
# ## The same in three frameworks
#
# Random numbers differ between frameworks. The decision made from given numbers does not, and neither does what a fusion makes of it.

# %%
import tensorflow as tf

import mmcourse.fusion.keras as keras_fusion
from mmcourse.fusion.keras.dropout import keep as keep_in_keras
from mmcourse.fusion.torch.dropout import keep as keep_in_torch
from mmcourse.parity import relative_error, transfer

batch = {m: rows[:40] for m, rows in test.features.items()}
draws = {m: rng.random(40) for m in RATES}
reference, remaining = modality_dropout(batch, RATES, draws)
all_there, rates = np.ones((40, 3), dtype=bool), list(RATES.values())
numbers = np.column_stack(list(draws.values()))
wanted_by_formula = np.column_stack(list(remaining.values()))
in_torch = keep_in_torch(torch.tensor(all_there), rates, torch.tensor(numbers))
in_keras = keep_in_keras(tf.constant(all_there), rates, tf.constant(numbers))
assert (in_torch.numpy() == wanted_by_formula).all()
assert (in_keras.numpy() == wanted_by_formula).all()

# %%
after_torch = ConcatenationFusion(train.widths, out_dim=10).double()
after_keras = keras_fusion.ConcatenationFusion(
    train.widths, out_dim=10, dtype="float64")
transfer(after_torch, after_keras)
output = after_torch({m: torch.tensor(x) for m, x in batch.items()},
                     {m: torch.tensor(here) for m, here in remaining.items()})
(output**2).sum().backward()
with tf.GradientTape() as tape:
    keras_output = after_keras({m: tf.constant(x) for m, x in reference.items()})
    keras_loss = tf.reduce_sum(keras_output**2)
variables = {v.name: v.value for v in after_keras.trainable_weights}
slopes = tape.gradient(keras_loss, variables)
assert relative_error(keras_output, output.detach()) < 1e-10
for name, parameter in after_torch.named_parameters():
    assert relative_error(slopes[name], parameter.grad) < 1e-10

# %% [markdown]
# ## What this does not show
#
# Given the label, the three signals of these digits are independent, which real ones rarely are; that favours everything that adds evidence. All modalities went missing as wholes and with warning, that is, with a mask. A modality that is there but broken comes without one. The gain on complete data was measured with a small training part; with more data it may vanish. And the temperatures were fitted on as few as sixty recordings.
#
# ## What to keep
#
# A model trained on complete data loses more than the information that left, and a mask does not change that: it keeps the content of the hole out, and does not tell the layers above what to do without it. Measure under every subset, against a model trained on that subset alone. Modality dropout makes one network about as good as seven; try ridge imputation first if you cannot train again. Missing evidence must lower confidence by a factor that depends on what is missing: one temperature a subset where scaling is needed, and a look at the diagram afterwards. And ask why something is missing before a model finds out by itself.
#
# **Try it.** Train with other rates: `every_subset(trained(train, dropout={"image": 0.2, "text": 0.5, "audio": 0.7}), test).accuracy("image")`; which subsets pay for it? Make the sound the only loud modality: `every_subset(trained(train.scaled({"audio": 10})), test.scaled({"audio": 10})).accuracy(("image", "text"))`. How good is the best rule in a clinic where absence is almost certain for the ill: `best_accuracy((0.1, 0.99))`? The [exercises](exercises.ipynb) ask for the chances of the subsets and for the temperature.
#
# **Further reading.** [Neverova et al. (2016)](../../book/bibliography.md#neverova2016) for modality dropout, [Ma et al. (2022)](../../book/bibliography.md#ma2022) for Transformers that lose a modality, [Rubin (1976)](../../book/bibliography.md#rubin1976) for the three kinds of absence, [Guo et al. (2017)](../../book/bibliography.md#guo2017) for temperatures.

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
# # Matching sequences in time
#
# Match two recordings frame for frame, learn to transcribe without being told when a word is said, find out afterwards when it was, and know how far to trust the answer.
#
# **Before this:** log-mel frames, convolution over time and attention, from [Sequence encoders](../concepts/sequence_encoders.ipynb); softmax and cross-entropy from [A first model](../concepts/first_model.ipynb). Two derivations are on the page [The sum over all paths](../../book/fusion/sum_over_paths.md).

# %% tags=["colab"]
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    # %pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse
    # !{sys.executable} -m mmcourse.colab language

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from mmcourse.alignment.numpy import accumulated_costs, collapse
from mmcourse.alignment.numpy import ctc_gradient, ctc_loss
from mmcourse.alignment.numpy import ctc_occupancy, dynamic_time_warping
from mmcourse.alignment.numpy import forced_alignment, greedy_decoding
from mmcourse.alignment.numpy import label_error_rate, pairwise_costs
from mmcourse.alignment.numpy import prefix_beam_search
from mmcourse.alignment.torch import ctc_loss as torch_ctc_loss
from mmcourse.data import DIGIT_WORDS, spoken_digit_sequences
from mmcourse.encoders.numpy import log_mel, log_mel_frames
from mmcourse.errors import ShapeError
from mmcourse.lesson import claim, exact, experiment, figure, setup
from mmcourse.training import seed_everything

setup("fusion/sequence_alignment")

# %% [markdown]
# ## One word, said twice
#
# Somebody says a digit into a microphone. Which one? We have ninety recordings of digits by nine voices, and compare the new one, by a voice that is not among them, with each: the nearest one gives the answer. A recording is a sequence of log-mel frames, and nobody starts to speak just when the recording starts: before and after each word is a pause of random length, up to `0.4` seconds. The simplest distance takes the first frame with the first, the second with the second, and so on, until the shorter recording ends. A better one first stretches the known recording to the length of the new one.

# %%
def recordings_of_words(pause, seed=0):
    """Ninety known recordings of one digit each, a hundred in other voices."""
    options = {"digits": (1, 1), "pause": pause, "snr": 30.0, "seed": seed}
    known = spoken_digit_sequences("train", count=90, **options)
    return known, spoken_digit_sequences("test", count=100, **options)


def frames_of_words(words):
    return [log_mel(w, sample_rate=words.sample_rate, n_fft=512,
                    hop_length=256, n_mels=24) for w in words.waveforms]


def unwarped(costs, lengths):
    """Mean cost frame by frame, and stretched.  costs: (known, n, frames)"""
    n = costs.shape[1]
    steps, one, two = np.arange(n), [], []
    for table, length in zip(costs, lengths, strict=True):
        shorter = np.arange(min(n, length))
        one.append(table[shorter, shorter].mean())
        even = np.linspace(0, length - 1, n).round().astype(int)
        two.append(table[steps, even].mean())
    return np.array(one), np.array(two)


# %%
def nearest_words(pause, distances):
    """Share of digits that the nearest known recording gets right."""
    known, heard = recordings_of_words(pause)
    references = frames_of_words(known)
    lengths = np.array([len(frames) for frames in references])
    padded = np.zeros((len(references), lengths.max(), 24))
    for row, frames in zip(padded, references, strict=True):
        row[: len(frames)] = frames
    labels, right = np.concatenate(known.digits), []
    for frames, digit in zip(frames_of_words(heard), heard.digits, strict=True):
        costs = pairwise_costs(frames[None], padded)  # (known, n, frames)
        found = [labels[d.argmin()] for d in distances(costs, lengths)]
        right.append(np.array(found) == digit)
    return np.mean(right, axis=0)


runs = experiment("fusion_sequence_alignment")
cut, stretched = nearest_words((0.0, 0.4), unwarped)
claim("digits right, frame by frame", cut, at_most=0.66, key="cut")
claim("digits right, stretched to one length", stretched,
      at_most=0.74, key="stretched")

# %% [markdown]
# Many digits are wrong, though the known recordings hold every word. The fifth frame of one recording may be a vowel, and the fifth frame of the other silence. Which frame belongs to which is a question of its own. It is called *alignment*.
#
# ## The cheapest path
#
# Let $C_{ij}$ be what it costs to pair frame $i$ of one sequence with frame $j$ of the other, their distance, say. A *warping path* begins at the first pair and ends at the last. Each step goes on by one frame in the first sequence, in the second, or in both. No frame is left out, and time never runs backwards. *Dynamic time warping* takes the path whose costs have the smallest sum ([Sakoe and Chiba, 1978](../../book/bibliography.md#sakoe1978)).
#
# There are very many paths, but the best way to a pair must come from one of three pairs before it. So with $D_{ij}$ for the cost of the cheapest path that ends at $(i, j)$,
#
# $$D_{ij} = C_{ij} + \min(D_{i-1,j-1},\; D_{i-1,j},\; D_{i,j-1}), \qquad D_{11} = C_{11} .$$
#
# By hand, with one number a frame: the sequences $1, 3, 4$ and $1, 2, 3, 3$, and the absolute difference as cost.
#
# | $C$ | 1 | 2 | 3 | 3 | | $D$ | 1 | 2 | 3 | 3 |
# |---|---|---|---|---|---|---|---|---|---|---|
# | **1** | 0 | 1 | 2 | 2 | | **1** | 0 | 1 | 3 | 5 |
# | **3** | 2 | 1 | 0 | 0 | | **3** | 2 | 1 | 1 | 1 |
# | **4** | 3 | 2 | 1 | 1 | | **4** | 5 | 3 | 2 | 2 |
#
# The number at the lower right is the distance, $2$. A path that reaches it pairs 1 with 1 and with 2, 3 with the first 3, and 4 with the last.

# %%
short, long = np.array([[1.0], [3], [4]]), np.array([[1.0], [2], [3], [3]])
costs = pairwise_costs(short, long, "manhattan")  # (3, 4)
total = np.full((3 + 1, 4 + 1), np.inf)  # a border, so that no cell is special
total[0, 0] = 0
for i, j in np.ndindex(3, 4):
    before = min(total[i, j], total[i, j + 1], total[i + 1, j])
    total[i + 1, j + 1] = costs[i, j] + before
print(total[1:, 1:])


def warping_paths(path, n, m):
    """All ways on from the last pair of `path` to (n - 1, m - 1)."""
    i, j = path[-1]
    if (i, j) == (n - 1, m - 1):
        yield path
    for step in [(i + 1, j), (i, j + 1), (i + 1, j + 1)]:
        if step[0] < n and step[1] < m:
            yield from warping_paths([*path, step], n, m)


every = list(warping_paths([(0, 0)], 3, 4))
assert min(sum(costs[pair] for pair in path) for path in every) == total[-1, -1]
warping = dynamic_time_warping(costs)
assert warping.cost == total[-1, -1] == 2
print("of", len(every), "paths the cheapest:", warping.path.tolist())

# %% [markdown]
# The package computes the tables of many recordings at once. Everything else stays as it was: only the distance of two recordings is now that of their cheapest path.

# %%
def by_warping(costs, lengths):
    total = accumulated_costs(costs)
    return [total[np.arange(len(lengths)), -1, lengths - 1]]


(warped,) = nearest_words((0.0, 0.4), by_warping)
stored = runs.values("warped", sweep="words", recordings="with pauses")
claim("digits right by warping, beside five stored runs", warped,
      at_least=stored.min() - 0.01, at_most=stored.max() + 0.01, key="warped")
claim("gain of warping over stretching, worst of five seeds",
      (stored - runs.values("stretched", sweep="words",
                            recordings="with pauses")).min(),
      at_least=0.1, key="warping-gain")
trimmed = {"sweep": "words", "recordings": "trimmed"}
claim("lowest mean of the three distances with the pauses cut off, five seeds",
      min(runs.values(name, **trimmed).mean()
          for name in ("frame_by_frame", "stretched", "warped")),
      at_least=0.9, key="trimmed")

# %% tags=["hide-input"]
def a_word(words, digit):
    """Frames of the first recording of a digit."""
    row = int(np.flatnonzero(np.concatenate(words.digits) == digit)[0])
    return frames_of_words(words)[row]


old_word, new_word = (a_word(words, 9) for words in recordings_of_words((0.0, 0.4)))
path = dynamic_time_warping(pairwise_costs(old_word, new_word)).path
fig, axes = plt.subplots(2, 2, figsize=(7, 5), width_ratios=[1, 4], height_ratios=[4, 1.4],
                         sharex="col", sharey="row", layout="constrained")
axes[0, 0].imshow(old_word, aspect="auto", origin="lower", cmap="magma")
axes[0, 0].set(ylabel="frame of the known recording", xlabel="mel band", xticks=[])
axes[0, 1].imshow(pairwise_costs(old_word, new_word), aspect="auto", origin="lower", cmap="Greys")
axes[0, 1].plot(path[:, 1], path[:, 0], color="C1", linewidth=2.5, label="cheapest path")
axes[0, 1].plot([0, len(new_word) - 1], [0, len(old_word) - 1], ":", color="C0", linewidth=2, label="stretched")
axes[0, 1].legend(loc="lower right", facecolor="white", framealpha=0.8, frameon=True)
axes[1, 1].imshow(new_word.T, aspect="auto", origin="lower", cmap="magma")
axes[1, 1].set(xlabel="frame of the new recording", yticks=[], ylabel="mel band")
axes[1, 0].axis("off")
figure(fig, "warping", caption="The word *nine* twice, by two voices; "
       "grey is the cost of pairing two frames, dark is costly. The path goes up where the known recording is still "
       "silent, then through the word at an even pace. The dotted line of stretching pairs that silence with the vowel.",
       alt="A grey table of costs between two spectrograms. A path rises steeply at the left, then runs evenly along "
       "a light valley between dark regions; a straight diagonal cuts through a dark region.")

# %% [markdown]
# Where the recordings are trimmed to the word, all three distances do well: here it is the pauses that warping repairs. People speed up more unevenly than a synthesiser, perhaps, and a stretch may then not be enough even for trimmed words.
#
# Warping costs $n\,m$ steps for $n$ and $m$ frames. A *band* that allows only pairs with $\lvert i - j\rvert \le r$ makes it cheaper and forbids wild paths, `dynamic_time_warping(costs, band=r)`. As a loss the minimum is awkward: its gradient knows the cheapest path alone. A soft minimum over all paths mends that, `soft_dtw` in the package; [the page](../../book/fusion/sum_over_paths.md) says where it belongs.

# %% [markdown]
# ## An alignment is not a fusion
#
# What did warping return? A number and a list of pairs. It has joined nothing. To fuse two aligned signals, say the frames of a voice and those of a mouth, one still has to add them, concatenate them or attend from one to the other, pair by pair; and a fusion of signals that are not aligned pairs a vowel with silence.

# %%
pairs = dynamic_time_warping(costs).path
aligned = short[pairs[:, 0]], long[pairs[:, 1]]  # one row a pair
fused = np.concatenate(aligned, axis=1)  # the fusion is this line
assert fused.shape == (len(pairs), 2)
try:
    np.concatenate([short, long], axis=1)
except ValueError:
    print("three frames and four frames do not concatenate")

# %% [markdown]
# > **Correction.** A source document ([entry C-32](../../book/corrections.md#c-32)) lists sequence alignment among the ways to fuse. Alignment says *which* parts belong together; fusion says *how* what belongs together becomes one representation. One may need the other. Neither is the other.
#
# ## A transcript without times
#
# Now somebody says several digits, and we know which, but not when. A network shall learn to write them down. It gives, for each frame $t$ of $T$, probabilities $p_t(k)$ of the classes $k$. If the transcript said for each frame what it holds, cross-entropy would do. It does not.
#
# *Connectionist temporal classification*, CTC ([Graves et al., 2006](../../book/bibliography.md#graves2006)), adds one class, the *blank*, written –, and says what a path of $T$ classes means: runs of one class become one, then blanks are left out. So `aa–ab` says *aab*. The blank separates: without it *aa* could not be said. The probability of a transcript $\ell$ is the sum over all paths that say it,
#
# $$p(\ell \mid x) = \sum_{\pi \text{ says } \ell}\; \prod_{t=1}^{T} p_t(\pi_t) , \qquad \text{loss} = -\log p(\ell \mid x).$$
#
# By hand: three frames, and the transcript *ab*. Five of the 27 paths say it.

# %%
CLASSES = "–ab"
p = np.array([[0.5, 0.4, 0.1],  # frame 1: –, a, b
              [0.2, 0.5, 0.3],
              [0.3, 0.1, 0.6]])


def says(path):
    """Runs become one, then blanks (class 0) are left out."""
    runs = [k for t, k in enumerate(path) if t == 0 or k != path[t - 1]]
    return tuple(k for k in runs if k != 0)


sayings = {}
for path in product(range(3), repeat=3):
    probability = p[0, path[0]] * p[1, path[1]] * p[2, path[2]]
    sayings.setdefault(says(path), []).append((path, probability))
for path, probability in sayings[1, 2]:
    print("".join(CLASSES[k] for k in path), round(probability, 3))
summed = sum(probability for _, probability in sayings[1, 2])
exact("the five together {:.3f}", summed, key="five-paths")

# %% [markdown]
# With a hundred frames no computer adds up all paths. But again the best idea is a table. Write the transcript with a blank before, between and after its labels, $\ell' = (–, a, –, b, –)$, and let $\alpha_t(s)$ be the probability of all beginnings of $t$ frames that have got to place $s$ of $\ell'$. A path stays at a place, goes on by one, or by two where that skips a blank between two *different* labels:
#
# $$\alpha_t(s) = p_t(\ell'_s)\,\bigl[\alpha_{t-1}(s) + \alpha_{t-1}(s-1) + \alpha_{t-1}(s-2)\bigr].$$
#
# The last term is there only if $\ell'_s$ is a label and $\ell'_s \ne \ell'_{s-2}$. A path begins at one of the first two places and ends at one of the last two. Except for the sum in the place of the minimum, this is warping: the frames on one axis, the transcript on the other.

# %%
places = [0, 1, 0, 2, 0]  # – a – b –
alpha = np.zeros((3, 5))
alpha[0, :2] = p[0, places[:2]]
for t, s in product(range(1, 3), range(5)):
    came = alpha[t - 1, s] + (alpha[t - 1, s - 1] if s >= 1 else 0)
    if s >= 2 and places[s] not in (0, places[s - 2]):
        came += alpha[t - 1, s - 2]
    alpha[t, s] = p[t, places[s]] * came
print(alpha.round(3))
assert np.isclose(alpha[-1, -2:].sum(), summed)

logits = np.log(p)[None]  # the package softmaxes: (batch, time, classes)
assert np.isclose(np.exp(-ctc_loss(logits, [[1, 2]])[0]), summed)

# %% [markdown]
# The likeliest path need not say the likeliest transcript. Two frames, the blank with probability `0.6` in each, *a* with `0.4`: the likeliest path is two blanks and says nothing, with probability $0.36$. But three paths say *a*, and together they have $0.64$. *Greedy decoding* takes the likeliest path. *Prefix beam search* keeps the likeliest beginnings of transcripts, each with the sum of its paths.

# %%
two_frames = np.log([[0.6, 0.4], [0.6, 0.4]])
greedy, best = greedy_decoding(two_frames), prefix_beam_search(two_frames)[0]
assert greedy.labels == ()
assert best.labels == (1,)
assert np.allclose(np.exp([greedy.log_probability, best.log_probability]),
                   [0.36, 0.64])
searched = {h.labels: np.exp(h.log_probability)
            for h in prefix_beam_search(logits[0], width=100)}
assert all(np.isclose(searched[labels], sum(q for _, q in paths))
           for labels, paths in sayings.items())
print("greedy says", greedy.labels, "and the beam", best.labels)

# %% [markdown]
# The gradient has a form that is easy to remember. Let $g_t(k)$ be the probability that frame $t$ says $k$, *given* that the transcript is right: the share of the five paths, weighted by their probabilities, that have $k$ at $t$. Then the gradient by the logits is $p_t(k) - g_t(k)$, as in cross-entropy: what the network says, minus what it should have said. [The page behind this lesson](../../book/fusion/sum_over_paths.md) derives it. PyTorch and TensorFlow have kernels for it; each takes its arguments in an order of its own, and PyTorch wants log-probabilities where TensorFlow wants logits.

# %%
import tensorflow as tf

rng = np.random.default_rng(0)
random_logits = rng.normal(size=(2, 6, 4))
targets, lengths = np.array([[1, 1, 3], [2, 1, 1]]), np.array([3, 2])
ours = ctc_loss(random_logits, targets, target_lengths=lengths)
gradient = ctc_gradient(random_logits, targets, target_lengths=lengths)

in_torch = torch.tensor(random_logits, requires_grad=True)
torch_loss = nn.functional.ctc_loss(
    in_torch.log_softmax(2).transpose(0, 1), torch.tensor(targets),
    torch.tensor([6, 6]), torch.tensor(lengths), reduction="none")
torch_loss.sum().backward()
assert np.allclose(torch_loss.detach(), ours, rtol=1e-10)
assert np.allclose(in_torch.grad, gradient, rtol=1e-10)

single = tf.constant(random_logits, tf.float32)  # its kernel refuses double precision
with tf.GradientTape() as tape:
    tape.watch(single)
    tf_loss = tf.nn.ctc_loss(targets, single, lengths, [6, 6],
                             logits_time_major=False, blank_index=0)
assert np.allclose(tf_loss, ours, rtol=1e-5)
assert np.allclose(tape.gradient(tf_loss, single), gradient, atol=1e-5)

# %% [markdown]
# A transcript needs room: one frame a label, and one more for each repeat. Where there is too little, PyTorch returns infinity, or with `zero_infinity` a loss of 0, as if all were well. The package says which row it is.

# %%
crowded = nn.functional.ctc_loss(
    torch.zeros(2, 1, 3).log_softmax(2), torch.tensor([[1, 1]]),
    torch.tensor([2]), torch.tensor([2]), zero_infinity=True)
assert crowded == 0
try:
    ctc_loss(np.zeros((1, 2, 3)), [[1, 1]])
except ShapeError as error:
    print(error)

# %% [markdown]
# ## Digits one after another
#
# The training part: 300 recordings of two to five digits, each by one of nine voices. Before, between and after the digits are pauses up to half a second, and over everything lies a faint hiss. The test part: 100 recordings by four other voices. We put these recordings together ourselves, so we know where each digit begins and ends, and keep it from the network.
#
# The network is small. A convolution looks at 25 frames at a time, `0.4` seconds; a ReLU; a linear layer gives eleven logits for each frame, ten digits and the blank, which here has number 10 so that a digit is its own label.

# %%
BLANK, HOP = 10, 128  # HOP: samples from one frame to the next, 16 ms
SEED = 1  # one of the five of the stored experiment


def digit_sequences(seed=SEED):
    """Training and test part."""
    options = {"snr": 20.0, "pause": (0.0, 0.5), "seed": seed}
    return [spoken_digit_sequences(part, count=count, **options)
            for part, count in (("train", 300), ("test", 100))]


def frames_and_mask(part):
    spectrum = log_mel(part.padded()[0], sample_rate=part.sample_rate,
                       n_fft=256, hop_length=HOP, n_mels=32)
    count = log_mel_frames(part.lengths, n_fft=256, hop_length=HOP)
    return spectrum, np.arange(spectrum.shape[1]) < count[:, None]


# %%
train, test = digit_sequences()
prepared = [frames_and_mask(part) for part in (train, test)]
heard_frames = prepared[0][0][prepared[0][1]]  # of the training part
mean, deviation = heard_frames.mean(axis=0), heard_frames.std(axis=0)
frames, masks = zip(*[
    (torch.tensor(np.where(mask[..., None], (x - mean) / deviation, 0)).float(),
     torch.tensor(mask)) for x, mask in prepared], strict=True)
print(train, test, sep="\n")

# %%
class Listener(nn.Module):
    """Frames (batch, time, bands) to logits (batch, time, classes)."""

    def __init__(self, window=25, width=48):
        super().__init__()
        self.window = nn.Conv1d(32, width, window, padding=window // 2)
        self.head = nn.Linear(width, BLANK + 1)

    def forward(self, x):
        return self.head(self.window(x.mT).relu().mT)


# %%
def train_by(loss, model, epochs, seed=SEED):
    """AdamW on batches of twenty; loss(model, rows, longest) of each batch."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    order = np.random.default_rng(seed)
    for _ in range(epochs):
        for rows in np.array_split(order.permutation(300), 300 // 20):
            value = loss(model, rows, int(masks[0][rows].sum(dim=1).max()))
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
    return model


# %%
digits, said = map(torch.tensor, train.padded_digits())


def ctc(model, rows, longest):
    """Nats a digit: the loss of each row over its number of digits."""
    losses = torch_ctc_loss(
        model(frames[0][rows, :longest]), digits[rows], blank=BLANK,
        mask=masks[0][rows, :longest], target_mask=said[rows])
    return (losses / said[rows].sum(dim=1)).mean()


def logits_of(model, part):
    """Logits of each recording, (its frames, classes), in double precision."""
    with torch.no_grad():
        out = model(frames[part]).double().numpy()
    return [x[m] for x, m in zip(out, masks[part].numpy(), strict=True)]


def transcribe(model):
    """The transcripts of the test part, by the likeliest path."""
    return [greedy_decoding(x, blank=BLANK).labels for x in logits_of(model, 1)]


# %%
seed_everything(SEED)
listener = train_by(ctc, Listener(), epochs=10)
decoded = transcribe(listener)
for row in range(3):
    written = [DIGIT_WORDS["english"][d] for d in decoded[row]]
    print(*test.transcripts[row], "→", *written)

# %% [markdown]
# How good is that? The *label error rate* counts the fewest labels that must be changed, put in or taken out, over the number of labels that were said. The count, the *edit distance*, is once more a table like that of warping; only the prices differ. A step in one sequence alone costs one, and a step in both costs one where the labels differ. `jiwer`, the usual tool, takes strings of words, calls the result *word error rate*, and also tells the kinds of error apart.

# %%
PLAIN = {"sweep": "transcripts", "loss": "CTC"}
rate = label_error_rate(test.digits, decoded)
stored = runs.values("label_error_rate", **PLAIN)
claim("label error rate in unheard voices, beside five stored runs", rate,
      at_least=stored.min() - 0.02, at_most=stored.max() + 0.02, key="live-point")
claim("label error rate, mean of the five", stored.mean(),
      at_most=0.28, key="error-rate")

# %%
import jiwer

as_said = [" ".join(words) for words in test.transcripts]
as_written = [" ".join(DIGIT_WORDS["english"][d] for d in row) for row in decoded]
assert np.isclose(jiwer.wer(as_said, as_written), rate)
kinds = jiwer.process_words(as_said, as_written)
print(f"of {len(np.concatenate(test.digits))} digits: {kinds.substitutions} changed, "
      f"{kinds.deletions} left out, {kinds.insertions} put in")
assert kinds.deletions > kinds.substitutions + kinds.insertions

# %% [markdown]
# No frame of the training part had a label, and of ten digits said by voices that it never met the network gets more than seven right. In this run most mistakes are digits left out; perhaps the blank wins too often.
#
# ## When was it said?
#
# *Forced alignment* asks for the likeliest path that says a given transcript: the table of CTC with the maximum in place of the sum, and then back from its end. Its path is one of those that CTC adds up, so its probability is at most theirs.

# %%
example, heard_logits = 1, logits_of(listener, 1)
found = forced_alignment(heard_logits[example], test.digits[example], blank=BLANK)
assert collapse(found.path, blank=BLANK) == tuple(test.digits[example])
whole = ctc_loss(heard_logits[example][None], test.digits[example][None], blank=BLANK)
assert found.log_probability <= -whole[0]
short_path = forced_alignment(logits[0], [1, 2])  # the three frames above
assert np.isclose(np.exp(short_path.log_probability),
                  max(q for _, q in sayings[1, 2]))


def aligned_times(logits, part):
    """Starts and ends of all digits in milliseconds; share of blank frames."""
    found = [forced_alignment(x, d, blank=BLANK)
             for x, d in zip(logits, part.digits, strict=True)]
    starts, ends = (np.concatenate([getattr(a, name) for a in found])
                    for name in ("starts", "ends"))
    blank = np.concatenate([a.path for a in found]) == BLANK
    frame = 1000 * HOP / part.sample_rate
    # The middle of frame t is at t frames: it begins half a frame before.
    return (starts - 0.5) * frame, (ends - 0.5) * frame, blank.mean()


# %%
def true_times(part):
    return [1000 / part.sample_rate * np.concatenate(x)
            for x in (part.starts, part.ends)]


def equal_times(part):
    """As if each digit had an equal share of its recording."""
    cuts = [np.linspace(0, 1000 * len(w) / part.sample_rate, len(d) + 1)
            for w, d in zip(part.waveforms, part.digits, strict=True)]
    return np.concatenate([c[:-1] for c in cuts]), np.concatenate([c[1:] for c in cuts])


def boundary_error(starts, ends, part):
    """Mean distance of a boundary from the true one, in milliseconds."""
    truth = true_times(part)
    return (np.abs(starts - truth[0]).mean() + np.abs(ends - truth[1]).mean()) / 2


def covered(starts, ends, part):
    """Mean share of a word in which its label is said."""
    begin, end = true_times(part)
    both = np.minimum(ends, end) - np.maximum(starts, begin)
    return (both.clip(min=0) / (end - begin)).mean()


# %%
starts, ends, blank = aligned_times(heard_logits, test)
stored, equal = (runs.values(key, **PLAIN) for key in ("error", "equal_error"))
claim("boundary error of forced alignment, beside five stored runs",
      boundary_error(starts, ends, test), unit="ms",
      at_least=stored.min() - 5, at_most=stored.max() + 5, key="ctc-error")
claim("boundary error of equal division", boundary_error(*equal_times(test), test),
      at_least=equal.min() - 1, at_most=equal.max() + 1, unit="ms", key="equal-error")
claim("error of forced alignment over that of equal division, lowest of five seeds",
      (stored / equal).min(), at_least=1, key="ctc-over-equal")
claim("share of frames that the path calls blank", blank,
      at_least=0.9, key="ctc-blank")
claim("share of a word in which its label is said", covered(starts, ends, test),
      at_most=0.15, key="ctc-covered")

# %% [markdown]
# The labels are mostly right, and their times are worse than if we had cut each recording into equal parts. The network says *blank* nearly always, and a digit for a few frames only (the figure with four panels, further below, shows one recording). It is right to do so: the loss asks for the transcript and for nothing else, and a spike is enough for it ([Zeyer et al., 2021](../../book/bibliography.md#zeyer2021), analyse why the blank wins). Such outputs are called *peaky*. And *where* in the word the spike stands, the loss does not say either. Each digit has found a place of its own, some even before the word, where the window already sees its beginning:

# %%
def mean_by_digit(values, part):
    spoken = np.concatenate(part.digits)
    return np.array([values[spoken == digit].mean() for digit in range(10)])


train_starts, train_ends, _ = aligned_times(logits_of(listener, 0), train)
train_truth = true_times(train)
late = mean_by_digit(train_starts - train_truth[0], train)
early = mean_by_digit(train_truth[1] - train_ends, train)
claim("start of the latest digit's spikes, after the digit begins", late.max(),
      at_least=200, unit="ms", key="latest-digit")
claim("latest digit minus earliest, mean of five seeds",
      (runs.values("latest_digit", **PLAIN)
       - runs.values("least_late_digit", **PLAIN)).mean(),
      at_least=250, unit="ms", key="places-spread")

# %% tags=["hide-input"]
mean_length = mean_by_digit(train_truth[1] - train_truth[0], train)
fig, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
axis.barh(range(10), mean_length, color="0.85", label="the word")
axis.barh(range(10), mean_length - early - late, left=late, color="C1", label="CTC says it")
axis.set(yticks=range(10), yticklabels=DIGIT_WORDS["english"], xlabel="ms after the beginning of the word", xlim=(-110, None))
axis.invert_yaxis()
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
figure(
    fig,
    "places",
    caption="Where in its word, on the mean of the training recordings, the path of the network says each digit. "
    "Some are said near their end; *three* and *nine*, in this run, before they begin: the window looks ahead.",
    alt="Ten grey bars, one a digit word, each with a short coloured piece: in the middle, at the end, or before the bar.",
)

# %% [markdown]
# Two remedies. The first is to measure on the training recordings how late the spikes of each digit begin and how early they end, and to shift by it. It asks for recordings whose boundaries are known.

# %%
spoken = np.concatenate(test.digits)
shifted = starts - late[spoken], ends + early[spoken]
stored = runs.values("shifted_error", **PLAIN)
claim("boundary error after the shift, beside five stored runs",
      boundary_error(*shifted, test), unit="ms",
      at_least=stored.min() - 5, at_most=stored.max() + 5, key="shifted-error")
claim("error after the shift over that of equal division, worst of five seeds",
      (stored / equal).max(), at_most=0.4, key="shifted-over-equal")

# %% [markdown]
# The second needs no boundary. Divide each probability by a power of how often its class is said, so that the blank, said nearly always, is worth less, in training and in alignment ([Huang et al., 2024](../../book/bibliography.md#huang2024)). With the *label prior* $q(k)$, the mean of $p_t(k)$ over all frames of the epoch before, the scores are $p_t(k) / q(k)^{0.3}$. The gradient by $\log p_t(k)$ is minus $g_t(k)$ again, the share of the paths that have $k$ at $t$, now weighted by the scores. `ctc_occupancy` computes it.

# %%
class LabelPriors:
    """CTC of p / q ** power; q is measured anew in every epoch."""

    def __init__(self, power=0.3):
        self.power, self.steps, self.total = power, 0, 0
        self.log_prior = np.full(BLANK + 1, -np.log(BLANK + 1.0))

    def __call__(self, model, rows, longest):
        present = masks[0][rows, :longest]
        log_p = model(frames[0][rows, :longest]).log_softmax(dim=2)
        scores = log_p.detach().double().numpy() - self.power * self.log_prior
        occupancy = torch.tensor(ctc_occupancy(
            scores, digits[rows].numpy(), mask=present.numpy(),
            target_mask=said[rows].numpy(), blank=BLANK)).float()
        self.total += log_p.detach().exp()[present].sum(dim=0).double().numpy()
        self.steps += 1
        if self.steps % 15 == 0:  # the end of an epoch
            self.log_prior = np.log(self.total / self.total.sum())
            self.total = 0
        # Not the loss itself, but its gradient by log p is that of the loss.
        stand_in = -(occupancy * log_p).sum(dim=(1, 2))
        return (stand_in / said[rows].sum(dim=1)).mean()


# %%
seed_everything(SEED)
priors = LabelPriors()
spread = train_by(priors, Listener(), epochs=10)
prior_logits = logits_of(spread, 1)
prior_scores = [x - priors.power * priors.log_prior for x in prior_logits]
prior_times = aligned_times(prior_scores, test)
PRIORS = PLAIN | {"loss": "priors"}
stored = runs.values("error", **PRIORS)
claim("boundary error with label priors, beside five stored runs",
      boundary_error(*prior_times[:2], test), unit="ms",
      at_least=stored.min() - 10, at_most=stored.max() + 10, key="prior-error")
claim("share of a word in which its label is said",
      covered(*prior_times[:2], test), at_least=0.55, key="prior-covered")
claim("error with label priors over that of equal division, worst of five seeds",
      (stored / equal).max(), at_most=0.7, key="prior-over-equal")
claim("error with label priors over that after the shift, lowest of five",
      (stored / runs.values("shifted_error", **PLAIN)).min(),
      at_least=1.5, key="prior-over-shifted")
claim("label error rate of these networks, lowest of five seeds",
      runs.values("label_error_rate", **PRIORS).min(),
      at_least=1, key="prior-error-rate")

# %% [markdown]
# The labels now fill more than half of their words, and the boundaries are better than equal parts, though not as good as after a shift that was told the truth. The transcripts of this small network are ruined: there are more mistakes than labels, perhaps because it must now name a digit from every part of the word on its own, from `0.4` seconds of sound. For an alignment that matters less, because the transcript is given.
#
# ## Attention as a soft alignment
#
# Attention, too, says which frames belong to which word. It gives no path: each word has a weight for every frame, and this is called a *soft alignment*. A third network has ten queries, one a digit. Each compares itself with the frames, takes the mean of the frames by the softmax of the likeness, and must say from this mean whether its digit occurs in the recording. It is told neither when nor in which order ([Ilse et al., 2018](../../book/bibliography.md#ilse2018), describe such pooling).

# %%
class Searcher(nn.Module):
    """Ten queries look for their digit.  x: (batch, time, bands)"""

    def __init__(self, width=48):
        super().__init__()
        self.window = nn.Conv1d(32, width, 25, padding=12)
        self.keys = nn.Linear(width, width)
        self.queries = nn.Parameter(torch.randn(10, width) / width**0.5)
        self.heads = nn.Parameter(torch.randn(10, width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x, mask):
        """Logits (batch, digits), weights (batch, digits, time)."""
        values = self.window(x.mT).relu().mT
        likeness = self.queries @ self.keys(values).mT / values.shape[2] ** 0.5
        weights = likeness.masked_fill(~mask[:, None], -torch.inf).softmax(dim=2)
        return ((weights @ values) * self.heads).sum(dim=2) + self.bias, weights


# %%
there = torch.tensor(np.array([np.bincount(d, minlength=10) > 0
                               for d in train.digits])).float()


def presence(model, rows, longest):
    logits, _ = model(frames[0][rows, :longest], masks[0][rows, :longest])
    return nn.functional.binary_cross_entropy_with_logits(logits, there[rows])


# %%
seed_everything(SEED)
searcher = train_by(presence, Searcher(), epochs=15)
with torch.no_grad():
    weights = searcher(frames[1], masks[1])[1].double().numpy()


# %%
times = np.arange(weights.shape[2]) * HOP  # in samples
peaks, means = [], []
for row, (d, start, end) in enumerate(zip(test.digits, test.starts, test.ends,
                                          strict=True)):
    highest = times[weights[row, d].argmax(axis=1)]
    peaks.extend((highest >= start) & (highest < end))
    off = weights[row, d] @ times - (start + end) / 2
    means.extend(1000 / test.sample_rate * off)

# %%
ATTENTION = runs.values("peak_inside", sweep="attention")
claim("largest weights that lie inside their digit, beside five stored runs",
      np.mean(peaks), at_least=ATTENTION.min() - 0.03,
      at_most=ATTENTION.max() + 0.03, key="attention-peaks")
claim("neighbouring digits whose mean places are in order, mean of five seeds",
      runs.values("forward", sweep="attention").mean(),
      at_least=0.65, at_most=0.85, key="attention-forward")
stored = runs.values("mean_error", sweep="attention")
claim("distance of the mean place from the middle of the digit, beside five runs",
      np.abs(means).mean(), at_least=stored.min() - 20,
      at_most=stored.max() + 20, unit="ms", key="attention-mean")
claim("distance of the mean place over that of equal division, lowest of five seeds",
      (stored / runs.values("equal_middle_error", **PLAIN)).min(),
      at_least=1.5, key="attention-over-equal")

# %% tags=["hide-input"]
PICTURED = 0
SECONDS = np.arange(len(heard_logits[PICTURED])) * HOP / test.sample_rate
FIRST = sum(len(d) for d in test.digits[:PICTURED])  # its first digit among all
TRUE_SPANS = [(a / test.sample_rate, b / test.sample_rate)
              for a, b in zip(test.starts[PICTURED], test.ends[PICTURED], strict=True)]


def probabilities(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def draw(axis, name, shown, spans=None):
    """Curves of the digits that are said; true spans grey; bars above them where a path says them."""
    for start, end in TRUE_SPANS:
        axis.axvspan(start, end, color="0.88", zorder=0)
    colours = {d: f"C{place}" for place, d in enumerate(dict.fromkeys(test.digits[PICTURED].tolist()))}
    for d, colour in colours.items():
        axis.plot(SECONDS, shown[:, d], color=colour, label=DIGIT_WORDS["english"][d])
    for place, d in enumerate(test.digits[PICTURED] if spans else []):
        start, end = (times[FIRST + place] / 1000 for times in spans)
        axis.plot([start, end], [1.13, 1.13], color=colours[d], linewidth=4, solid_capstyle="butt")
    axis.set(ylabel=name)


# %% tags=["hide-input"]
fig, axes = plt.subplots(4, 1, figsize=(8, 7), sharex=True, height_ratios=[1.2, 1, 1, 1], layout="constrained")
axes[0].imshow(frames[1][PICTURED, : len(SECONDS)].numpy().T, aspect="auto", origin="lower", vmin=0, vmax=3,
               extent=(0, SECONDS[-1], 0, 32), cmap=plt.get_cmap("magma", 8), interpolation="nearest")
axes[0].set(ylabel="mel band")
for edge in np.ravel(TRUE_SPANS):
    axes[0].axvline(edge, color="white", linewidth=1)
draw(axes[1], "CTC", probabilities(heard_logits[PICTURED]), (starts, ends))
draw(axes[2], "with priors", probabilities(prior_scores[PICTURED]), prior_times[:2])
draw(axes[3], "attention", weights[PICTURED].T[: len(SECONDS)])
axes[3].set(xlabel="seconds")
axes[3].legend(loc="upper right", ncols=5, fontsize=9)
figure(fig, "alignments", caption="A test recording, *seven nine zero one*, and when each digit is said (white "
       "lines, grey bands). CTC says each in a spike, *nine* before it begins and *one* hardly at all; the bars are "
       "the forced alignment. With label priors the digits fill their words, but for *nine*, which begins too early and ends "
       "too early. The largest weights of attention, each curve another query, lie in the words.",
       alt="Four panels over four seconds: a spectrogram with four words, thin spikes, broad plateaus, and narrow "
       "humps of attention weights, with grey bands where the words are.")

# %% [markdown]
# The largest weight of a query mostly lies in its word. But nothing makes the queries go forward in time, a digit that is said twice has one query for both, and the mean place of the weights, which a soft alignment would report, is farther from the middle of the word than equal parts would put it. Attention looks where it can answer its question, and that is all that it was trained for. A decoder that attends anew for each word that it writes ([Bahdanau et al., 2015](../../book/bibliography.md#bahdanau2015)) has the order as a help; there, too, the weights are a by-product, to be checked before they are called an alignment.
#
# The stored experiment repeats it all with five seeds, which change the recordings, the start and the order of training.

# %% tags=["hide-input"]
ROWS = [("equal division", "equal_error", PLAIN), ("CTC", "error", PLAIN),
        ("CTC, shifted by digit", "shifted_error", PLAIN), ("label priors", "error", PRIORS)]
fig, axis = plt.subplots(figsize=(8, 2.6), layout="constrained")
for row, (_, key, settings) in enumerate(ROWS):
    seeds = runs.values(key, **settings)
    axis.plot(seeds, np.full(len(seeds), row), "o", color="C0", alpha=0.5)
    axis.plot(seeds.mean(), row, "|", color="C1", markersize=16, markeredgewidth=3)
axis.set(yticks=range(len(ROWS)), yticklabels=[name for name, *_ in ROWS], xlabel="mean error of a boundary in ms", xlim=(0, None), ylim=(3.5, -0.5))
figure(
    fig,
    "boundaries",
    caption="Mean distance of a boundary from the true one, in voices never met: five seeds (dots) and their mean (bars). "
    "CTC is a little worse than equal parts; the shift takes most of its error away, label priors about half.",
    alt="Four rows of dots. Equal division and CTC lie far to the right, CTC a little farther; label priors lie in the middle, shifted CTC at the left.",
)

# %% [markdown]
# ## What this does not show
#
# The voices are a synthesiser's and the words are cut out and put together; in fluent speech a boundary is a matter of definition, and of milliseconds that listeners disagree about. And pauses that hold nothing but hiss are easy to hear: a rule that listens for loudness might find the boundaries here as well.
#
# ## What to keep
#
# Alignment finds which parts of two sequences belong together, keeping their order; joining them is another step. Warping takes the cheapest path and CTC sums over all paths, and one table serves both, because the best way or the sum of all ways to a place comes from the places just before it. CTC learns to transcribe from transcripts without times. Its spikes tell which words there are and in which order; they are no boundaries, until they are compared with known ones and corrected. Attention weights are a soft alignment only where somebody has checked.
#
# **Try it.** Give the words no pauses, `nearest_words((0.0, 0.0), by_warping)`. Narrow the window, `narrow = train_by(ctc, Listener(window=9), epochs=10)`: what happens to the transcripts, `label_error_rate(test.digits, transcribe(narrow))`? Weaken the prior, `weak = train_by(LabelPriors(power=0.1), Listener(), epochs=10)`, and ask the same. The [exercises](exercises.ipynb) ask you to write the two tables yourself.
#
# **Further reading.** [Sakoe and Chiba (1978)](../../book/bibliography.md#sakoe1978) for warping, [Graves et al. (2006)](../../book/bibliography.md#graves2006) for CTC, [Hannun et al. (2014)](../../book/bibliography.md#hannun2014) for the beam, [Zeyer et al. (2021)](../../book/bibliography.md#zeyer2021) for why the spikes.

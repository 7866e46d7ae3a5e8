"""How well are recordings matched in time, digits transcribed, and their boundaries found, in voices never met?

words: the nearest of 90 recordings, compared frame by frame, stretched to one length, and warped; the recordings
    trimmed to the word, or with a pause of random length before and after it
transcripts: networks trained with CTC on digits said one after another, their transcripts, and forced alignments
    scored against the known boundaries; "shifted" moves those of each digit by its mean error on the training part;
    "priors" divides by how often each class is said (Huang et al., 2024)
attention: ten queries, one a digit, trained to tell which digits a recording holds; where do they look?
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mmcourse.alignment.numpy import (
    accumulated_costs,
    ctc_occupancy,
    forced_alignment,
    greedy_decoding,
    label_error_rate,
    pairwise_costs,
)
from mmcourse.alignment.torch import ctc_loss
from mmcourse.data import spoken_digit_sequences
from mmcourse.encoders.numpy import log_mel, log_mel_frames
from mmcourse.training import seed_everything

BLANK = 10  # digits are their own labels, 0 to 9

CONFIG = {
    "seeds": 5,
    "words": {"sound": {"n_fft": 512, "hop_length": 256, "n_mels": 24}, "train": 90, "test": 100, "snr": 30.0},
    "pauses": {"trimmed": [0.0, 0.0], "with pauses": [0.0, 0.4]},
    "sound": {"n_fft": 256, "hop_length": 128, "n_mels": 32},
    "sequences": {"snr": 20.0, "pause": [0.0, 0.5]},
    "train": 300,
    "test": 100,
    "window": 25,
    "width": 48,
    "batch_size": 20,
    "learning_rate": 5e-3,
    "weight_decay": 1e-2,
    "clip": 1.0,
    "epochs": {"transcripts": 10, "attention": 15},
    "prior": 0.3,
    "tolerance": 50,  # milliseconds
}


def points(config):
    seeds = range(config["seeds"])
    words = [{"sweep": "words", "recordings": name, "seed": seed} for name in config["pauses"] for seed in seeds]
    losses = [{"sweep": "transcripts", "loss": loss, "seed": seed} for loss in ("CTC", "priors") for seed in seeds]
    return words + losses + [{"sweep": "attention", "seed": seed} for seed in seeds]


def run(point, config):
    return {"words": words, "transcripts": transcripts, "attention": attention}[point["sweep"]](point, config)


# --------------------------------------------------------------------------------------------------------- words


def words(point, config):
    settings = config["words"]
    options = {
        "digits": (1, 1),
        "pause": config["pauses"][point["recordings"]],
        "snr": settings["snr"],
        "seed": point["seed"],
    }
    known = spoken_digit_sequences("train", count=settings["train"], **options)
    heard = spoken_digit_sequences("test", count=settings["test"], **options)
    references, queries = (
        [log_mel(w, sample_rate=d.sample_rate, **settings["sound"]) for w in d.waveforms] for d in (known, heard)
    )
    labels, wanted = (np.concatenate(d.digits) for d in (known, heard))
    lengths = np.array([len(frames) for frames in references])
    padded = np.zeros((len(references), lengths.max(), settings["sound"]["n_mels"]))
    for row, frames in zip(padded, references, strict=True):
        row[: len(frames)] = frames
    right = {name: [] for name in ("frame_by_frame", "stretched", "warped")}
    for query, digit in zip(queries, wanted, strict=True):
        costs = pairwise_costs(query[None], padded)
        for name, distances in word_distances(costs, lengths).items():
            right[name].append(labels[distances.argmin()] == digit)
    return {name: float(np.mean(found)) for name, found in right.items()}


def word_distances(costs, lengths):
    """Three distances of one recording from many.  costs: (references, n, frames);  lengths: of the references"""
    count, n, _ = costs.shape
    rows, steps = np.arange(count), np.arange(n)
    shorter = np.minimum(n, lengths)
    cut = [costs[r, steps[:k], steps[:k]].mean() for r, k in enumerate(shorter)]
    stretched = [costs[r, steps, np.linspace(0, k - 1, n).round().astype(int)].mean() for r, k in enumerate(lengths)]
    warped = accumulated_costs(costs)[rows, n - 1, lengths - 1]
    return {"frame_by_frame": np.array(cut), "stretched": np.array(stretched), "warped": warped}


# --------------------------------------------------------------------------------------------------- transcripts


class Listener(nn.Module):
    """Frames (batch, time, bands) to logits (batch, time, classes)."""

    def __init__(self, config):
        super().__init__()
        bands, width = config["sound"]["n_mels"], config["width"]
        self.window = nn.Conv1d(bands, width, config["window"], padding=config["window"] // 2)
        self.head = nn.Linear(width, BLANK + 1)

    def forward(self, frames):
        return self.head(self.window(frames.mT).relu().mT)


def sequences(point, config):
    """Training and test part; frames, with the mean and deviation of the training part's taken out; masks."""
    options = config["sequences"] | {"seed": point["seed"]}
    parts = [spoken_digit_sequences(part, count=config[part], **options) for part in ("train", "test")]
    frames, masks = [], []
    for part in parts:
        spectrum = log_mel(part.padded()[0], sample_rate=part.sample_rate, **config["sound"])
        size = {name: config["sound"][name] for name in ("n_fft", "hop_length")}
        masks.append(np.arange(spectrum.shape[1]) < log_mel_frames(part.lengths, **size)[:, None])
        frames.append(spectrum)
    mean, deviation = frames[0][masks[0]].mean(axis=0), frames[0][masks[0]].std(axis=0)
    frames = [np.where(mask[..., None], (x - mean) / deviation, 0) for x, mask in zip(frames, masks, strict=True)]
    return parts, [torch.tensor(x, dtype=torch.float32) for x in frames], [torch.tensor(mask) for mask in masks]


def batches(frames, mask, config, rng):
    """Rows of each step of an epoch, and how many frames the longest of them has."""
    for rows in np.array_split(rng.permutation(len(frames)), len(frames) // config["batch_size"]):
        yield rows, int(mask[rows].sum(dim=1).max())


def optimised(model, config):
    return torch.optim.AdamW(model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"])


def step(model, optimiser, loss, config):
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), config["clip"])
    optimiser.step()


def train_listener(model, part, frames, mask, point, config):
    """Train with CTC; with priors, return the logarithm of how often each class is said, else zeros."""
    digits, said = map(torch.tensor, part.padded_digits())
    optimiser, rng = optimised(model, config), np.random.default_rng(point["seed"])
    log_prior = np.full(BLANK + 1, -np.log(BLANK + 1.0))
    for _ in range(config["epochs"]["transcripts"]):
        total = np.zeros(BLANK + 1)
        for rows, longest in batches(frames, mask, config, rng):
            present = mask[rows, :longest]
            logits = model(frames[rows, :longest])
            truth = {"mask": present, "target_mask": said[rows], "blank": BLANK}
            if point["loss"] == "priors":
                losses = prior_loss(logits, digits[rows], truth, config["prior"] * log_prior)
                total += logits.detach().softmax(dim=2)[present].sum(dim=0).double().numpy()
            else:
                losses = ctc_loss(logits, digits[rows], **truth)
            step(model, optimiser, (losses / said[rows].sum(dim=1)).mean(), config)
        if point["loss"] == "priors":
            log_prior = np.log(total / total.sum())
    return log_prior if point["loss"] == "priors" else np.zeros(BLANK + 1)


def prior_loss(logits, digits, truth, log_prior):
    """CTC of p / prior: its gradient by log p is minus the occupancy that these scores give."""
    log_probs = logits.log_softmax(dim=2)
    scores = log_probs.detach().double().numpy() - log_prior
    arrays = {name: x.numpy() if isinstance(x, torch.Tensor) else x for name, x in truth.items()}
    occupancy = torch.tensor(ctc_occupancy(scores, digits.numpy(), **arrays), dtype=log_probs.dtype)
    return -(occupancy * log_probs).sum(dim=(1, 2))


def transcripts(point, config):
    parts, frames, masks = sequences(point, config)
    seed_everything(point["seed"])
    model = Listener(config)
    log_prior = train_listener(model, parts[0], frames[0], masks[0], point, config)
    with torch.no_grad():
        logits = [model(x).double().numpy() for x in frames]
    lengths = [mask.sum(dim=1).tolist() for mask in masks]
    decoded = [greedy_decoding(x[:n], blank=BLANK).labels for x, n in zip(logits[1], lengths[1], strict=True)]
    scores = [x - config["prior"] * log_prior for x in logits]
    found = [aligned(*args, config) for args in zip(scores, lengths, parts, strict=True)]
    (train_starts, train_ends, _), (starts, ends, blanks) = found
    truth = [boundaries(part) for part in parts]
    said = [np.concatenate(part.digits) for part in parts]
    late = by_digit(train_starts - truth[0][0], said[0])
    early = by_digit(truth[0][1] - train_ends, said[0])
    result = {"label_error_rate": label_error_rate([d.tolist() for d in parts[1].digits], decoded), "blanks": blanks}
    result |= {"late_start": float((starts - truth[1][0]).mean()), "early_end": float((truth[1][1] - ends).mean())}
    result |= {"least_late_digit": float(late.min()), "latest_digit": float(late.max())}
    result |= scored(starts, ends, truth[1], config, "")
    result |= scored(starts - late[said[1]], ends + early[said[1]], truth[1], config, "shifted_")
    return result | scored(*equal_division(parts[1]), truth[1], config, "equal_")


def by_digit(values, digits):
    """The mean of each of the ten digits."""
    return np.array([values[digits == digit].mean() for digit in range(BLANK)])


def aligned(scores, lengths, part, config):
    """Starts and ends of all labels in milliseconds, and the share of frames that are blank."""
    frame = 1000 * config["sound"]["hop_length"] / part.sample_rate
    found = [forced_alignment(x[:n], d, blank=BLANK) for x, n, d in zip(scores, lengths, part.digits, strict=True)]
    starts, ends = (np.concatenate([getattr(a, name) for a in found]) for name in ("starts", "ends"))
    blanks = np.concatenate([a.path for a in found]) == BLANK
    return (starts - 0.5) * frame, (ends - 0.5) * frame, float(blanks.mean())  # a frame's middle is at its number


def boundaries(part):
    """Starts and ends of all digits, in milliseconds."""
    return [1000 / part.sample_rate * np.concatenate(x) for x in (part.starts, part.ends)]


def equal_division(part):
    """The same, if each digit of a recording had one share of its time."""
    rows = zip(1000 * part.lengths / part.sample_rate, part.digits, strict=True)
    shares = [np.linspace(0, whole, len(digits) + 1) for whole, digits in rows]
    return np.concatenate([s[:-1] for s in shares]), np.concatenate([s[1:] for s in shares])


def scored(starts, ends, truth, config, name):
    """Mean error of a boundary, share of them within the tolerance, share of middles inside their digit."""
    errors = np.abs(np.concatenate([starts - truth[0], ends - truth[1]]))
    middles = (starts + ends) / 2
    return {
        f"{name}error": float(errors.mean()),
        f"{name}within": float((errors <= config["tolerance"]).mean()),
        f"{name}middle_error": float(np.abs(middles - (truth[0] + truth[1]) / 2).mean()),
        f"{name}inside": float(((middles >= truth[0]) & (middles <= truth[1])).mean()),
    }


# ----------------------------------------------------------------------------------------------------- attention


class Searcher(nn.Module):
    """Ten queries, one a digit, each with a weighted mean of the frames, from which it is told whether it is there."""

    def __init__(self, config):
        super().__init__()
        bands, width = config["sound"]["n_mels"], config["width"]
        self.window = nn.Conv1d(bands, width, config["window"], padding=config["window"] // 2)
        self.keys = nn.Linear(width, width)
        self.queries = nn.Parameter(torch.randn(BLANK, width) / width**0.5)
        self.heads = nn.Parameter(torch.randn(BLANK, width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(BLANK))

    def forward(self, frames, mask):
        """Return logits (batch, digits) and weights (batch, digits, time)."""
        values = self.window(frames.mT).relu().mT
        similarity = self.queries @ self.keys(values).mT / values.shape[2] ** 0.5
        weights = similarity.masked_fill(~mask[:, None], -torch.inf).softmax(dim=2)
        return ((weights @ values) * self.heads).sum(dim=2) + self.bias, weights


def attention(point, config):
    parts, frames, masks = sequences(point, config)
    there = [
        torch.tensor(np.array([np.bincount(d, minlength=BLANK) > 0 for d in part.digits]), dtype=torch.float32)
        for part in parts
    ]
    seed_everything(point["seed"])
    model = Searcher(config)
    optimiser, rng = optimised(model, config), np.random.default_rng(point["seed"])
    for _ in range(config["epochs"]["attention"]):
        for rows, longest in batches(frames[0], masks[0], config, rng):
            logits, _ = model(frames[0][rows, :longest], masks[0][rows, :longest])
            step(model, optimiser, binary_cross_entropy_with_logits(logits, there[0][rows]), config)
    with torch.no_grad():
        logits, weights = model(frames[1], masks[1])
    accuracy = float(((logits > 0) == (there[1] > 0)).double().mean())
    return {"accuracy": accuracy} | looks(weights.double().numpy(), parts[1], config)


def looks(weights, part, config):
    """Where the weights of each digit that is said lie, against where it is said."""
    times = np.arange(weights.shape[2]) * config["sound"]["hop_length"]  # samples
    inside, peaks, means, middles, forward = [], [], [], [], []
    for rows, digits, starts, ends in zip(weights, part.digits, part.starts, part.ends, strict=True):
        chosen = rows[digits]  # (digits said, time)
        within = (times >= starts[:, None]) & (times < ends[:, None])
        inside.extend((chosen * within).sum(axis=1))
        peaks.extend(within[np.arange(len(digits)), chosen.argmax(axis=1)])
        means.extend(chosen @ times)
        middles.extend((starts + ends) / 2)
        forward.extend(np.diff(chosen @ times) > 0)
    errors = np.abs(np.array(means) - middles) * 1000 / part.sample_rate
    return {
        "weight_inside": float(np.mean(inside)),
        "peak_inside": float(np.mean(peaks)),
        "mean_error": float(errors.mean()),
        "forward": float(np.mean(forward)),
    }

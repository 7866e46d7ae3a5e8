"""What do encoders of sequences remember, and how well do they hear digits in voices that they never met?

recall: the first of T random symbols is asked for after all have been read; new sequences at every step of training.
longer: the same at one distance with more steps of training.
digits: log-mel frames of spoken digits; with shuffled frames the time is gone, in training and in test.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from mmcourse.data import spoken_digits
from mmcourse.encoders.numpy import log_mel, log_mel_frames
from mmcourse.encoders.torch import (
    Embedding,
    GRUEncoder,
    LearnedPositions,
    LSTMEncoder,
    RecurrentEncoder,
    TransformerEncoder,
)
from mmcourse.training import accuracy, seed_everything

CONFIG = {
    "seeds": 3,
    "symbols": 8,
    "distances": [5, 10, 20, 40, 80],
    "width": 32,
    "recall": {"steps": 500, "batch_size": 64, "learning_rate": 3e-3, "clip": 1.0, "test": 2000},
    "longer": {"distance": 20, "steps": 2000, "encoders": ["RNN, small start", "GRU", "LSTM, forget bias 1"]},
    "digit_seeds": 5,
    "digit_encoders": ["mean", "RNN", "GRU", "LSTM, forget bias 1", "Transformer, rotary"],
    "digit_width": 48,
    "sound": {"n_fft": 256, "hop_length": 128, "n_mels": 32},
    "digits": {"epochs": 40, "batch_size": 30, "learning_rate": 3e-3, "weight_decay": 1e-2, "clip": 1.0},
}


def points(config):
    recall = [
        {"sweep": "recall", "encoder": name, "distance": distance, "seed": seed}
        for distance in config["distances"]
        for name in ENCODERS
        for seed in range(config["seeds"])
    ]
    longer = [
        {"sweep": "longer", "encoder": name, "distance": config["longer"]["distance"], "seed": seed}
        for name in config["longer"]["encoders"]
        for seed in range(config["seeds"])
    ]
    digits = [
        {"sweep": "digits", "encoder": name, "frames": frames, "seed": seed}
        for name in config["digit_encoders"]
        for frames in ("in order", "shuffled")
        for seed in range(config["digit_seeds"])
    ]
    return recall + longer + digits


def run(point, config):
    return digits(point, config) if point["sweep"] == "digits" else recall(point, config)


# ------------------------------------------------------------------------------------------------------- encoders


def small_recurrent(width, length):
    """A recurrent network whose kernel begins as PyTorch's own RNN does: uniform, and small."""
    encoder = RecurrentEncoder(width, hidden_size=width)
    nn.init.uniform_(encoder.recurrent_kernel, -(width**-0.5), width**-0.5)
    return encoder


def keeping_gru(width, length):
    """A gated recurrent unit that begins by keeping its state."""
    encoder = GRUEncoder(width, hidden_size=width)
    encoder.bias.data[width : 2 * width] = 3.0
    return encoder


def transformer(width, length, rotary=False):
    return TransformerEncoder(width, layers=1, heads=4, hidden_size=2 * width, rotary=rotary)


ENCODERS = {
    "mean": lambda width, length: None,
    "RNN, small start": small_recurrent,
    "RNN": lambda width, length: RecurrentEncoder(width, hidden_size=width),
    "GRU": lambda width, length: GRUEncoder(width, hidden_size=width),
    "GRU, update bias 3": keeping_gru,
    "LSTM, forget bias 1": lambda width, length: LSTMEncoder(width, hidden_size=width),
    "LSTM, forget bias 3": lambda width, length: LSTMEncoder(width, hidden_size=width, forget_bias=3.0),
    "Transformer, no positions": transformer,
    "Transformer, learned": lambda width, length: nn.Sequential(
        LearnedPositions(width, length=length), transformer(width, length)
    ),
    "Transformer, rotary": lambda width, length: transformer(width, length, rotary=True),
}


class Reader(nn.Module):
    """Front, encoder, and a linear head on the last step present; without an encoder, on the mean of the steps."""

    def __init__(self, front, encoder, width, classes):
        super().__init__()
        self.front, self.encoder, self.head = front, encoder, nn.Linear(width, classes)

    def forward(self, x, mask=None):
        return self.read(self.front(x), mask)

    def read(self, steps, mask=None):
        if mask is None:
            mask = torch.ones(steps.shape[:2], dtype=torch.bool)
            encoded = steps if self.encoder is None else self.encoder(steps)
        else:
            encoded = steps if self.encoder is None else self.encoder(steps, mask)
        encoded = encoded[0] if isinstance(encoded, tuple) else encoded
        count = mask.sum(dim=1)
        if self.encoder is None:
            return self.head(torch.where(mask[..., None], encoded, 0.0).sum(dim=1) / count[:, None])
        return self.head(encoded[torch.arange(len(encoded)), count - 1])


# --------------------------------------------------------------------------------------------------------- recall


def questions(rng, count, distance, symbols):
    """(count, distance + 1) symbols, the last a question mark, and the first of each row, which is the answer."""
    ids = rng.integers(symbols, size=(count, distance + 1))
    ids[:, -1] = symbols
    return torch.tensor(ids), torch.tensor(ids[:, 0])


def recall(point, config):
    width, symbols, distance, training = config["width"], config["symbols"], point["distance"], config["recall"]
    rng = np.random.default_rng([point["seed"], distance])
    seed_everything(point["seed"])
    encoder = ENCODERS[point["encoder"]](width, distance + 1)
    model = Reader(Embedding(symbols + 1, out_dim=width), encoder, width, symbols)
    result = {"reach": reach(model, *questions(rng, training["batch_size"], distance, symbols))}
    optimizer = torch.optim.Adam(model.parameters(), lr=training["learning_rate"])
    for _ in range(config["longer"]["steps"] if point["sweep"] == "longer" else training["steps"]):
        ids, answers = questions(rng, training["batch_size"], distance, symbols)
        step(model, optimizer, cross_entropy(model(ids), answers), training["clip"])
    ids, answers = questions(np.random.default_rng(distance), training["test"], distance, symbols)
    with torch.no_grad():
        return result | {"accuracy": accuracy(model(ids).numpy(), answers.numpy())}


def reach(model, ids, answers):
    """Gradient of the loss by the first step over that by the last, before training: root mean squares."""
    steps = model.front(ids).detach().requires_grad_()
    cross_entropy(model.read(steps), answers).backward()
    model.zero_grad()
    norms = steps.grad.double().square().sum(dim=(0, 2)).sqrt()
    return (norms[0] / norms[-1]).item()


def step(model, optimizer, loss, clip):
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()


# --------------------------------------------------------------------------------------------------------- digits


def sounds(part, config):
    """Frames (n, time, bands) with zeros after their end, where there is sound (n, time), and what is said."""
    recordings, sound = spoken_digits(part, language="english"), config["sound"]
    waveforms, _ = recordings.padded()
    frames = log_mel(waveforms, sample_rate=recordings.sample_rate, **sound)
    counts = log_mel_frames(recordings.lengths, n_fft=sound["n_fft"], hop_length=sound["hop_length"])
    return frames, np.arange(frames.shape[1]) < counts[:, None], recordings.labels


def prepared(part, middle, spread, rng):
    """Tensors of standardised frames, of their mask and of labels; rng: frames are shuffled in time, None: they stay"""
    frames, mask, labels = part
    frames = np.where(mask[..., None], (frames - middle) / spread, 0)
    if rng is not None:
        for row, count in zip(frames, mask.sum(axis=1), strict=True):
            row[:count] = row[rng.permutation(count)]
    return torch.tensor(frames, dtype=torch.float32), torch.tensor(mask), torch.tensor(labels)


def digits(point, config):
    training, width, seed = config["digits"], config["digit_width"], point["seed"]
    train, test = sounds("train", config), sounds("test", config)
    heard = train[0][train[1]]  # statistics of the training part alone
    middle, spread = heard.mean(axis=0), heard.std(axis=0)
    rng = np.random.default_rng(seed)
    shuffle = rng if point["frames"] == "shuffled" else None
    frames, mask, labels = prepared(train, middle, spread, shuffle)
    seed_everything(seed)
    front = nn.Sequential(nn.Linear(config["sound"]["n_mels"], width), nn.ReLU())
    model = Reader(front, ENCODERS[point["encoder"]](width, frames.shape[1]), width, 10)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=training["learning_rate"], weight_decay=training["weight_decay"]
    )
    for _ in range(training["epochs"]):
        for rows in torch.tensor(rng.permutation(len(labels))).split(training["batch_size"]):
            step(model, optimizer, cross_entropy(model(frames[rows], mask[rows]), labels[rows]), training["clip"])
    scores = {}
    with torch.no_grad():
        scores["train_accuracy"] = accuracy(model(frames, mask).numpy(), labels.numpy())
        frames, mask, labels = prepared(test, middle, spread, shuffle)
        scores["accuracy"] = accuracy(model(frames, mask).numpy(), labels.numpy())
    return scores

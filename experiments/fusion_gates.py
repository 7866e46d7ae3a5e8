"""When does a gate follow the cleaner modality, and what does a gate for each feature or a modulation add?

reliability: two witnesses of one yes or no, each with a noise of its own in each example; the features of the gate's
    score are the witnesses ("hidden"), their noise lies on one side ("one-sided"), or each tells its noise ("told")
features: two questions, a block of numbers of each witness for each; the noise is drawn for a witness or for a block;
    between softmax gate and bimodal unit stand two gates, so that one thing changes at a time
digits: handwritten digits with loud noise of another size in each picture, beside mistyped words
questions: "is it red?", "is it a circle?" of a picture with one object
"""

from itertools import pairwise

import numpy as np
import torch
from scipy.stats import norm

from mmcourse.data import PairedData, digits_with_words, root_mean_square_norms, scenes
from mmcourse.fusion.torch import FiLM, FusionClassifier, GatedFusion, GatedMultimodalUnit, WeightedSumFusion
from mmcourse.fusion.torch.base import ProjectedFusion, mix, softmax_over_present
from mmcourse.training import accuracy, fit, predict, seed_everything

CONFIG = {
    "seeds": 5,
    "examples": 4_000,
    "noise": [0.5, 8.0],
    "bands": [-3.0, -1.5, -0.5, 0.5, 1.5, 3.0],
    "block_noise": [0.3, 6.0],
    "separation": 2.0,
    "digit_noise": [0.05, 4.0],
    "digit_bands": [0.05, 0.2, 0.6, 1.5, 4.0],
    "typo_rate": 0.7,
    "training": {"epochs": 40, "batch_size": 64, "learning_rate": 5e-3, "weight_decay": 1e-2},
    "digit_training": {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
    "question_training": {"epochs": 25, "batch_size": 64, "learning_rate": 5e-3, "weight_decay": 0.0},
    "pictures": [3_000, 1_500],
    "channels": 16,
}
WITNESSES = ("image", "speech")
BLOCK = 4  # numbers for each question
WIDTH = 8
COLOURS, SHAPES = 6, 4
QUESTIONS = COLOURS + SHAPES
SIZE = 16


class BoundedSum(WeightedSumFusion):
    """Equal weights, vectors bounded:  F = sum_m tanh(x_m P_m) / M."""

    def hidden(self, inputs):
        return torch.tanh(super().hidden(inputs))


class BoundedGate(GatedFusion):
    """The gate and its score as they are, vectors bounded:  F = sum_m a_m tanh(h_m)."""

    def forward(self, features, mask=None):
        inputs, present = self.prepare(features, mask)
        hidden = self.hidden(inputs)
        return mix(self._gate(hidden, present), torch.tanh(hidden))


class BoundedGateThatSeesAll(ProjectedFusion):
    """One weight for each modality, from all features:  F = sum_m a_m tanh(h_m), a = softmax([x_1, ..., x_M] G + c)."""

    def __init__(self, dims, *, out_dim):
        super().__init__(dims, out_dim=out_dim)
        self.kernel = torch.nn.Parameter(torch.empty(sum(self.dims.values()), len(self.dims)))
        self.bias = torch.nn.Parameter(torch.empty(len(self.dims)))

    def reset_parameters(self):
        super().reset_parameters()
        torch.nn.init.xavier_uniform_(self.kernel)
        torch.nn.init.zeros_(self.bias)

    def forward(self, features, mask=None):
        inputs, present = self.prepare(features, mask)
        weights = softmax_over_present(torch.cat(inputs, dim=1) @ self.kernel + self.bias, present)
        return mix(weights, torch.tanh(self.hidden(inputs)))


FUSIONS = {
    "fixed weights": lambda dims, width: WeightedSumFusion(dims, out_dim=width, learned=False),
    "softmax weights": lambda dims, width: WeightedSumFusion(dims, out_dim=width, softmax=True),
    "linear score": lambda dims, width: GatedFusion(dims, out_dim=width, hidden_size=None),
    "gate": lambda dims, width: GatedFusion(dims, out_dim=width, hidden_size=16),
    "unit": lambda dims, width: GatedMultimodalUnit(dims, out_dim=width),
    "bimodal unit": lambda dims, width: GatedMultimodalUnit(dims, out_dim=width, softmax=True),
    "bounded sum": lambda dims, width: BoundedSum(dims, out_dim=width, learned=False),
    "bounded gate": lambda dims, width: BoundedGate(dims, out_dim=width, hidden_size=None),
    "bounded gate that sees all": lambda dims, width: BoundedGateThatSeesAll(dims, out_dim=width),
}
CONTROLS = ("bounded sum", "bounded gate", "bounded gate that sees all")  # between linear score and bimodal unit
READERS = ("question alone", "picture alone", "joined", "joined, hidden layer", "FiLM")


def points(config):
    seeds = range(config["seeds"])
    reliability = [
        {"sweep": "reliability", "noise": noise, "fusion": fusion, "seed": seed}
        for noise, fusions in (
            ("hidden", ("fixed weights", "softmax weights", "linear score", "gate", "unit")),
            ("one-sided", ("fixed weights", "linear score")),
            ("told", ("fixed weights", "linear score")),
        )
        for fusion in fusions
        for seed in seeds
    ]
    features = [
        {"sweep": "features", "noise": noise, "fusion": fusion, "seed": seed}
        for noise in ("by witness", "by block")
        for fusion in ("fixed weights", "linear score", "unit", "bimodal unit", *CONTROLS)
        for seed in seeds
    ]
    digits = [
        {"sweep": "digits", "fusion": fusion, "seed": seed}
        for fusion in ("image alone", "text alone", "fixed weights", "softmax weights", "linear score", "gate")
        for seed in seeds
    ]
    questions = [{"sweep": "questions", "reader": reader, "seed": seed} for reader in READERS for seed in range(3)]
    return reliability + features + digits + questions


def run(point, config):
    return SWEEPS[point["sweep"]](point, config)


def log_uniform(rng, bounds, shape):
    return np.exp(rng.uniform(*np.log(bounds), size=shape))


def unit_vector(*key):
    vector = np.random.default_rng(key).normal(size=WIDTH)
    return vector / np.linalg.norm(vector)


def witnesses(noise, seed, config):
    """Yes or no, heard by two witnesses; {witness: noise level} and what the best rule reaches."""
    rng = np.random.default_rng(seed)
    n, separation = config["examples"], config["separation"]
    labels = rng.integers(2, size=n)
    levels = {m: log_uniform(rng, config["noise"], n) for m in WITNESSES}
    features = {}
    for i, m in enumerate(WITNESSES):
        hiss = rng.normal(size=(n, WIDTH))
        hiss = np.abs(hiss) if noise == "one-sided" else hiss
        x = separation * np.outer(2 * labels - 1, unit_vector(7, i)) + levels[m][:, None] * hiss
        features[m] = np.column_stack([x, np.log(levels[m])]) if noise == "told" else x
    ceiling = norm.cdf(np.sqrt(sum((separation / levels[m]) ** 2 for m in WITNESSES))).mean()
    return PairedData(features, labels, ("no", "yes")), levels, ceiling


def reliability(point, config):
    train, _, _ = witnesses(point["noise"], point["seed"], config)
    test, levels, ceiling = witnesses(point["noise"], 1_000 + point["seed"], config)
    model = trained(FUSIONS[point["fusion"]](train.widths, WIDTH), train, point, config["training"])
    result = {"accuracy": accuracy(predict(model, test), test.labels)}
    if point["noise"] != "one-sided":  # whose best rule is another one
        result["ceiling"] = float(ceiling)
    cleaner = np.log(levels["speech"] / levels["image"])
    return result | weights_by_band(model, test, cleaner, config["bands"])


def weights_by_band(model, data, values, bands):
    """Of a gate over modalities: median weight and mean log ratio of the weights, band by band."""
    if not isinstance(model.fusion, GatedFusion):
        return {}
    inputs = {m: torch.tensor(rows, dtype=torch.float32) for m, rows in data.features.items()}
    with torch.no_grad():
        gate = model.fusion.gate(inputs).double().numpy()
    ratio = np.log(gate[:, 0]) - np.log(gate[:, 1])
    result = {}
    for band, (low, high) in enumerate(pairwise(bands)):
        inside = (values >= low) & (values < high)
        result[f"median_{band}"] = float(np.median(gate[inside, 0]))
        result[f"log_ratio_{band}"] = float(ratio[inside].mean())
    return result


def blocks(noise, seed, config):
    """Two yes-or-no questions, a block of each witness's numbers for each, and how loud each block is."""
    rng = np.random.default_rng(seed)
    n, separation = config["examples"], config["separation"]
    bits = rng.integers(2, size=(n, 2))
    features, squares = {}, 0
    for i, m in enumerate(WITNESSES):
        levels = log_uniform(rng, config["block_noise"], (n, 2))
        if noise == "by witness":
            levels[:, 1] = levels[:, 0]
        parts = [np.log(levels)]
        for block in range(2):
            direction = unit_vector(7, i, block)[:BLOCK]
            direction *= separation / np.linalg.norm(direction)
            hiss = levels[:, [block]] * rng.normal(size=(n, BLOCK))
            parts.append(np.outer(2 * bits[:, block] - 1, direction) + hiss)
        features[m] = np.column_stack(parts)
        squares = squares + (separation / levels) ** 2
    ceiling = norm.cdf(np.sqrt(squares)).prod(axis=1).mean()
    return PairedData(features, 2 * bits[:, 0] + bits[:, 1], ("no no", "no yes", "yes no", "yes yes")), ceiling


def features(point, config):
    train, _ = blocks(point["noise"], point["seed"], config)
    test, ceiling = blocks(point["noise"], 1_000 + point["seed"], config)
    model = trained(FUSIONS[point["fusion"]](train.widths, 2 * WIDTH), train, point, config["training"])
    return {"accuracy": accuracy(predict(model, test), test.labels), "ceiling": float(ceiling)}


def dark_digits(part, seed, config):
    """Digits with noise of another size in each picture, not cut off, beside mistyped words."""
    data = digits_with_words(part, typo_rate=config["typo_rate"], seed=seed)
    rng = np.random.default_rng([seed, part == "train"])
    levels = log_uniform(rng, config["digit_noise"], len(data))
    pixels = data.features["image"] - data.features["image"].mean()
    image = pixels + levels[:, None] * rng.normal(size=pixels.shape)
    return PairedData({"image": image, "text": data.features["text"]}, data.labels, data.classes), levels


def digits(point, config):
    (train, _), (test, levels) = (dark_digits(part, point["seed"], config) for part in ("train", "test"))
    norms = root_mean_square_norms(train)
    train, test = (part.scaled({"image": norms["text"] / norms["image"]}) for part in (train, test))
    kind = point["fusion"]
    if kind.endswith("alone"):
        train, test, kind = train.only(kind.split()[0]), test.only(kind.split()[0]), "fixed weights"
    model = trained(FUSIONS[kind](train.widths, 32), train, point, config["digit_training"])
    logits = predict(model, test)
    result = {"accuracy": accuracy(logits, test.labels)}
    bands = config["digit_bands"]
    for band, (low, high) in enumerate(pairwise(bands)):
        inside = (levels >= low) & (levels < high)
        result[f"accuracy_{band}"] = accuracy(logits[inside], test.labels[inside])
    return result | weights_by_band(model, test, levels, bands)


def asked(n, seed):
    """Pictures of one object, each with a question, a colour or a shape, and yes or no, equally often."""
    world = scenes(n, seed=seed, objects=(1, 1), moving=0)
    rng = np.random.default_rng(seed)
    labels, about_colour = rng.integers(2, size=n), rng.integers(2, size=n) == 1
    truth = np.where(about_colour, world.colour[:, 0], world.shape[:, 0])
    count = np.where(about_colour, COLOURS, SHAPES)
    other = (truth + 1 + rng.integers(count - 1)) % count  # any but the true one
    place = np.where(labels == 1, truth, other) + np.where(about_colour, 0, COLOURS)
    pictures = world.images(SIZE).reshape(n, -1) - 0.5
    return PairedData({"picture": pictures, "question": np.eye(QUESTIONS)[place]}, labels, ("no", "yes"))


class Reader(torch.nn.Module):
    """Two convolutions read a picture, the question comes in as the kind says, a linear head answers."""

    def __init__(self, kind, channels, hidden=32):
        super().__init__()
        self.kind = kind
        self.first = torch.nn.Conv2d(3, channels, 3, padding=1)
        self.second = torch.nn.Conv2d(channels, channels, 3, padding=1)
        width = {"question alone": QUESTIONS, "picture alone": channels}.get(kind, channels + QUESTIONS)
        if kind == "FiLM":
            self.film = FiLM(channels, condition_dim=QUESTIONS)
            self.mix = torch.nn.Linear(channels, hidden)
        elif kind == "joined, hidden layer":
            self.mix = torch.nn.Linear(width, hidden)
        self.head = torch.nn.Linear(hidden if kind in ("FiLM", "joined, hidden layer") else width, 2)

    def forward(self, features, mask=None):
        question = features["question"]
        if self.kind == "question alone":
            return self.head(question)
        maps = torch.relu(self.first(features["picture"].reshape(-1, 3, SIZE, SIZE)))
        maps = self.second(torch.nn.functional.max_pool2d(maps, 2))
        if self.kind == "FiLM":
            maps = self.film(maps, question)
        read = torch.relu(maps).amax(dim=(2, 3))
        if self.kind.startswith("joined"):
            read = torch.cat([read, question], dim=1)
        if self.kind in ("FiLM", "joined, hidden layer"):
            read = torch.relu(self.mix(read))
        return self.head(read)


def questions(point, config):
    train, test = (asked(n, 2 * point["seed"] + i) for i, n in enumerate(config["pictures"]))
    seed_everything(point["seed"])
    model = Reader(point["reader"], config["channels"])
    fit(model, train, seed=point["seed"], progress=False, **config["question_training"])
    return {"accuracy": accuracy(predict(model, test), test.labels)}


def trained(fusion, data, point, training):
    """Fusion and linear head, trained; both start from the seed of the point."""
    seed_everything(point["seed"])
    fusion.reset_parameters()
    model = FusionClassifier(fusion, classes=len(data.classes))
    fit(model, data, seed=point["seed"], progress=False, **training)
    return model


SWEEPS = {"reliability": reliability, "features": features, "digits": digits, "questions": questions}

"""How much must a vision Transformer see before it catches up with a convolutional network?

Letters, plain and with marks, drawn in four fonts on an empty canvas; the class is the letter under the marks. The
characters of the test part are never trained on. All networks take the same number of steps.
rates: learning rates, tried on characters that are neither in training nor in the test
sizes: letters anywhere on the canvas, from few training pictures to many
middle: trained on letters in the middle, asked about letters in the middle and about letters anywhere
patience: the Transformer with the most pictures and four times the steps
"""

import numpy as np
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from mmcourse.data import PairedData, glyphs, letter_and_marks
from mmcourse.encoders.torch import ResNet, VisionTransformer
from mmcourse.training import accuracy, fit, predict, seed_everything

CONFIG = {
    "letters": "ACDEGHIKLNORSTUWYZ",
    "styles": ["sans", "bold", "serif", "mono"],
    "glyph": {"size": 16, "font_size": 12},
    "canvas": 20,
    "parts": {"train": 0.6, "choice": 0.1, "test": 0.3},
    "pictures": [200, 1000, 5000, 25000],
    "asked": 2000,
    "seeds": 3,
    "steps": 800,
    "patient_steps": 3200,
    "batch_size": 64,
    "weight_decay": 0.01,
    "rates": [0.001, 0.003],
    "rate": {"CNN": 0.003, "ViT": 0.003},
    "ridge": 10.0,
    "CNN": {"channels": 1, "widths": [8, 16, 32], "depths": [1, 1, 1], "small_pictures": True},
    "ViT": {"channels": 1, "size": 20, "patch_size": 4, "dim": 24, "layers": 3, "heads": 3},
}
KINDS = {"CNN": ResNet, "ViT": VisionTransformer}
BASELINES = {"linear": lambda config: RidgeClassifier(config["ridge"]), "nearest": lambda _: KNeighborsClassifier(1)}


def points(config):
    rates = [
        {"sweep": "rates", "model": model, "pictures": 5000, "rate": rate, "seed": 0}
        for model in KINDS
        for rate in config["rates"]
    ]
    seeds = [{"model": model, "seed": seed} for model in (*KINDS, *BASELINES) for seed in range(config["seeds"])]
    sizes = [{"sweep": "sizes", "pictures": pictures} | seed for pictures in config["pictures"] for seed in seeds]
    middle = [{"sweep": "middle", "pictures": 1000} | seed for seed in seeds]
    patience = {"sweep": "patience", "pictures": config["pictures"][-1], "model": "ViT", "seed": 0}
    return [*rates, *sizes, *middle, patience]


def characters(config):
    """Pictures of all letters of the list, small and capital; of each its class and its part."""
    everything = glyphs(tuple(config["styles"]), **config["glyph"])
    base = [letter_and_marks(name)[0] for name in everything.names]
    cases = ("LATIN SMALL LETTER ", "LATIN CAPITAL LETTER ")
    label = {case + letter: k for k, letter in enumerate(config["letters"]) for case in cases}
    chosen = everything.take([row for row, name in enumerate(base) if name in label])
    labels = np.array([label[letter_and_marks(name)[0]] for name in chosen.names])
    groups, group = np.unique(chosen.group, return_inverse=True)  # a group is never divided
    names, shares = list(config["parts"]), list(config["parts"].values())
    part = np.random.default_rng(0).choice(names, size=len(groups), p=shares)[group]
    return chosen.images, labels, part


def draw(images, labels, count, middle, canvas, rng):
    """Letters drawn with replacement, each put on an empty canvas: (count, 1, canvas, canvas)."""
    side, room = images.shape[1], canvas - images.shape[1]
    rows = rng.integers(len(images), size=count)
    corners = rng.integers(room + 1, size=(count, 2))
    if middle:
        corners[:] = room // 2
    pictures = np.zeros((count, 1, canvas, canvas), np.float32)
    for picture, row, (top, left) in zip(pictures, rows, corners, strict=True):
        picture[0, top : top + side, left : left + side] = images[row]
    return pictures, labels[rows]


class Reader(torch.nn.Module):
    """An encoder of pictures as fit and predict call a model."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, features, mask=None):
        return self.encoder(features["image"])


def run(point, config):
    images, labels, part = characters(config)
    in_middle, asked_part = point["sweep"] == "middle", "choice" if point["sweep"] == "rates" else "test"

    def data(name, count, middle):
        rng = np.random.default_rng([point["seed"], list(config["parts"]).index(name)])
        of_part = part == name
        pictures, classes = draw(images[of_part], labels[of_part], count, middle, config["canvas"], rng)
        return PairedData({"image": pictures}, classes, tuple(config["letters"]))

    train = data("train", point["pictures"], in_middle)
    asked = {"accuracy": data(asked_part, config["asked"], in_middle)}
    if in_middle:
        asked["moved_accuracy"] = data(asked_part, config["asked"], False)
    kind = point["model"]
    if kind in BASELINES:
        model = BASELINES[kind](config).fit(flat(train), train.labels)
        return {key: float((model.predict(flat(x)) == x.labels).mean()) for key, x in asked.items()}
    seed_everything(point["seed"])
    model = Reader(KINDS[kind](out_dim=len(train.classes), check_values=False, **config[kind]))
    steps = config["patient_steps"] if point["sweep"] == "patience" else config["steps"]
    fit(
        model,
        train,
        epochs=round(steps / -(-len(train) // config["batch_size"])),
        batch_size=config["batch_size"],
        learning_rate=point.get("rate", config["rate"][kind]),
        weight_decay=config["weight_decay"],
        seed=point["seed"],
        device="cpu",
        progress=False,
    )
    known = train.take(slice(config["asked"]))
    return {
        **{key: accuracy(predict(model, x), x.labels) for key, x in asked.items()},
        "train_accuracy": accuracy(predict(model, known), known.labels),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def flat(data):
    return data.features["image"].reshape(len(data), -1)

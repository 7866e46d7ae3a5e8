"""What do products learn that sums cannot, how many ranks does that need, and what does a product cost?

digits: a handwritten digit and the mistyped word of another; the label is the last digit of their sum. The same two
    encoders before every fusion; concatenation also with a hidden layer after it.
ranks: the same with low-rank fusion of growing rank
cost: seconds of forward and backward, against the number of modalities
"""

import time
from statistics import median

import numpy as np
import torch

from mmcourse.data import PairedData, digits_with_words
from mmcourse.fusion.torch import (
    BilinearFusion,
    ConcatenationFusion,
    LowRankFusion,
    MultiplicativeFusion,
    TensorFusion,
)
from mmcourse.training import accuracy, fit, predict, seed_everything

CONFIG = {
    "seeds": 5,
    "pairs": 3000,
    "test_pairs": 2000,
    "pixel_noise": 0.1,
    "typo_rate": 0.3,
    "encoded": 24,
    "hidden_size": 64,
    "ranks": [1, 2, 3, 4, 8, 16],
    "training": {"epochs": 30, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
    "cost": {"width": 12, "out_dim": 32, "batch": 32, "rank": 8, "modalities": [1, 2, 3, 4, 5], "repeats": 15},
}


def last_digit_of_the_sum(part, pairs, config, seed):
    """Pictures and words drawn independently; ten classes. Neither alone says anything about the label."""
    noise = {"typo_rate": config["typo_rate"], "pixel_noise": config["pixel_noise"]}
    digits = digits_with_words(part, seed=seed, **noise)
    rng = np.random.default_rng([seed, part == "train"])
    pictures, words = rng.integers(len(digits), size=(2, pairs))
    features = {"image": digits.features["image"][pictures], "text": digits.features["text"][words]}
    labels = (digits.labels[pictures] + digits.labels[words]) % 10
    return PairedData(features, labels, tuple("0123456789"))


class HiddenLayer(torch.nn.Module):
    """A concatenation, a ReLU, a linear layer."""

    def __init__(self, dims, hidden_size, out_dim):
        super().__init__()
        self.join = ConcatenationFusion(dims, out_dim=hidden_size)
        self.head = torch.nn.Linear(hidden_size, out_dim)

    def forward(self, features, mask=None):
        return self.head(torch.relu(self.join(features, mask)))


class Encoded(torch.nn.Module):
    """A linear layer and a ReLU for each modality, then a fusion whose output are the logits."""

    def __init__(self, dims, width, fusion):
        super().__init__()
        self.encoders = torch.nn.ModuleDict({m: torch.nn.Linear(dim, width) for m, dim in dims.items()})
        self.fusion = fusion(dict.fromkeys(dims, width))

    def forward(self, features, mask=None):
        return self.fusion({m: torch.relu(self.encoders[m](x)) for m, x in features.items()})


def fusion_of(name, config, rank=None):
    """A function from widths to the fusion; ten outputs, the logits."""
    hidden = config["hidden_size"]
    return {
        "concatenation": lambda dims: ConcatenationFusion(dims, out_dim=10),
        "concatenation, hidden layer": lambda dims: HiddenLayer(dims, hidden, 10),
        "bilinear": lambda dims: BilinearFusion(dims, out_dim=10),
        "multiplicative": lambda dims: MultiplicativeFusion(dims, out_dim=10),
        "tensor": lambda dims: TensorFusion(dims, out_dim=10),
        "low rank": lambda dims: LowRankFusion(dims, out_dim=10, rank=rank),
    }[name]


FULL = ("concatenation", "concatenation, hidden layer", "bilinear", "multiplicative", "tensor")
FORMS = ("outer product made", "contracted", "low rank")


def points(config):
    seeds = range(config["seeds"])
    digits = [{"sweep": "digits", "fusion": name, "seed": seed} for name in FULL for seed in seeds]
    ranks = [
        {"sweep": "ranks", "fusion": "low rank", "rank": rank, "seed": seed}
        for rank in config["ranks"]
        for seed in seeds
    ]
    cost = [
        {"sweep": "cost", "form": form, "modalities": modalities}
        for form in FORMS
        for modalities in config["cost"]["modalities"]
    ]
    return digits + ranks + cost


def run(point, config):
    return run_cost(point, config["cost"]) if point["sweep"] == "cost" else run_digits(point, config)


def run_digits(point, config):
    seed = point["seed"]
    train, test = (
        last_digit_of_the_sum(part, config[pairs], config, seed)
        for part, pairs in (("train", "pairs"), ("test", "test_pairs"))
    )
    seed_everything(seed)
    model = Encoded(train.widths, config["encoded"], fusion_of(point["fusion"], config, point.get("rank")))
    fit(model, train, seed=seed, progress=False, **config["training"])
    return {
        "accuracy": accuracy(predict(model, test), test.labels),
        "train_accuracy": accuracy(predict(model, train), train.labels),
        "parameters": sum(p.numel() for p in model.fusion.parameters()),
    }


def run_cost(point, config):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dims = {f"m{number}": config["width"] for number in range(point["modalities"])}
    features = {m: torch.randn(config["batch"], dim).requires_grad_() for m, dim in dims.items()}
    if point["form"] == "low rank":
        module = LowRankFusion(dims, out_dim=config["out_dim"], rank=config["rank"])
    else:
        module = TensorFusion(dims, out_dim=config["out_dim"])

    def step():
        if point["form"] == "outer product made":
            output = module.outer_product(features).flatten(1) @ module.kernel.flatten(0, -2)
        else:
            output = module(features)
        output.sum().backward()

    step()
    seconds = []
    for _ in range(config["repeats"]):
        start = time.process_time()
        step()
        seconds.append(time.process_time() - start)
    return {"milliseconds": 1000 * median(seconds)}

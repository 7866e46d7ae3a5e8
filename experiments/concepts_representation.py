"""What do two modalities tell alone and together, in four worlds whose best possible answers are known?

Each point draws its own pairs and trains its own models: on both modalities, on each alone, and the additive projection
of the first. Sweep "worlds": the four kinds of controlled pairs. Sweep "useless": the second modality tells nothing,
there are few pairs to learn from, and the second modality is narrow or wide.
"""

import torch

from mmcourse.data import controlled_pairs
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier
from mmcourse.training import baselines

CONFIG = {
    "seeds": 10,
    "test_pairs": 2000,
    "image_width": 8,
    "hidden_size": 32,
    "separation": {
        "redundant": {"image": 1.0, "text": 1.0},
        "unique": {"image": 1.5, "text": 1.5},
        "shared_noise": {"image": 2.0, "text": 3.0},
        "synergistic": {"image": 3.0, "text": 3.0},
    },
    "useless": {"pairs": 100, "text_widths": [8, 64]},
    "training": {"epochs": 30, "batch_size": 64, "learning_rate": 5e-3, "weight_decay": 1e-2},
}


class BentConcatenation(ConcatenationFusion):
    def forward(self, features, mask=None):
        return torch.relu(super().forward(features, mask))


def points(config):
    seeds = range(config["seeds"])
    worlds = [
        {"sweep": "worlds", "kind": kind, "pairs": 1000, "text_width": 8, "seed": seed}
        for kind in config["separation"]
        for seed in seeds
    ]
    useless = [
        {"sweep": "useless", "kind": "unique", "pairs": config["useless"]["pairs"], "text_width": width, "seed": seed}
        for width in config["useless"]["text_widths"]
        for seed in seeds
    ]
    return worlds + useless


def run(point, config):
    pairs = controlled_pairs(
        point["kind"],
        point["pairs"] + config["test_pairs"],
        separation=config["separation"][point["kind"]],
        widths={"image": config["image_width"], "text": point["text_width"]},
        seed=point["seed"],
    )

    def build(widths):
        return FusionClassifier(BentConcatenation(widths, out_dim=config["hidden_size"]), classes=2)

    train, test = pairs.take(slice(point["pairs"])), pairs.take(slice(point["pairs"], None))
    table = baselines(build, train, test, seed=point["seed"], progress=False, **config["training"])
    return {
        "both": table.accuracy("fused"),
        "image": table.accuracy("image alone"),
        "text": table.accuracy("text alone"),
        "additive": table.accuracy("additive"),
    }

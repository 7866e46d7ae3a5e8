"""Which fusion wins, over the share of synergistic examples, the noise and the number of examples?

Controlled pairs of two kinds: synergistic in a share `synergy` of the examples, redundant in the others. At each point
every fusion is trained on the same examples, several seeds at once, and keeps for each seed the step with the lowest
cross-entropy on a thousand further examples. Late fusion trains each classifier by itself.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from mmcourse.data import controlled_pairs
from mmcourse.fusion.torch import EarlyFusion, HybridFusion, LateFusion, MultiplicativeFusion
from mmcourse.training import accuracy, fit_stacked, predict, seed_everything

CONFIG = {
    "synergies": [0.0, 0.05, 0.1, 0.2, 0.4, 1.0],
    "noises": [0.5, 0.75, 1.0, 1.5, 2.0],
    "sizes": [100, 400, 1600],
    "seeds": 6,
    "check_size": 1000,
    "test_size": 4000,
    "widths": {"image": 5, "text": 5},
    "hidden_size": 16,
    "training": {"steps": 250, "check_every": 5, "learning_rate": 0.02},
}
FUSIONS = ("early", "late", "hybrid", "products")


class Products(nn.Module):
    """Products of what one layer a modality makes of the inputs:  z = MultiplicativeFusion(tanh(x_m W_m + b_m))."""

    def __init__(self, dims, hidden_size):
        super().__init__()
        self.encoders = nn.ModuleDict({name: nn.Linear(width, hidden_size) for name, width in dims.items()})
        self.fusion = MultiplicativeFusion(dict.fromkeys(dims, hidden_size), out_dim=2, check_values=False)

    def forward(self, features, mask=None):
        return self.fusion({name: torch.tanh(layer(features[name])) for name, layer in self.encoders.items()})


def build(fusion, config):
    """A fresh model; the products are half as wide, since their number grows with the square."""
    dims, hidden = config["widths"], config["hidden_size"]
    if fusion == "products":
        return Products(dims, hidden // 2)
    kind = {"early": EarlyFusion, "late": LateFusion, "hybrid": HybridFusion}[fusion]
    return kind(dims, hidden_size=hidden, out_dim=2, check_values=False)


def apart(fusion, features, labels):
    """The loss of classifiers that learn each by itself."""
    said = fusion.decisions(features)  # (n, modalities, classes)
    return sum(cross_entropy(said[:, i], labels) for i in range(said.shape[1]))


def points(config):
    return [
        {"size": size, "noise": noise, "synergy": synergy}
        for size in config["sizes"]
        for noise in config["noises"]
        for synergy in config["synergies"]
    ]


def draw(point, config, seed):
    """Training, checking and test part; a larger size only adds examples to train on."""
    check_end = config["check_size"]
    test_end = check_end + config["test_size"]
    data = controlled_pairs(
        "mixed",
        test_end + point["size"],
        separation=dict.fromkeys(config["widths"], 1 / point["noise"]),
        widths=config["widths"],
        synergy=point["synergy"],
        seed=seed,
    )
    parts = (slice(test_end, None), slice(0, check_end), slice(check_end, test_end))
    return [data.take(part) for part in parts]


def run(point, config):
    """The accuracy of every fusion for every seed, and what is possible."""
    train, check, test = zip(*(draw(point, config, seed) for seed in range(config["seeds"])), strict=True)
    result = {"bayes": test[0].bayes_accuracy, "late_bayes": test[0].late_accuracy}
    for fusion in FUSIONS:
        models = []
        for seed in range(config["seeds"]):
            seed_everything(seed)
            models.append(build(fusion, config))
        fit_stacked(models, train, check, loss=apart if fusion == "late" else None, **config["training"])
        for seed, (model, part) in enumerate(zip(models, test, strict=True)):
            result[f"{fusion}_{seed}"] = accuracy(predict(model, part), part.labels)
    return result

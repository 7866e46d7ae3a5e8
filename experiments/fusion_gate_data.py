"""Does a gate per example catch up with the plain sum when there are more pairs to learn from?

Digits with mistyped words at equal lengths, one draw of the noise; sum and gate start from ten seeds each.
"""

from mmcourse.data import digits_with_words, root_mean_square_norms
from mmcourse.fusion.torch import FusionClassifier, GatedFusion, WeightedSumFusion
from mmcourse.training import accuracy, fit, predict, seed_everything

CONFIG = {
    "seeds": 10,
    "pairs": [150, 300, 600, 1170],
    "noise": {"typo_rate": 0.7, "pixel_noise": 0.2, "seed": 0},
    "width": 32,
    "hidden_size": 16,
    "training": {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
}


def points(config):
    return [
        {"pairs": pairs, "fusion": fusion, "seed": seed}
        for pairs in config["pairs"]
        for fusion in ("sum", "gate")
        for seed in range(config["seeds"])
    ]


def run(point, config):
    train = digits_with_words("train", limit=point["pairs"], **config["noise"])
    test = digits_with_words("test", **config["noise"])
    norms = root_mean_square_norms(train)
    factors = {"image": norms["text"] / norms["image"]}
    seed_everything(point["seed"])
    if point["fusion"] == "sum":
        fusion = WeightedSumFusion(train.widths, out_dim=config["width"], learned=False)
    else:
        fusion = GatedFusion(train.widths, out_dim=config["width"], hidden_size=config["hidden_size"])
    model = FusionClassifier(fusion, classes=len(train.classes))
    fit(model, train.scaled(factors), seed=point["seed"], progress=False, **config["training"])
    return {"accuracy": accuracy(predict(model, test.scaled(factors)), test.labels)}

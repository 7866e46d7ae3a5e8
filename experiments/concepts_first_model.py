"""Which models use both modalities, over seeds; and does one run's interval speak for the next run?

use: a picture of a digit and its mistyped word, one model and its baselines in three settings, and the question
    whether a word names a picture. The seed draws the noise, the start of the model and the order of its examples.
stranger: a third modality without any bearing on the label, the picture of another example. Few training pairs, which
    stay the same; the seed draws the strangers, the start and the order.
"""

import numpy as np

from mmcourse.data import PairedData, digits_with_words
from mmcourse.fusion.torch import EncodedFusion, FusionClassifier
from mmcourse.training import baselines, correct, fit, paired_interval, predict, seed_everything

CONFIG = {
    "seeds": 10,
    "stranger_seeds": 20,
    "stranger_pairs": 100,
    "pixel_noise": 0.2,
    "typo_rate": 0.5,
    "fits": [3, 8],
    "hidden_size": 32,
    "training": {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
}
SETTINGS = ("as they come", "divided again", "careful words", "does it fit")


def points(config):
    use = [
        {"sweep": "use", "setting": setting, "seed": seed} for setting in SETTINGS for seed in range(config["seeds"])
    ]
    return use + [{"sweep": "stranger", "seed": seed} for seed in range(config["stranger_seeds"])]


def pairs(part, config, seed, typo_rate, limit=None):
    return digits_with_words(part, typo_rate=typo_rate, pixel_noise=config["pixel_noise"], seed=seed, limit=limit)


def fits(data, first, second):
    """Does the word name the picture? Each picture of two digits with its own word and with one of the other."""
    i, j = (np.flatnonzero(data.labels == label) for label in (first, second))
    n = min(len(i), len(j))
    i, j = i[:n], j[:n]
    pictures, words = np.concatenate([i, i, j, j]), np.concatenate([i, j, j, i])
    features = {"image": data.features["image"][pictures], "text": data.features["text"][words]}
    return PairedData(features, np.repeat([1, 0, 1, 0], n), ("no", "yes"))


def with_stranger(data, seed):
    """The same pairs with the picture of another example, drawn by seed, as a third modality."""
    others = np.random.default_rng(seed).permutation(len(data))
    return PairedData({**data.features, "stranger": data.features["image"][others]}, data.labels, data.classes)


def run(point, config):
    seed, training = point["seed"], {**config["training"], "progress": False}

    def build(dims, classes=10):
        fusion = EncodedFusion(dims, hidden_size=config["hidden_size"], out_dim=config["hidden_size"])
        return FusionClassifier(fusion, classes=classes)

    if point["sweep"] == "stranger":
        train = pairs("train", config, 0, config["typo_rate"], config["stranger_pairs"])
        test = pairs("test", config, 0, config["typo_rate"])
        right = []
        for train_part, test_part in ((with_stranger(train, seed), with_stranger(test, seed)), (train, test)):
            seed_everything(seed)
            model = build(train_part.widths)
            fit(model, train_part, seed=seed, **training)
            right.append(correct(predict(model, test_part), test.labels))
        gain = paired_interval(*right)
        return {"accuracy": float(right[1].mean()), "gain": gain.difference, "low": gain.low, "high": gain.high}

    typo_rate = 0.0 if point["setting"] == "careful words" else config["typo_rate"]
    train, test = (pairs(part, config, seed, typo_rate) for part in ("train", "test"))
    if point["setting"] == "divided again":
        train, test = (part.scaled({"image": 1 / 255}) for part in (train, test))
    if point["setting"] == "does it fit":
        train, test = (fits(part, *config["fits"]) for part in (train, test))
    table = baselines(lambda dims: build(dims, len(train.classes)), train, test, seed=seed, **training)
    return {name.replace(" ", "_"): score for name, score in table.as_rows()}

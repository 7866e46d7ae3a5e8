"""What does a model lose when modalities are missing, what helps, and what does the help cost?

Handwritten, mistyped and spoken digits with noise, one vector a modality; the test part has other writers and voices.
subsets: accuracy under each of the seven subsets, by what was done about it
rates: modality dropout at other rates
calibration: how sure and how right, under each subset, before and after temperatures fitted on half of the test part
"""

from functools import lru_cache

import numpy as np
import torch
from torch import nn

from mmcourse.data import PairedData, digits_with_speech, root_mean_square_norms, subsets
from mmcourse.encoders.numpy import log_mel_summary
from mmcourse.fusion.torch import EncodedFusion, FusionClassifier, LearnedAbsence, ModalityDropout
from mmcourse.training import (
    accuracy,
    brier_score,
    every_subset,
    expected_calibration_error,
    fill_zeros,
    fit,
    fit_temperature,
    mean_imputer,
    predict,
    probabilities,
    ridge_imputer,
    seed_everything,
)

CONFIG = {
    "seeds": 10,
    "rate_seeds": 5,
    "rates": [0.0, 0.1, 0.3, 0.5, 0.7, 0.9],
    "rate": 0.5,
    "noise": {"typo_rate": 0.7, "pixel_noise": 0.4, "snr": 0},
    "sound": {"n_fft": 256, "hop_length": 128, "n_mels": 16, "parts": 4},
    "hidden_size": 32,
    "out_dim": 64,
    "penalty": 10.0,
    "bins": 10,
    "training": {"epochs": 20, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
}

# What was done about it: how the model was trained, and how missing places are filled where they are.
METHODS = ("mask", "zeros", "means", "ridge", "dropout", "learned absence", "numbers dropped", "each subset", "late")
CALIBRATED = ("mask", "ridge", "dropout")


def points(config):
    seeds = range(config["seeds"])
    methods = [{"sweep": "subsets", "method": method, "seed": seed} for method in METHODS for seed in seeds]
    rates = [
        {"sweep": "rates", "rate": rate, "seed": seed}
        for rate in config["rates"]
        for seed in range(config["rate_seeds"])
    ]
    calibration = [{"sweep": "calibration", "method": method, "seed": seed} for method in CALIBRATED for seed in seeds]
    return methods + rates + calibration


class NumbersDropped(nn.Module):
    """The control: as many numbers of the features dropped, but one by one."""

    def __init__(self, rate):
        super().__init__()
        self.drop = nn.Dropout(rate)

    def forward(self, features, mask=None):
        return {m: self.drop(x) for m, x in features.items()}, mask


class Prepared(nn.Module):
    """model(*before(features, mask))."""

    def __init__(self, before, model):
        super().__init__()
        self.before, self.model = before, model

    def forward(self, features, mask=None):
        return self.model(*self.before(features, mask))


def vectors(part, seed, noise, sound):
    """One vector a modality, the part as it came beside it."""
    digits = digits_with_speech(part, **noise, seed=seed)
    lengths = digits.recordings.lengths
    heard = log_mel_summary(digits.features["audio"], lengths, sample_rate=digits.sample_rate, **sound)
    features = {m: digits.features[m] for m in ("image", "text")} | {"audio": heard}
    return PairedData(features, digits.labels, digits.classes), digits.recordings.identities


@lru_cache
def prepared(seed):
    """Training and test part, every modality with numbers of mean square 1; which recording is behind each test row."""
    parts = {part: vectors(part, seed, CONFIG["noise"], CONFIG["sound"]) for part in ("train", "test")}
    (train, _), (test, recordings) = parts["train"], parts["test"]
    norms = root_mean_square_norms(train)
    factors = {m: width**0.5 / norms[m] for m, width in train.widths.items()}
    return train.scaled(factors), test.scaled(factors), recordings


def trained(train, method, seed, config, rate=None):
    seed_everything(seed)
    fusion = EncodedFusion(train.widths, hidden_size=config["hidden_size"], out_dim=config["out_dim"])
    if method == "learned absence":
        fusion = LearnedAbsence(fusion)
    model = FusionClassifier(fusion, classes=len(train.classes))
    rate = config["rate"] if rate is None else rate
    if method in ("dropout", "learned absence"):
        model = Prepared(ModalityDropout(train.widths, rates=rate), model)
    if method == "numbers dropped":
        model = Prepared(NumbersDropped(rate), model)
    fit(model, train, seed=seed, progress=False, **config["training"])
    return model


def filling(method, train, config):
    fills = {
        "zeros": lambda: fill_zeros,
        "means": lambda: mean_imputer(train),
        "ridge": lambda: ridge_imputer(train, penalty=config["penalty"]),
    }
    return fills[method]() if method in fills else None


def log_probabilities(logits):
    return torch.tensor(logits).log_softmax(dim=1).numpy()


def subset_accuracies(method, train, test, seed, config):
    names = [" + ".join(subset) for subset in subsets(test.features)]
    if method == "each subset":
        found = {}
        for name, subset in zip(names, subsets(test.features), strict=True):
            model = trained(train.only(*subset), method, seed, config)
            found[name] = accuracy(predict(model, test.only(*subset)), test.labels)
        return found
    if method == "late":  # a model a modality; the log-probabilities of those that are there are added
        alone = {
            m: log_probabilities(predict(trained(train.only(m), method, seed, config), test.only(m)))
            for m in test.features
        }
        sums = [sum(alone[m] for m in subset) for subset in subsets(test.features)]
        return {name: accuracy(total, test.labels) for name, total in zip(names, sums, strict=True)}
    table = every_subset(trained(train, method, seed, config), test, fill=filling(method, train, config))
    return {name: float(table.correct(subset).mean()) for name, subset in zip(names, table.logits, strict=True)}


def calibration(method, train, test, recordings, seed, config):
    """Error, score and temperatures on half of the test recordings; the other half is for the temperatures."""
    known = np.random.default_rng(seed).permutation(recordings.max() + 1)
    for_fit = np.isin(recordings, known[: len(known) // 2])
    table = every_subset(trained(train, method, seed, config), test, fill=filling(method, train, config))
    fit_labels, labels = test.labels[for_fit], test.labels[~for_fit]
    complete = fit_temperature(table.at()[for_fit], fit_labels)
    pooled = fit_temperature(
        np.concatenate([z[for_fit] for z in table.logits.values()]), np.tile(fit_labels, len(table.logits))
    )
    result = {"T complete": complete, "T pooled": pooled}
    for subset, logits in table.logits.items():
        name = " + ".join(subset)
        own = fit_temperature(logits[for_fit], fit_labels)
        result[f"T {name}"] = own
        result[f"accuracy {name}"] = accuracy(logits[~for_fit], labels)
        for which, temperature in {"none": 1.0, "complete": complete, "pooled": pooled, "own": own}.items():
            p = probabilities(logits[~for_fit], temperature)
            result[f"error {which} {name}"] = expected_calibration_error(p, labels, bins=config["bins"], equal="mass")
            result[f"brier {which} {name}"] = brier_score(p, labels)
            result[f"sure {which} {name}"] = float(p.max(axis=1).mean())
    return result


def run(point, config):
    seed = point["seed"]
    train, test, recordings = prepared(seed)
    if point["sweep"] == "calibration":
        return calibration(point["method"], train, test, recordings, seed, config)
    if point["sweep"] == "rates":
        table = every_subset(trained(train, "dropout", seed, config, point["rate"]), test)
        right = {" + ".join(subset): float(table.correct(subset).mean()) for subset in table.logits}
        return right | {"mean": float(np.mean(list(right.values())))}
    return subset_accuracies(point["method"], train, test, seed, config)

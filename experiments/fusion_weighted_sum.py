"""Does the loudness of a modality decide what a weighted sum can learn, and do the kinds of sum differ?

Digits with mistyped words; one model: project, fuse, linear head, trained end to end. `loudness` turns the pictures up
and down against the words; `fusions` compares the kinds of fusion at equal loudness and at the loudness of the file.
"""

from mmcourse.data import digits_with_words, root_mean_square_norms
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier, GatedFusion, WeightedSumFusion
from mmcourse.parity import numpy_arguments
from mmcourse.training import accuracy, fit, predict, seed_everything

CONFIG = {
    "seeds": 10,
    "norm_ratios": [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    "file_pixel_scale": 16,  # the pixels of the file run from 0 to 16
    "limit": 300,
    "pixel_noise": 0.2,
    "typo_rate": 0.7,
    "width": 32,
    "training": {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2},
}

FUSIONS = {
    "image alone": lambda dims, width: WeightedSumFusion({"image": dims["image"]}, out_dim=width, learned=False),
    "text alone": lambda dims, width: WeightedSumFusion({"text": dims["text"]}, out_dim=width, learned=False),
    "fixed weights": lambda dims, width: WeightedSumFusion(dims, out_dim=width, learned=False),
    "learned weights": lambda dims, width: WeightedSumFusion(dims, out_dim=width),
    "softmax weights": lambda dims, width: WeightedSumFusion(dims, out_dim=width, softmax=True),
    "gate per example": lambda dims, width: GatedFusion(dims, out_dim=width, hidden_size=16),
    "concatenation": lambda dims, width: ConcatenationFusion(dims, out_dim=width),
}
SUMS = ("fixed weights", "learned weights", "softmax weights")


def points(config):
    seeds = range(config["seeds"])
    loudness = [
        {"sweep": "loudness", "fusion": fusion, "norm_ratio": ratio, "seed": seed}
        for fusion in ("fixed weights", "learned weights")
        for ratio in config["norm_ratios"]
        for seed in seeds
    ]
    fusions = [
        {"sweep": "fusions", "fusion": fusion, "pixels": pixels, "seed": seed}
        for pixels in ("equal norms", "as in the file")
        for fusion in FUSIONS
        for seed in seeds
    ]
    return loudness + fusions


def prepare(point, config):
    """Training and test part with the pictures at the loudness that the point asks for."""
    options = {"typo_rate": config["typo_rate"], "pixel_noise": config["pixel_noise"], "seed": point["seed"]}
    train = digits_with_words("train", limit=config["limit"], **options)
    test = digits_with_words("test", **options)
    if point.get("pixels") == "as in the file":
        factor = config["file_pixel_scale"]
    else:
        norms = root_mean_square_norms(train)
        factor = point.get("norm_ratio", 1) * norms["text"] / norms["image"]
    return train.scaled({"image": factor}), test.scaled({"image": factor})


def run(point, config):
    train, test = prepare(point, config)
    fusion_name = point["fusion"]
    if fusion_name.endswith("alone"):
        modality = fusion_name.split()[0]
        train, test = train.only(modality), test.only(modality)
    seed_everything(point["seed"])
    fusion = FUSIONS[fusion_name](train.widths, config["width"])
    model = FusionClassifier(fusion, classes=len(train.classes))
    fit(model, train, seed=point["seed"], progress=False, **config["training"])
    result = {"accuracy": accuracy(predict(model, test), test.labels)}
    if fusion_name in SUMS:
        weights = numpy_arguments(fusion)["weights"]
        result |= {f"weight_{modality}": float(weight) for modality, weight in weights.items()}
    return result

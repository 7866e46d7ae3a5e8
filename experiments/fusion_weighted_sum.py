"""Does the loudness of a modality decide what a weighted sum can learn, and do the kinds of sum differ?

Digits with mistyped words; one model: project, fuse, linear head, trained end to end.
loudness: pictures k times as long as words, the sum of their squared lengths kept, so that only the ratio changes
patience: the two ends of that sweep with ten times the epochs
fusions: the kinds of fusion and each modality alone, at equal lengths and in the scale of the file
"""

from mmcourse.data import digits_with_words, root_mean_square_norms
from mmcourse.fusion.torch import ConcatenationFusion, FusionClassifier, GatedFusion, WeightedSumFusion
from mmcourse.parity import numpy_arguments
from mmcourse.training import accuracy, fit, predict, seed_everything

CONFIG = {
    "seeds": 10,
    "patient_seeds": 3,
    "patient_epochs": 600,
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
    ends = (config["norm_ratios"][0], config["norm_ratios"][-1])
    patience = [
        {"sweep": "patience", "fusion": "fixed weights", "norm_ratio": ratio, "seed": seed}
        for ratio in ends
        for seed in range(config["patient_seeds"])
    ]
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
    return loudness + patience + fusions


def prepare(point, config):
    """Training and test part, each modality at the loudness that the point asks for."""
    options = {"typo_rate": config["typo_rate"], "pixel_noise": config["pixel_noise"], "seed": point["seed"]}
    train = digits_with_words("train", limit=config["limit"], **options)
    test = digits_with_words("test", **options)
    if point.get("pixels") == "as in the file":
        factors = {"image": config["file_pixel_scale"]}
    else:
        norms, ratio = root_mean_square_norms(train), point.get("norm_ratio", 1)
        # The words' own length at ratio 1, and image^2 + text^2 the same at every ratio.
        text = norms["text"] * (2 / (1 + ratio**2)) ** 0.5
        factors = {"image": ratio * text / norms["image"], "text": text / norms["text"]}
    return train.scaled(factors), test.scaled(factors)


def run(point, config):
    train, test = prepare(point, config)
    fusion_name = point["fusion"]
    if fusion_name.endswith("alone"):
        modality = fusion_name.split()[0]
        train, test = train.only(modality), test.only(modality)
    seed_everything(point["seed"])
    fusion = FUSIONS[fusion_name](train.widths, config["width"])
    model = FusionClassifier(fusion, classes=len(train.classes))
    training = dict(config["training"])
    if point["sweep"] == "patience":
        training["epochs"] = config["patient_epochs"]
    fit(model, train, seed=point["seed"], progress=False, **training)
    result = {
        "accuracy": accuracy(predict(model, test), test.labels),
        "train_accuracy": accuracy(predict(model, train), train.labels),
    }
    if fusion_name in SUMS:
        weights = numpy_arguments(fusion)["weights"]
        result |= {f"weight_{modality}": float(weight) for modality, weight in weights.items()}
    return result

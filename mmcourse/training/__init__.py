"""Training and measuring: seeds, device, fit, metrics and the baselines every multimodal result needs.

PyTorch is imported where it is used, so that metrics and the additive projection work without it.
"""

from mmcourse.training.baselines import BaselineTable, additive, baselines
from mmcourse.training.device import pick_device
from mmcourse.training.fit import History, fit, predict
from mmcourse.training.metrics import Interval, accuracy, correct, paired_interval
from mmcourse.training.seeds import seed_everything

__all__ = [
    "BaselineTable",
    "History",
    "Interval",
    "accuracy",
    "additive",
    "baselines",
    "correct",
    "fit",
    "paired_interval",
    "pick_device",
    "predict",
    "seed_everything",
]

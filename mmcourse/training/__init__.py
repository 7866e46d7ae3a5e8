"""Training and measuring: seeds, device, fit, fit_pairs, metrics and the baselines that results need.

PyTorch is imported where it is used, so that metrics and the additive projection work without it.
"""

from mmcourse.training.baselines import BaselineTable, additive, baselines
from mmcourse.training.captions import caption, fit_captions
from mmcourse.training.contrastive import PairHistory, embed, fit_pairs
from mmcourse.training.device import pick_device
from mmcourse.training.fit import History, fit, predict
from mmcourse.training.metrics import (
    Interval,
    MeanInterval,
    accuracy,
    clustered_interval,
    correct,
    hits_at,
    modality_gap,
    paired_interval,
    recall_at,
)
from mmcourse.training.seeds import seed_everything

__all__ = [
    "BaselineTable",
    "History",
    "Interval",
    "MeanInterval",
    "PairHistory",
    "accuracy",
    "additive",
    "baselines",
    "caption",
    "clustered_interval",
    "correct",
    "embed",
    "fit",
    "fit_captions",
    "fit_pairs",
    "hits_at",
    "modality_gap",
    "paired_interval",
    "pick_device",
    "predict",
    "recall_at",
    "seed_everything",
]

"""Training and measuring: seeds, device, fit, fit_pairs, metrics, calibration, and the baselines that results need.

PyTorch is imported where it is used, so that metrics and the additive projection work without it.
"""

from mmcourse.training.baselines import BaselineTable, additive, baselines
from mmcourse.training.calibration import (
    Reliability,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)
from mmcourse.training.captions import caption, fit_captions
from mmcourse.training.contrastive import PairHistory, embed, fit_pairs
from mmcourse.training.device import pick_device
from mmcourse.training.fit import History, fit, predict
from mmcourse.training.imputation import fill_zeros, mean_imputer, ridge_imputer
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
from mmcourse.training.missing import SubsetTable, every_subset
from mmcourse.training.seeds import seed_everything
from mmcourse.training.stacked import fit_stacked

__all__ = [
    "BaselineTable",
    "History",
    "Interval",
    "MeanInterval",
    "PairHistory",
    "Reliability",
    "SubsetTable",
    "accuracy",
    "additive",
    "baselines",
    "brier_score",
    "caption",
    "clustered_interval",
    "correct",
    "embed",
    "every_subset",
    "expected_calibration_error",
    "fill_zeros",
    "fit",
    "fit_captions",
    "fit_pairs",
    "fit_stacked",
    "fit_temperature",
    "hits_at",
    "mean_imputer",
    "modality_gap",
    "paired_interval",
    "pick_device",
    "predict",
    "probabilities",
    "recall_at",
    "reliability",
    "ridge_imputer",
    "seed_everything",
]

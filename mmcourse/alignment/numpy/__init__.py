"""Contrastive losses as formulas in NumPy, and the least they can be: float64, no cleverness, the referee."""

from mmcourse.alignment.numpy.floors import expected_floor, expected_log_multiplicity, least_info_nce
from mmcourse.alignment.numpy.hard_negatives import hard_negatives, negative_probabilities
from mmcourse.alignment.numpy.info_nce import info_nce
from mmcourse.alignment.numpy.matching import image_text_matching
from mmcourse.alignment.numpy.multi_positive import multi_positive_info_nce
from mmcourse.alignment.numpy.siglip import siglip

__all__ = [
    "expected_floor",
    "expected_log_multiplicity",
    "hard_negatives",
    "image_text_matching",
    "info_nce",
    "least_info_nce",
    "multi_positive_info_nce",
    "negative_probabilities",
    "siglip",
]

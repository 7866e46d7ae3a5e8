"""Contrastive losses and the least they can be, warping and transcripts: NumPy, float64, no cleverness, the referee."""

from mmcourse.alignment.numpy.ctc import ctc_gradient, ctc_loss, ctc_occupancy
from mmcourse.alignment.numpy.ctc_decoding import collapse, greedy_decoding, prefix_beam_search
from mmcourse.alignment.numpy.editing import edit_distance, label_error_rate
from mmcourse.alignment.numpy.floors import expected_floor, expected_log_multiplicity, least_info_nce
from mmcourse.alignment.numpy.forced_alignment import forced_alignment
from mmcourse.alignment.numpy.hard_negatives import hard_negatives, negative_probabilities
from mmcourse.alignment.numpy.info_nce import info_nce
from mmcourse.alignment.numpy.matching import image_text_matching
from mmcourse.alignment.numpy.multi_positive import multi_positive_info_nce
from mmcourse.alignment.numpy.siglip import siglip
from mmcourse.alignment.numpy.warping import accumulated_costs, dynamic_time_warping, pairwise_costs

__all__ = [
    "accumulated_costs",
    "collapse",
    "ctc_gradient",
    "ctc_loss",
    "ctc_occupancy",
    "dynamic_time_warping",
    "edit_distance",
    "expected_floor",
    "expected_log_multiplicity",
    "forced_alignment",
    "greedy_decoding",
    "hard_negatives",
    "image_text_matching",
    "info_nce",
    "label_error_rate",
    "least_info_nce",
    "multi_positive_info_nce",
    "negative_probabilities",
    "pairwise_costs",
    "prefix_beam_search",
    "siglip",
]

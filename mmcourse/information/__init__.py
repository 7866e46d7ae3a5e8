"""Entropy, mutual information and the parts of it, of small discrete joint distributions, in bits.

measures        entropy, mutual_information, conditional_mutual_information
decomposition   partial_information: redundancy, unique and synergy of two sources about a target
"""

from mmcourse.information.decomposition import ConvergenceError, PartialInformation, partial_information
from mmcourse.information.measures import conditional_mutual_information, entropy, mutual_information

__all__ = [
    "ConvergenceError",
    "PartialInformation",
    "conditional_mutual_information",
    "entropy",
    "mutual_information",
    "partial_information",
]

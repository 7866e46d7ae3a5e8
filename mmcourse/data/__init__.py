"""Data of the lessons: paired examples, handwritten digits with mistyped words, controlled pairs."""

from mmcourse.data.controlled import ControlledPairs, controlled_pairs
from mmcourse.data.digits import DigitsWithWords, digits_with_words, keyboard_typos, letter_counts
from mmcourse.data.paired import PairedData, root_mean_square_norms

__all__ = [
    "ControlledPairs",
    "DigitsWithWords",
    "PairedData",
    "controlled_pairs",
    "digits_with_words",
    "keyboard_typos",
    "letter_counts",
    "root_mean_square_norms",
]

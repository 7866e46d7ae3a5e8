"""Data of the lessons: paired examples, digits with mistyped words, controlled pairs, named glyphs, scenes."""

from mmcourse.data.controlled import ControlledPairs, controlled_pairs
from mmcourse.data.digits import DigitsWithWords, digits_with_words, keyboard_typos, letter_counts
from mmcourse.data.glyph_names import letter_and_marks, same_words, vocabulary, words
from mmcourse.data.glyphs import Glyphs, glyphs
from mmcourse.data.paired import PairedData, root_mean_square_norms
from mmcourse.data.scenes import Questions, RangeScan, Scenes, scenes, scenes_by_hand
from mmcourse.data.word_tokens import WordTokens

__all__ = [
    "ControlledPairs",
    "DigitsWithWords",
    "Glyphs",
    "PairedData",
    "Questions",
    "RangeScan",
    "Scenes",
    "WordTokens",
    "controlled_pairs",
    "digits_with_words",
    "glyphs",
    "keyboard_typos",
    "letter_and_marks",
    "letter_counts",
    "root_mean_square_norms",
    "same_words",
    "scenes",
    "scenes_by_hand",
    "vocabulary",
    "words",
]

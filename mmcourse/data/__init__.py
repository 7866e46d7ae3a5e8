"""Data of the lessons: paired examples, digits written, typed and spoken, controlled pairs, named glyphs, scenes."""

from mmcourse.data.caption_tokens import CaptionTokens
from mmcourse.data.controlled import ControlledPairs, controlled_pairs
from mmcourse.data.digit_words import DIGIT_WORDS
from mmcourse.data.digits import DigitsWithWords, digits_with_words, keyboard_typos, letter_counts
from mmcourse.data.digits_with_speech import DigitsWithSpeech, digits_with_speech
from mmcourse.data.free_spoken_digits import free_spoken_digits
from mmcourse.data.glyph_names import letter_and_marks, same_words, vocabulary, words
from mmcourse.data.glyphs import Glyphs, glyphs
from mmcourse.data.paired import PairedData, root_mean_square_norms
from mmcourse.data.presence import masked, subset_chances, subset_mask, subsets
from mmcourse.data.scenes import Questions, RangeScan, Scenes, scenes, scenes_by_hand
from mmcourse.data.spoken_digit_sequences import SpokenDigitSequences, spoken_digit_sequences
from mmcourse.data.spoken_digits import SpokenDigits, spoken_digits
from mmcourse.data.word_tokens import WordTokens

__all__ = [
    "DIGIT_WORDS",
    "CaptionTokens",
    "ControlledPairs",
    "DigitsWithSpeech",
    "DigitsWithWords",
    "Glyphs",
    "PairedData",
    "Questions",
    "RangeScan",
    "Scenes",
    "SpokenDigitSequences",
    "SpokenDigits",
    "WordTokens",
    "controlled_pairs",
    "digits_with_speech",
    "digits_with_words",
    "free_spoken_digits",
    "glyphs",
    "keyboard_typos",
    "letter_and_marks",
    "letter_counts",
    "masked",
    "root_mean_square_norms",
    "same_words",
    "scenes",
    "scenes_by_hand",
    "spoken_digit_sequences",
    "spoken_digits",
    "subset_chances",
    "subset_mask",
    "subsets",
    "vocabulary",
    "words",
]

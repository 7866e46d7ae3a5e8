"""Alignment: losses that bring what belongs together close in one space, and what they cannot go below.

    numpy   info_nce, multi_positive_info_nce, siglip: the formulas, in float64, the referee of the other two;
            expected_log_multiplicity, expected_floor, least_info_nce: the least these losses can be;
            image_text_matching: does a picture belong to a caption; hard_negatives, negative_probabilities: which
            wrong captions and pictures to ask that of
    torch   the same functions, and InfoNCE, MultiPositiveInfoNCE, SigLIP with a learned scale; over several processes
    keras   the same functions and classes, the same parameters, the same numbers

Embeddings are (batch, width) of one width; row i of the image belongs to row i of the text. Only their directions
count: every loss divides each row by its length.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

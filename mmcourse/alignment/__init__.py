"""Alignment: losses that bring what belongs together close in one space, and the matching of sequences in time.

    numpy   info_nce, multi_positive_info_nce, siglip: the formulas, in float64, the referee of the other two;
            expected_log_multiplicity, expected_floor, least_info_nce: the least these losses can be;
            image_text_matching: does a picture belong to a caption; hard_negatives, negative_probabilities: which
            wrong captions and pictures to ask that of;
            dynamic_time_warping, ctc_loss, greedy_decoding, prefix_beam_search, forced_alignment, label_error_rate
            and their parts
    torch   the three losses, and InfoNCE, MultiPositiveInfoNCE, SigLIP with a learned scale; over several processes;
            image_text_matching, hard_negatives, ctc_loss, soft_dtw
    keras   the three losses and classes, image_text_matching, hard_negatives: the same parameters, the same numbers

Embeddings are (batch, width) of one width; row i of the image belongs to row i of the text. Only their directions
count: every loss divides each row by its length. Sequences are (batch, time, classes) with a mask.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

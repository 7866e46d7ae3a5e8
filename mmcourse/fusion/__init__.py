"""Fusion: one vector from the vectors of several modalities.

    numpy   weighted_sum, gated_fusion, gated_multimodal_unit, concatenation: the formulas, in float64, the referee
            bilinear_fusion, multiplicative_fusion, tensor_fusion, low_rank_fusion
            early_fusion, late_fusion, hybrid_fusion
            film, by which a condition modulates vectors, sequences or feature maps
            modality_dropout, before any of them
    torch   WeightedSumFusion, GatedFusion, GatedMultimodalUnit, ConcatenationFusion
            BilinearFusion, MultiplicativeFusion, TensorFusion, LowRankFusion
            EarlyFusion, LateFusion, HybridFusion; FiLM
            ModalityDropout before a fusion, LearnedAbsence around one (PyTorch alone)
    keras   the same names, the same parameters, the same numbers
    counts  parameters, multiply-adds and memory by formula

Features travel as a mapping from modality to an array (batch, width), masks as a mapping from modality to booleans
(batch,): True is present, a modality without a mask is present everywhere. A missing row may hold anything, NaN
included, and influences neither value nor gradient.

Sequences travel as a mapping from modality to an array (batch, time, width), masks as (batch, time), and lengths may
differ. cross_attention and attention_pooling are in all three halves, as CrossAttention and AttentionPooling; PyTorch
alone has CrossmodalTransformer, BottleneckTransformer, PerceiverResampler, GatedCrossAttention and QFormer.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

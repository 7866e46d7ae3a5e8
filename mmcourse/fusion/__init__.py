"""Fusion: one vector from the vectors of several modalities.

    numpy   weighted_sum, gated_fusion, concatenation: the formulas, in float64, the referee of the other two
    torch   WeightedSumFusion, GatedFusion, ConcatenationFusion
    keras   the same names, the same parameters, the same numbers

Features travel as a mapping from modality to an array (batch, width), masks as a mapping from modality to booleans
(batch,): True is present, a modality without a mask is present everywhere. A missing row may hold anything, NaN
included, and influences neither value nor gradient.

Sequences travel as a mapping from modality to an array (batch, time, width), masks as (batch, time), and lengths may
differ. cross_attention and attention_pooling are in all three, as CrossAttention and AttentionPooling. PyTorch alone
has CrossmodalTransformer, BottleneckTransformer, PerceiverResampler, GatedCrossAttention and QFormer.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

"""Decoders: from a vector, a memory of vectors, or visual tokens to words, one after the other.

    numpy   recurrent_decoder, transformer_decoder, visual_token_decoder, sequence_cross_entropy: the formulas, in
            float64, the referee of the others: the logits of every next word, given the true words before it
    torch   RecurrentDecoder, TransformerDecoder, VisualTokenDecoder, which also go on word by word with a cache;
            sequence_cross_entropy; StepOf, a decoder as the step function that a search asks; FeatureMap and
            Captioner, a picture's vectors and a decoder that speaks of them
    keras   RecurrentDecoder, TransformerDecoder, sequence_cross_entropy: the same parameters, the same numbers
    decoding    greedy, beam_search, sample, log_probability: search on any step function, free of any framework
    counts      multiply-adds of generation with and without a cache, by formula

Words are whole numbers (batch, time) from 0 to count - 1, as mmcourse.data.CaptionTokens gives them, with a mask of
booleans (batch, time): True is present, and without a mask all is. A masked word may be any number and stand anywhere:
it influences neither value nor gradient, and its logits are zero.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

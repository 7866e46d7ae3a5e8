"""Encoders: from a picture or the words of a name to one vector, from a sequence or a sound to a sequence.

    torch   ConvolutionalEncoder for pictures; MeanOfWords and WordTransformer for words
    numpy   of sequences: embedding, recurrent, lstm, gru, self_attention, learned_positions, rotary_positions,
            layer_norm, transformer_encoder; of sounds: log_mel: the formulas, in float64, the referee
    torch and keras     Embedding, RecurrentEncoder, LSTMEncoder, GRUEncoder, SelfAttention, LearnedPositions,
            rotary_positions, LayerNorm, TransformerEncoder, LogMel: the same parameters, the same numbers

    numpy   of pictures: convolution, max_pooling and other poolings, batch_norm, residual_block, resnet,
            cut_patches, patch_embedding, vision_transformer
    torch and keras     Convolution, the poolings, BatchNorm, ResidualBlock, ResNet, ResNet18, PatchEmbedding,
            VisionTransformer: the same parameters, the same numbers
    windows             Window, a kernel along one axis: its reach, its number of places
    receptive_field     what one number of a feature map sees of the picture
    counts              parameters and multiply-adds by formula
    image_positions     fixed positions in two dimensions, positions for another resolution

Pictures are (batch, channels, height, width), channels first, floating, bytes divided by 255; ConvolutionalEncoder
alone takes grey ones without an axis of channels, (batch, size, size). Words are whole numbers (batch, length) as
mmcourse.data.WordTokens gives them: 1 to the number of words, 0 where a short row is padded, which influences neither
value nor gradient. Vectors are (batch, out_dim), of any length: the losses of mmcourse.alignment look at directions
alone.

Sequences are (batch, time, dim) with a mask of booleans (batch, time): True is present, and without a mask all is. The
present steps may stand anywhere. A masked step may hold anything, NaN included: it influences neither value nor
gradient, and what comes out there is zero.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

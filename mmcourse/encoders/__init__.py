"""Encoders: from a picture or the words of a name to one vector.

    torch   ConvolutionalEncoder for pictures; MeanOfWords and WordTransformer for words

Pictures are (batch, size, size). Words are whole numbers (batch, length) as mmcourse.data.WordTokens gives them: 1 to
the number of words, 0 where a short row is padded, which influences neither value nor gradient. Vectors are
(batch, out_dim), of any length: the losses of mmcourse.alignment look at directions alone.
"""

from mmcourse.lazy import submodules

__getattr__, __dir__ = submodules(__name__, __path__)

"""Encoders of names, as words."""

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.encoders.torch.base import Encoder


class MeanOfWords(Encoder):
    """One vector of each name, the mean of the vectors of its n words:  v = (1/n) sum_l E[id_l].

    It does not see the order of the words. A word adds the same whatever stands beside it, so a name of known words in
    a new combination gets its vector from them.
    words: how many there are;  parameter "vectors.weight" (words + 1, out_dim), the row 0 of padding held at zero
    out_dim: the width of v;  check_values: see Encoder.  Raises a ModalityError naming what does not fit.
    """

    where = "mean of words"

    def __init__(self, words: int, *, out_dim: int = 128, check_values: bool = True) -> None:
        super().__init__(out_dim=out_dim, check_values=check_values)
        self.words = checks.check_size("words", words, self.where)
        self.vectors = _word_vectors(self.words, self.out_dim, std=self.out_dim**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """ids: (batch, length) whole numbers, 0 is padding;  returns (batch, out_dim)"""
        self.check_words(ids, self.words)
        return _mean(self.vectors(ids), ids != 0)


class WordTransformer(Encoder):
    """One vector of each name: the mean over words of what a Transformer makes of  E[id_l] + P[l].

    words: how many there are;  parameter "vectors.weight" (words + 1, out_dim), the row 0 of padding held at zero
    out_dim: the width of v and of every layer;  layers, heads: heads divide out_dim
    length: the most words of a name, rows of "positions" (length, out_dim)
    Layers normalise first, hidden width 2 out_dim, ReLU, no dropout; none normalises last, since only the direction of
    v counts. No word attends to padding. Positions begin small beside the words, so that v begins near a mean of words.
    check_values: see Encoder.  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017); normalising first: Xiong et al. (2020).
    """

    where = "word transformer"

    def __init__(
        self,
        words: int,
        *,
        out_dim: int = 128,
        layers: int = 2,
        heads: int = 4,
        length: int = 16,
        check_values: bool = True,
    ) -> None:
        super().__init__(out_dim=out_dim, check_values=check_values)
        self.words = checks.check_size("words", words, self.where)
        self.length = checks.check_size("length", length, self.where)
        checks.check_size("layers", layers, self.where)
        if self.out_dim % checks.check_size("heads", heads, self.where):
            raise ValueError(f"{self.where}: heads: got {heads}, wanted a divisor of out_dim {self.out_dim}")
        self.vectors = _word_vectors(self.words, self.out_dim, std=1.0)
        self.positions = nn.Parameter(torch.empty(self.length, self.out_dim).normal_(std=0.02))
        layer = nn.TransformerEncoderLayer(
            self.out_dim, heads, 2 * self.out_dim, dropout=0.0, batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, ids: Tensor) -> Tensor:
        """ids: (batch, up to length) whole numbers, 0 is padding;  returns (batch, out_dim)"""
        self.check_words(ids, self.words, self.length)
        words = self.vectors(ids) + self.positions[: ids.shape[1]]
        return _mean(self.transformer(words, src_key_padding_mask=ids == 0), ids != 0)


def _word_vectors(words: int, out_dim: int, *, std: float) -> nn.Embedding:
    """Normal vectors; that of padding is zero and gets no gradient."""
    vectors = nn.Embedding(words + 1, out_dim, padding_idx=0)
    with torch.no_grad():
        vectors.weight[1:].normal_(std=std)
    return vectors


def _mean(vectors: Tensor, present: Tensor) -> Tensor:
    """vectors: (batch, length, out_dim);  present: (batch, length) bool;  returns (batch, out_dim)"""
    return torch.where(present[..., None], vectors, 0.0).sum(dim=1) / present.sum(dim=1, keepdim=True)

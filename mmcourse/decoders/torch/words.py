"""What the decoders share: words as vectors, checked."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.torch.embedding import Embedding
from mmcourse.encoders.torch.sequence import SequenceEncoder, silence


class WordDecoder(SequenceEncoder):
    """A module with vectors of words "words.vectors" (count, dim), whose result is a logit for each of the count words.

    check_values: also refuse ids of no word, NaN, and rows in which all is masked. These checks need the numbers, so on
        a GPU each call waits for the device; shapes and dtypes are checked in any case.
    """

    where = "decoder"
    length: int | None = None

    def __init__(self, count: int, *, dim: int, check_values: bool = True) -> None:
        count = check_size("count", count, self.where)
        super().__init__(dim, out_dim=count, check_values=check_values)
        self.count = count
        self.words = Embedding(count, out_dim=self.dim, check_values=False)

    def read(self, ids: Tensor, mask: Tensor | None, *, before: int = 0) -> Tensor:
        """The vectors of words, masked ones zero.  before: how many were read already"""
        checks.check_words(self.spec("ids", ids), self.mask_spec(mask), self.length, self.where, before=before)
        if mask is not None:
            ids = torch.where(mask, ids, 0)
        if self.check_values:
            known = ((ids >= 0) & (ids < self.count)).all(dim=1)
            # A row may have nothing in this step if it had something before.
            some = torch.ones_like(known) if mask is None or before else mask.any(dim=1)
            some, known = torch.stack([some, known]).cpu().numpy()
            sequence_checks.check_ids_known(some, known, self.count, self.where)
        return silence(nn.functional.embedding(ids, self.words.vectors), mask)

    def check_finite(self, name: str, x: Tensor) -> None:
        """Raise NotFiniteError for NaN and infinity, where values are checked."""
        if self.check_values:
            checks.check_finite(name, bool(x.detach().isfinite().all()), self.where)

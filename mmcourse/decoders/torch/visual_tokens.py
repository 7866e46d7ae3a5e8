"""Visual tokens in a causal decoder."""

from torch import Tensor, nn
from torch.nn import functional

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.decoders.torch.cache import Cache
from mmcourse.decoders.torch.transformer import TransformerDecoder
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.torch.sequence import Linear, SequenceEncoder, silence
from mmcourse.errors import ShapeError

PROJECTORS = ("linear", "mlp")


class VisualTokenDecoder(SequenceEncoder):
    """The logits of each next word of a causal decoder that has read the picture as if it were words:

        x = [projector(patch_1), ..., projector(patch_P), words[id_1], ..., words[id_T]] + positions
        projector(p) = p out + b,   or   gelu(p hidden + b_1) out + b_2

    Causal throughout: a word sees every visual token and the words up to itself; a visual token sees the visual tokens
    up to itself, and no word.
    decoder: a TransformerDecoder without memory_dim, whose length holds visual tokens and words together
    patch_dim: the width of a patch's features;  projector: "linear" or "mlp", whose hidden width is that of the decoder
    Parameters "projector.out.kernel" (patch_dim or dim, dim), "projector.hidden.kernel" (patch_dim, dim), "decoder...".
    PyTorch alone, beside the formula: in Keras it would be the same decoder with the same vectors in front.
    check_values: see WordDecoder.  Raises a ModalityError naming what does not fit.
    Source: Liu et al. (2023); with two layers: Liu et al. (2024).
    """

    where = "visual token decoder"

    def __init__(
        self, decoder: TransformerDecoder, *, patch_dim: int, projector: str = "mlp", check_values: bool = True
    ) -> None:
        patch_dim = check_size("patch_dim", patch_dim, self.where)
        super().__init__(patch_dim, out_dim=decoder.count, check_values=check_values)
        if decoder.memory_dim is not None:
            wanted = "a decoder without one: visual tokens stand among the words"
            raise ShapeError("memory_dim", got=decoder.memory_dim, wanted=wanted, where=self.where)
        if projector not in PROJECTORS:
            wanted = " or ".join(map(repr, PROJECTORS))
            raise ValueError(f"{self.where}: projector: got {projector!r}, wanted {wanted}")
        self.decoder = decoder
        self.projector = nn.ModuleDict()
        if projector == "mlp":
            self.projector["hidden"] = Linear(patch_dim, decoder.dim)
        self.projector["out"] = Linear(decoder.dim if projector == "mlp" else patch_dim, decoder.dim)

    def forward(
        self, ids: Tensor, patches: Tensor, mask: Tensor | None = None, patch_mask: Tensor | None = None
    ) -> Tensor:
        """The logits after each word, (batch, time, count); visual tokens have none.

        ids: (batch, time);  patches: (batch, P, patch_dim);  mask, patch_mask: (batch, time), (batch, P) bool
        """
        checks.check_memory(self.spec("patches", patches), self.mask_spec(patch_mask), self.dim, len(ids), self.where)
        if self.check_values and mask is not None:
            some = mask.any(dim=1).cpu().numpy()
            sequence_checks.check_ids_known(some, some, self.out_dim, self.where)
        return self.extend(ids, self.begin(patches, patch_mask), mask)[0]

    def begin(self, patches: Tensor, patch_mask: Tensor | None = None) -> Cache:
        """The cache after the visual tokens, before any word."""
        x = self.prepare(patches, patch_mask)
        if "hidden" in self.projector:
            x = functional.gelu(self.projector["hidden"](x))
        x = silence(self.projector["out"](x), patch_mask)
        return self.decoder.extend_vectors(x, Cache(), patch_mask)[1]

    def extend(self, ids: Tensor, cache: Cache, mask: Tensor | None = None) -> tuple[Tensor, Cache]:
        """Read on: the logits after each of these words, (rows, time, count), and the cache with them in it."""
        return self.decoder.extend(ids, cache, mask)

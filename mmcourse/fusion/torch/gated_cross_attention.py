"""A text that looks at pictures through a gate which is closed at the start."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders.sequence_checks import check_activation
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.transformer import FeedForward
from mmcourse.errors import MaskError, ShapeError
from mmcourse.fusion.torch.cross_attention import CrossAttention, allowed_keys
from mmcourse.fusion.torch.sequences import SequenceFusion, silence


class GatedCrossAttention(SequenceFusion):
    """Let every step of a text read pictures, and add what it read through a gate that is closed at the start:

        x <- x + tanh(a) attention(norm(x), c),     x <- x + tanh(b) feed_forward(norm(x))

    attention: see CrossAttention;  feed_forward(x) = activation(x hidden + b_1) out + b_2
    "attention_gate" a and "feed_forward_gate" b, numbers, begin at 0: since tanh(0) = 0 the layer is then the identity,
    and a language model in which it is put computes what it did before. There a and b receive a gradient, and nothing
    behind them does.
    dim: the width of the text, and of the result;  key_dim: that of the pictures, dim if not given;  heads: divides dim
    hidden_size: the inner width of feed_forward, 4 dim if not given;  activation: "relu" or "gelu", the exact one
    Other parameters "attention.query.kernel", "attention_norm.scale", "feed_forward.hidden.kernel",
    "feed_forward_norm.scale", and so on.  PyTorch alone: a second framework would teach nothing.
    check_values: see SequenceFusion.  Raises a ModalityError naming what does not fit.
    Source: Alayrac et al. (2022).
    """

    where = "gated cross-attention"

    def __init__(
        self,
        dim: int,
        *,
        key_dim: int | None = None,
        heads: int,
        hidden_size: int | None = None,
        activation: str = "gelu",
        epsilon: float = 1e-5,
        check_values: bool = True,
    ) -> None:
        super().__init__({"text": dim, "pictures": dim if key_dim is None else key_dim}, check_values=check_values)
        self.dim = self.dims["text"]
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        check_activation(activation, self.where)
        self.attention = CrossAttention(self.dim, key_dim=self.dims["pictures"], heads=heads)
        self.attention_norm = LayerNorm(self.dim, epsilon=epsilon)
        self.feed_forward = FeedForward(self.dim, hidden_size, activation)
        self.feed_forward_norm = LayerNorm(self.dim, epsilon=epsilon)
        self.attention_gate, self.feed_forward_gate = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(
        self,
        text: Tensor,
        pictures: Tensor,
        mask: Tensor | None = None,
        text_mask: Tensor | None = None,
        seen: Tensor | None = None,
    ) -> Tensor:
        """text: (batch, time, dim);  pictures: (batch, k, key_dim), the vectors of all pictures one after another

        mask: of the pictures, (batch, k) bool;  text_mask: (batch, time) bool
        seen: (batch, time, k) bool, which step of the text may see which vector, as `latest_picture` makes it; all if
            not given. A step that may see none reads nothing.
        returns (batch, time, dim), zero where the text is masked
        """
        inputs, present = self.prepare({"text": text, "pictures": pictures}, {"text": text_mask, "pictures": mask})
        x, allowed = inputs["text"], allowed_keys(present["pictures"])
        if seen is not None:
            self._check_seen(seen, (len(x), x.shape[1], pictures.shape[1]))
            allowed = seen[:, None] if allowed is None else allowed & seen[:, None]
        read = self.attention.attend(self.attention_norm(x), inputs["pictures"], allowed)
        x = x + self.attention_gate.tanh() * read
        x = x + self.feed_forward_gate.tanh() * self.feed_forward(self.feed_forward_norm(x))
        return silence(x, present["text"])

    def _check_seen(self, seen: Tensor, wanted: tuple[int, int, int]) -> None:
        spec = self._specs({"seen": seen})["seen"]
        if spec.dtype != "bool":
            raise MaskError("seen", got=f"dtype {spec.dtype}", wanted="bool", where=self.where)
        if spec.shape != wanted:
            raise ShapeError("seen", got=f"shape {spec.shape}", wanted=wanted, where=self.where)


def latest_picture(places: Tensor, pictures: int, steps: int) -> Tensor:
    """Which vectors a step of a text may see: those of the picture that stands last before it, or at it.

    places: (batch, time) bool, True where a picture stands in the text, the first for the first picture, and so on
    pictures: how many there are, those beyond the places seen by none;  steps: how many vectors each has
    returns (batch, time, pictures * steps) bool: [.., t, j steps + s] is whether j + 1 places stand at 0 ... t
    Raises MaskError unless places are booleans (batch, time) of a step or more, and where a text has
    more places than pictures.
    Source: Alayrac et al. (2022).
    """
    where = "latest_picture"
    if not isinstance(places, Tensor) or places.dtype != torch.bool or places.ndim != 2 or not places.shape[1]:
        got = f"{places.dtype} {tuple(places.shape)}" if isinstance(places, Tensor) else type(places).__name__
        raise MaskError("places", got=got, wanted="bool (batch, time), a step at least", where=where)
    came = places.cumsum(dim=1)  # (batch, time), how many pictures came so far
    most = int(came[:, -1].max())
    if most > check_size("pictures", pictures, where):
        raise MaskError("places", got=f"{most} places in a text", wanted=f"at most {pictures}", where=where)
    latest = came[..., None] == torch.arange(1, pictures + 1, device=places.device)
    return latest.repeat_interleave(check_size("steps", steps, where), dim=2)

"""Crossmodal Transformer: every modality attends to every other."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.sequence import Linear
from mmcourse.encoders.torch.transformer import FeedForward, TransformerEncoder
from mmcourse.fusion.sequence_checks import check_count
from mmcourse.fusion.torch.base import check_free
from mmcourse.fusion.torch.cross_attention import CrossAttention, allowed_keys
from mmcourse.fusion.torch.sequences import SequenceFusion, mean_of_present, silence


class CrossmodalTransformer(SequenceFusion):
    """Let each modality's sequence gather from every other's, one direction at a time; sum up what each has gathered.

        h_m = x_m projection_m
        z_mn = crossmodal_mn(h_m, h_n)  for every ordered pair m, n:  layers in which m asks and n is asked
        s_m = memory_m([z_mn for every n but m]),  a Transformer encoder of width (M - 1) dim
        y = [mean over present steps of s_m, for every m] out + b

    dims: {modality: width}, two or more;  dim: of h and z;  heads: divides dim;  out_dim: the width of y
    layers: of each crossmodal_mn;  memory_layers: of each memory_m;  hidden_size: of their networks that see each step
    alone, 4 dim if not given (memory_m: M - 1 times as wide)
    "projections.text.kernel", "crossmodal.text.image.layers.0.attention.query.kernel" (text asks image),
    "memories.text.layers.0.attention.query.kernel", "out.kernel", and so on; M (M - 1) crossmodal encoders in all
    Lengths may differ and need no alignment. A modality missing from a row is asked in vain, which adds zero, and its
    own s_m is zero. No dropout; positions are added before. check_values: see SequenceFusion.
    Raises a ModalityError naming what does not fit.
    Source: Tsai et al. (2019), who convolve over time where h_m is projected here, and read s_m at the last step.
    PyTorch alone: a second framework would repeat CrossAttention and TransformerEncoder, which have twins.
    """

    where = "crossmodal transformer"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        dim: int,
        heads: int,
        layers: int,
        memory_layers: int = 1,
        hidden_size: int | None = None,
        out_dim: int,
        check_values: bool = True,
    ) -> None:
        super().__init__(dims, check_values=check_values)
        check_count(self.dims, 2, self.where)
        check_free(self.dims, self.where)
        dim, self.out_dim = check_size("dim", dim, self.where), check_size("out_dim", out_dim, self.where)
        check_heads(dim, heads, False, self.where)
        hidden = check_size("hidden_size", 4 * dim if hidden_size is None else hidden_size, self.where)
        check_size("layers", layers, self.where)
        check_size("memory_layers", memory_layers, self.where)
        others = len(self.dims) - 1
        self.projections = nn.ModuleDict({m: Linear(width, dim) for m, width in self.dims.items()})
        self.crossmodal: Any = nn.ModuleDict(
            {
                m: nn.ModuleDict(
                    {n: CrossmodalEncoder(dim, heads=heads, layers=layers, hidden_size=hidden) for n in dims if n != m}
                )
                for m in self.dims
            }
        )
        self.memories = nn.ModuleDict(
            {
                m: TransformerEncoder(
                    others * dim, heads=heads, layers=memory_layers, hidden_size=others * hidden, check_values=False
                )
                for m in self.dims
            }
        )
        self.out = Linear(len(self.dims) * others * dim, self.out_dim)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor | None] | None = None) -> Tensor:
        """features: {modality: (batch, time_m, dim_m)};  mask: {modality: (batch, time_m)};  returns (batch, out)"""
        inputs, present = self.prepare(features, mask)
        streams = self._streams(inputs, present)
        return self.out(torch.cat([mean_of_present(s, present[m]) for m, s in streams.items()], dim=1))

    def streams(
        self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor | None] | None = None
    ) -> dict[str, Tensor]:
        """What each modality has gathered, s_m: {modality: (batch, time_m, (M - 1) dim)}, masked steps zero."""
        return self._streams(*self.prepare(features, mask))

    def _streams(self, inputs: dict[str, Tensor], present: dict[str, Tensor | None]) -> dict[str, Tensor]:
        hidden = {m: self.projections[m](x) for m, x in inputs.items()}
        gathered = {}
        for m, sources in self.crossmodal.items():
            z = [encode(hidden[m], hidden[n], allowed_keys(present[n])) for n, encode in sources.items()]
            gathered[m] = silence(torch.cat(z, dim=2), present[m])
        return {m: self.memories[m](z, present[m]) for m, z in gathered.items()}


class CrossmodalEncoder(nn.Module):
    """Layers in which one sequence asks another, which stays what it is; on inputs that were checked.

    x <- x + attention(attention_norm(x), source_norm(c)),   x <- x + feed_forward(feed_forward_norm(x))
    """

    def __init__(self, dim: int, *, heads: int, layers: int, hidden_size: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CrossmodalLayer(dim, heads, hidden_size) for _ in range(layers))
        self.final_norm = LayerNorm(dim)

    def forward(self, x: Tensor, source: Tensor, allowed: Tensor | None) -> Tensor:
        """x: (batch, time, dim);  source c: (batch, steps, dim);  allowed: which steps of c are seen"""
        for layer in self.layers:
            x = layer(x, source, allowed)
        return self.final_norm(x)


class CrossmodalLayer(nn.Module):
    """One layer of a CrossmodalEncoder."""

    def __init__(self, dim: int, heads: int, hidden_size: int) -> None:
        super().__init__()
        self.attention = CrossAttention(dim, heads=heads)
        self.attention_norm, self.source_norm = LayerNorm(dim), LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden_size, "relu")
        self.feed_forward_norm = LayerNorm(dim)

    def forward(self, x: Tensor, source: Tensor, allowed: Tensor | None) -> Tensor:
        """The shapes of CrossmodalEncoder."""
        x = x + self.attention.attend(self.attention_norm(x), self.source_norm(source), allowed)
        return x + self.feed_forward(self.feed_forward_norm(x))

"""Attention bottleneck: modalities exchange through a few shared tokens, and in no other way."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.encoders.torch.attention import SelfAttention, allowed_keys
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.sequence import Linear
from mmcourse.encoders.torch.transformer import TransformerLayer
from mmcourse.errors import ShapeError
from mmcourse.fusion.sequence_checks import check_count
from mmcourse.fusion.torch.base import check_free
from mmcourse.fusion.torch.sequences import SequenceFusion, mean_of_present, silence, some_present


class BottleneckTransformer(SequenceFusion):
    """A Transformer for each modality; from one layer on they share a few tokens, averaged after every layer.

        h_m = x_m projection_m,  b = bottleneck
        before layer `fusion_from`:  h_m <- layer_m(h_m)
        from there on:               [h_m, b_m] <- layer_m([h_m, b]),   b <- mean of b_m over the modalities present
        y = mean over the modalities present of  (mean over present steps of norm_m(h_m)) out_m + c_m

    dims: {modality: width}, two or more;  dim: of h and b;  heads: divides dim;  out_dim: the width of y
    layers: counted from 0, at least two from `fusion_from` on: in one what a modality knows enters the tokens, not
    before the next does it reach another's stream
    tokens: how many;  hidden_size: of the network that sees each step alone, 4 dim if not given
    "projections.text.kernel", "layers.0.text.attention.query.kernel", "bottleneck" (tokens, dim), "norms.text.scale",
    "out.text.kernel", and so on. No dropout; positions are added before. A modality missing from a row says nothing to
    the tokens, and its stream is zero.
    check_values: see SequenceFusion.  Raises a ModalityError naming what does not fit.
    Source: Nagrani et al. (2021), who read a class token where the mean over steps is read here.
    PyTorch alone: a second framework would repeat TransformerEncoder, which has a twin.
    """

    where = "bottleneck transformer"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        dim: int,
        heads: int,
        layers: int,
        fusion_from: int = 0,
        tokens: int = 4,
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
        if not 0 <= fusion_from <= check_size("layers", layers, self.where) - 2:
            got = f"{layers} layers, fusion from layer {fusion_from}"
            wanted = "at least two layers from it on: one to tell the tokens, one to hear"
            raise ShapeError("fusion_from", got=got, wanted=wanted, where=self.where)
        self.fusion_from = fusion_from
        self.projections = nn.ModuleDict({m: Linear(width, dim) for m, width in self.dims.items()})
        self.layers: Any = nn.ModuleList(
            nn.ModuleDict({m: _layer(dim, heads, hidden) for m in self.dims}) for _ in range(layers)
        )
        self.bottleneck = nn.Parameter(torch.randn(check_size("tokens", tokens, self.where), dim) * 0.02)
        self.norms = nn.ModuleDict({m: LayerNorm(dim) for m in self.dims})
        self.out = nn.ModuleDict({m: Linear(dim, self.out_dim) for m in self.dims})

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor | None] | None = None) -> Tensor:
        """features: {modality: (batch, time_m, dim_m)};  mask: {modality: (batch, time_m)};  returns (batch, out)"""
        inputs, present = self.prepare(features, mask)
        streams, here = self._streams(inputs, present), _some(inputs, present)
        answers = [self.out[m](mean_of_present(h, present[m])) for m, h in streams.items()]
        return _mean(answers, here)

    def streams(
        self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor | None] | None = None
    ) -> dict[str, Tensor]:
        """norm_m(h_m) after the last layer: {modality: (batch, time_m, dim)}, masked steps zero."""
        return self._streams(*self.prepare(features, mask))

    def _streams(self, inputs: dict[str, Tensor], present: dict[str, Tensor | None]) -> dict[str, Tensor]:
        hidden, here = {m: self.projections[m](x) for m, x in inputs.items()}, _some(inputs, present)
        tokens = self.bottleneck.expand(len(here[0]), -1, -1)
        alone = {m: None if mask is None else allowed_keys(mask, False) for m, mask in present.items()}
        wide = {m: None if mask is None else _widened(mask, tokens.shape[1]) for m, mask in present.items()}
        beside = {m: None if mask is None else allowed_keys(mask, False) for m, mask in wide.items()}
        for index, layer in enumerate(self.layers):
            if index < self.fusion_from:
                hidden = {m: layer[m](h, alone[m]) for m, h in hidden.items()}
                continue
            joined = {m: layer[m](torch.cat([h, tokens], dim=1), beside[m]) for m, h in hidden.items()}
            hidden = {m: j[:, : -len(self.bottleneck)] for m, j in joined.items()}
            tokens = _mean([j[:, -len(self.bottleneck) :] for j in joined.values()], here)
        return {m: silence(self.norms[m](h), present[m]) for m, h in hidden.items()}


def _layer(dim: int, heads: int, hidden_size: int) -> TransformerLayer:
    attention = SelfAttention(dim, heads=heads)
    return TransformerLayer(attention, hidden_size, norm_first=True, activation="gelu", epsilon=1e-5)


def _widened(mask: Tensor, tokens: int) -> Tensor:
    """The tokens stand behind the steps, and all are seen.  mask: (batch, time)"""
    return torch.cat([mask, mask.new_ones(len(mask), tokens)], dim=1)


def _some(inputs: dict[str, Tensor], present: dict[str, Tensor | None]) -> list[Tensor]:
    """In which rows each modality is present: M times (batch,)."""
    return [some_present(x, present[m]) for m, x in inputs.items()]


def _mean(parts: list[Tensor], here: list[Tensor]) -> Tensor:
    """The mean over the modalities present in each row.  parts: M times (batch, ...);  here: M times (batch,)"""
    stacked = torch.stack(parts)
    present = torch.stack(here).to(stacked.dtype).reshape(len(here), -1, *[1] * (stacked.ndim - 2))
    return (present * stacked).sum(dim=0) / present.sum(dim=0).clamp(min=1)

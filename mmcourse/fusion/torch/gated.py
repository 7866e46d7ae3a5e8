"""Softmax gate over modalities."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import ProjectedFusion, mix, softmax_over_present, undrawn


class GatedFusion(ProjectedFusion):
    """Fuse modalities by a gate that each example sets for itself:  F = sum_m a_m h_m.

        h_m = x_m P_m,   s_m = score . tanh(h_m kernel + bias),   a = softmax(s) over the modalities present

    and without a hidden layer, the kernel or hidden_size None, a score that is linear:  s_m = score . h_m

    dims: {modality: width};  out_dim: the width of F, None for no projections (all widths must agree)
    hidden_size: kernel (out_dim, hidden_size), bias (hidden_size,), score (hidden_size,); None: score (out_dim,) alone
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: the additive score of Bahdanau et al. (2015), taken over modalities instead of time.
    """

    where = "gated fusion"

    def __init__(
        self, dims: Mapping[str, int], *, out_dim: int | None = None, hidden_size: int | None, check_values: bool = True
    ) -> None:
        super().__init__(dims, out_dim=out_dim, check_values=check_values)
        self.kernel = self.bias = None
        if hidden_size is not None:
            checks.check_size("hidden_size", hidden_size, self.where)
            self.kernel = nn.Parameter(undrawn(self.out_dim, hidden_size))
            self.bias = nn.Parameter(undrawn(hidden_size))
        self.score = nn.Parameter(undrawn(hidden_size or self.out_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw kernel and score as Glorot and Bengio (2010); the bias is zero."""
        super().reset_parameters()
        if self.kernel is not None and self.bias is not None:
            nn.init.xavier_uniform_(self.kernel)
            nn.init.zeros_(self.bias)
        nn.init.xavier_uniform_(self.score.data[:, None])

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        hidden = self.hidden(inputs)
        return mix(self._gate(hidden, present), hidden)

    def gate(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """The weights a that `forward` gives the modalities: (batch, M), columns in the order of dims."""
        inputs, present = self.prepare(features, mask)
        return self._gate(self.hidden(inputs), present)

    def _gate(self, hidden: Tensor, present: Tensor | None) -> Tensor:
        state = hidden  # (batch, M, out)
        if self.kernel is not None and self.bias is not None:
            state = torch.tanh(hidden @ self.kernel + self.bias)  # (batch, M, hidden)
        return softmax_over_present(state @ self.score, present)

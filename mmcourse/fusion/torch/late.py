"""Late fusion: one classifier for each modality, their decisions combined."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mmcourse.fusion.decision_checks import check_prior, check_rule
from mmcourse.fusion.torch.base import undrawn
from mmcourse.fusion.torch.paths import PathFusion


class LateFusion(PathFusion):
    """Log-probabilities from one classifier for each modality,  log p_m = log softmax(tanh(x_m W_m + b_m) V_m + c_m).

        mean      log sum_m a_m p_m,  a = softmax(weights) over the modalities present
        product   log p(y) + sum_m w_m [log p_m - log p(y)] + const

    A missing modality is left out of the sum, and with it its share of the prior.
    dims: {modality: width};  hidden_size: W_m (dim_m, hidden_size), b_m (hidden_size,)
    out_dim: the number of classes, V_m (hidden_size, out_dim), c_m (out_dim,)
    rule: "product" or "mean";  prior: p(y), out_dim numbers, for the product rule; None is uniform
    learned: whether there are weights, one number a modality, to be learned; they begin where there are none: equal
    shares of the mean, w_m = 1 in the product
    check_values: see Fusion.
    Raises a ModalityError naming the modality that does not fit, ValueError for an unknown rule.
    Sources: Kittler et al. (1998) for the product rule; Stone (1961) for the mean.
    """

    where = "late fusion"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        hidden_size: int,
        out_dim: int,
        rule: str = "product",
        prior: Sequence[float] | None = None,
        learned: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__(dims, hidden_size=hidden_size, out_dim=out_dim, check_values=check_values)
        self.rule = check_rule(rule, prior, self.where)
        self.head_biases = nn.ParameterDict({m: undrawn(self.out_dim) for m in self.dims})
        self.weights = nn.ParameterDict({m: undrawn() for m in self.dims}) if learned else None
        # No buffer: like `rule` it says what the module is, and it keeps its digits when the dtype changes.
        self.log_prior = np.log(check_prior(prior, self.out_dim, self.where))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Kernels and heads as Glorot and Bengio (2010), biases zero, weights as if there were none."""
        super().reset_parameters()
        for bias in self.head_biases.values():
            nn.init.zeros_(bias)
        for weight in (self.weights or {}).values():
            nn.init.constant_(weight, 1.0 if self.rule == "product" else 0.0)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        decisions = self._decisions(inputs)
        weights = None if self.weights is None else torch.stack([self.weights[m] for m in self.dims])  # (M,)
        if self.rule == "mean":
            scores = decisions.new_zeros(len(self.dims)) if weights is None else weights
            scores = scores if present is None else torch.where(present, scores, -torch.inf)
            return torch.logsumexp(scores.log_softmax(dim=-1).unsqueeze(-1) + decisions, dim=1)
        log_prior = torch.tensor(self.log_prior, dtype=decisions.dtype, device=decisions.device)
        terms = decisions - log_prior
        terms = terms if weights is None else terms * weights[:, None]
        terms = terms if present is None else torch.where(present[:, :, None], terms, 0.0)
        return (log_prior + terms.sum(dim=1)).log_softmax(dim=-1)

    def decisions(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """log p(y | x_m) of each classifier by itself: (batch, M, out_dim), modalities in the order of dims.

        The entries of a missing modality are those of zeros, and mean nothing.
        """
        inputs, _ = self.prepare(features, mask)
        return self._decisions(inputs)

    def _decisions(self, inputs: list[Tensor]) -> Tensor:
        head_biases = torch.stack([self.head_biases[m] for m in self.dims])  # (M, out)
        return (self.paths(inputs) + head_biases).log_softmax(dim=-1)

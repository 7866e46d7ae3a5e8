"""Late fusion: one classifier for each modality, their decisions combined."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from mmcourse.fusion.decision_checks import check_prior, check_rule
from mmcourse.fusion.keras.paths import PathFusion


@keras.saving.register_keras_serializable(package="mmcourse")
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
        **layer: Any,
    ) -> None:
        super().__init__(dims, hidden_size=hidden_size, out_dim=out_dim, **layer)
        self.rule = check_rule(rule, prior, self.where)
        self.prior = None if prior is None else [float(p) for p in prior]
        self.log_prior = np.log(check_prior(self.prior, out_dim, self.where))
        self.head_biases = self.add_weights("head_biases", dict.fromkeys(self.dims, (out_dim,)), "zeros")
        first = "ones" if rule == "product" else "zeros"
        self.weights_of = self.add_weights("weights", dict.fromkeys(self.dims, ()), first) if learned else None

    def get_config(self) -> dict[str, Any]:
        own = {"rule": self.rule, "prior": self.prior, "learned": self.weights_of is not None}
        return {**super().get_config(), **own}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        decisions = self._decisions(inputs)
        weights = None
        if self.weights_of is not None:
            weights = ops.stack([self.value(self.weights_of[m]) for m in self.dims])  # (M,)
        if self.rule == "mean":
            scores = ops.zeros((len(self.dims),), self.compute_dtype) if weights is None else weights
            scores = scores if present is None else ops.where(present, scores, -float("inf"))
            return ops.logsumexp(ops.expand_dims(tf.nn.log_softmax(scores, axis=-1), -1) + decisions, axis=1)
        log_prior = ops.cast(self.log_prior, self.compute_dtype)
        terms = decisions - log_prior
        terms = terms if weights is None else terms * ops.expand_dims(weights, -1)
        terms = terms if present is None else ops.where(ops.expand_dims(present, -1), terms, 0.0)
        return tf.nn.log_softmax(log_prior + ops.sum(terms, axis=1), axis=-1)

    def decisions(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """log p(y | x_m) of each classifier by itself: (batch, M, out_dim), modalities in the order of dims.

        The entries of a missing modality are those of zeros, and mean nothing.
        """
        inputs, _ = self.prepare(features, mask)
        return self._decisions(inputs)

    def _decisions(self, inputs: list[Any]) -> Any:
        head_biases = ops.stack([self.value(self.head_biases[m]) for m in self.dims])  # (M, out)
        return tf.nn.log_softmax(self.paths(inputs) + head_biases, axis=-1)

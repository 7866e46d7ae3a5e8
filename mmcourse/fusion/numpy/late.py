"""Late fusion: one classifier for each modality, their decisions combined."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.fusion.decision_checks import check_prior, check_rule
from mmcourse.fusion.numpy.decisions import log_softmax, mean_of_probabilities, product_rule
from mmcourse.fusion.numpy.paths import check_group, paths

WHERE = "late fusion"


def late_fusion(
    features: Mapping[str, ArrayLike],
    *,
    kernels: Mapping[str, ArrayLike],
    biases: Mapping[str, ArrayLike],
    heads: Mapping[str, ArrayLike],
    head_biases: Mapping[str, ArrayLike],
    rule: str = "product",
    prior: ArrayLike | None = None,
    weights: Mapping[str, ArrayLike] | None = None,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Log-probabilities from one classifier for each modality,  log p_m = log softmax(tanh(x_m W_m + b_m) V_m + c_m).

        mean      log sum_m a_m p_m,  a = softmax(weights) over the modalities present, equal without weights
        product   log p(y) + sum_m w_m [log p_m - log p(y)] + const,  w_m = 1 without weights

    A missing modality is left out of the sum, and with it its share of the prior.
    features: {modality: (batch, dim_m)};  kernels, biases, heads, head_biases: W_m (dim_m, hidden), b_m (hidden,),
    V_m (hidden, classes), c_m (classes,);  prior: (classes,), for the product rule, without it uniform
    mask: {modality: (batch,) booleans, True = present};  returns (batch, classes)
    Raises a ModalityError naming the modality or parameter that does not fit, ValueError for an unknown rule.
    Sources: Kittler et al. (1998) for the product rule; Stone (1961) for the mean.
    """
    check_rule(rule, prior, WHERE)
    logits, present = paths(features, kernels, biases, heads, mask, WHERE)
    check_group(head_biases, logits, "head_bias", WHERE)
    decisions = {
        m: log_softmax(z + check_shape(head_biases[m], f"head_biases.{m}", z.shape[1:], WHERE))
        for m, z in logits.items()
    }
    scalars = None
    if weights is not None:
        check_group(weights, logits, "weight", WHERE)
        scalars = {m: float(check_shape(weights[m], f"weights.{m}", (), WHERE)) for m in logits}
    if rule == "mean":
        return mean_of_probabilities(decisions, present, weights=scalars)
    classes = next(iter(decisions.values())).shape[1]
    return product_rule(decisions, present, prior=check_prior(prior, classes, WHERE), weights=scalars)

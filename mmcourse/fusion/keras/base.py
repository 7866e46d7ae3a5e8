"""What the fusion layers share: declared widths, checks, missing rows, projections, row-wise weights."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.checks import keras as values


class Fusion(keras.layers.Layer):
    """Modalities of declared widths, in the order of `dims` whatever the order in which they come.

    check_values: also refuse NaN, infinity and rows in which all is missing. These checks need the numbers, so on a
        GPU each call waits for the device; names, shapes and dtypes are checked in any case. Without them a row in
        which all is missing becomes NaN under a softmax; elsewhere its features count as zero.
        In a graph (`fit`, `predict`, tf.function) they are assertions with the same message, raised by TensorFlow as
        InvalidArgumentError; a batch size that is not known before the graph runs is checked there too. XLA drops
        assertions, so a layer that checks values declares `supports_jit = False`: Keras then compiles without XLA.
    """

    where = "fusion"
    out_dim: int

    def __init__(self, dims: Mapping[str, int], *, check_values: bool = True, **layer: Any) -> None:
        # Keras would cast features of another dtype in silence; here they are refused as in the other halves.
        super().__init__(**layer, autocast=False)
        self.dims = checks.check_dims(dims, self.where)
        self.check_values = check_values
        self.supports_jit = not check_values
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Nothing is missing in the result."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": dict(self.dims), "check_values": self.check_values}

    def compute_output_spec(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        _, batch = self._check_structure(features, mask)
        return keras.KerasTensor((batch, self.out_dim), self.compute_dtype)

    def prepare(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None) -> tuple[list[Any], Any]:
        """Check everything; return each (batch, dim_m) with missing rows set to zero, and present (batch, M) or None.

        Zeros are put in before anything is computed: NaN times zero would be NaN, in the value and in the gradient.
        """
        mask, _ = self._check_structure(features, mask)
        if self.check_values:
            features, mask = values.check_batch(features, mask, self.where)

        inputs, present = [features[modality] for modality in self.dims], None
        if mask:
            everywhere = ops.ones(ops.shape(inputs[0])[:1], "bool")
            columns = [mask.get(modality, everywhere) for modality in self.dims]
            inputs = [ops.where(here[:, None], x, 0.0) for here, x in zip(columns, inputs, strict=True)]
            present = ops.stack(columns, axis=1)
        if self.check_values:
            values.check_values(list(self.dims), inputs, present, self.where)
        return inputs, present

    def _check_structure(
        self, features: Mapping[str, Any], mask: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], int | None]:
        """Check all but the numbers; return the masks that came and the batch size, if it is known."""
        checks.check_mapping(features, "features", self.where)
        checks.check_mapping({} if mask is None else mask, "mask", self.where)
        mask = {m: here for m, here in (mask or {}).items() if here is not None}  # Keras fills in None where none came
        batch = checks.check_features(_specs(features), self.dims, self.where, dtype=self.compute_dtype)
        checks.check_mask(_specs(mask), self.dims, batch, self.where)
        return mask, batch

    def value(self, variable: Any) -> Any:
        """A parameter in the dtype of the computation, which a mixed policy keeps apart from the stored one."""
        return ops.cast(variable, self.compute_dtype)


class ProjectedFusion(Fusion):
    """h_m = x_m P_m with parameters "projections.image" (dim, out); without out_dim h_m = x_m and widths must agree."""

    def __init__(self, dims: Mapping[str, int], *, out_dim: int | None = None, **layer: Any) -> None:
        super().__init__(dims, **layer)
        self.projections = None
        if out_dim is None:
            self.out_dim = checks.check_same(self.dims, "width", self.where)
        else:
            self.out_dim = checks.check_size("out_dim", out_dim, self.where)
            self.projections = {
                m: self.add_weight(name=f"projections.{m}", shape=(dim, out_dim), initializer="glorot_uniform")
                for m, dim in self.dims.items()
            }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "out_dim": None if self.projections is None else self.out_dim}

    def hidden(self, inputs: list[Any]) -> Any:
        """Return h_m of all modalities: (batch, M, out)."""
        if self.projections is not None:
            inputs = [x @ self.value(self.projections[m]) for m, x in zip(self.dims, inputs, strict=True)]
        return ops.stack(inputs, axis=1)


def softmax_over_present(scores: Any, present: Any) -> Any:
    """Softmax over the last axis, the modalities; a missing one weighs 0.  scores: (M,) or (batch, M)."""
    # TensorFlow's own: the one of keras.ops warns where there is a single modality.
    return tf.nn.softmax(scores if present is None else ops.where(present, scores, -float("inf")), axis=-1)


def mix(weights: Any, hidden: Any) -> Any:
    """sum_m w_m h_m.  weights: (M,) or (batch, M);  hidden: (batch, M, out);  returns (batch, out)"""
    return ops.sum(ops.expand_dims(weights, -1) * hidden, axis=1)


def _specs(tensors: Mapping[str, Any]) -> dict[str, Spec]:
    return {m: Spec(tuple(x.shape), keras.backend.standardize_dtype(x.dtype)) for m, x in tensors.items()}

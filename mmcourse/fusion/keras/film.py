"""Feature-wise linear modulation: a condition scales and shifts features."""

from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.checks import keras as values
from mmcourse.fusion.film_checks import CHANNEL_AXIS, FilmSpecs, check_film


@keras.saving.register_keras_serializable(package="mmcourse")
class FiLM(keras.layers.Layer):
    """Scale and shift each feature as a condition asks:  y = gamma(c) * x + beta(c).

        gamma(c) = 1 + c scale_kernel + scale_bias,   beta(c) = c shift_kernel + shift_bias

    dim: the width of x, or its channels;  condition_dim: the width of c
    "scale_kernel" and "shift_kernel": (condition_dim, dim);  "scale_bias" and "shift_bias": (dim,)
    All four are zero at the start: y = x until training says otherwise.
    check_values: also refuse NaN and infinity; in a graph as an assertion with the same message. XLA drops assertions,
        so a layer that checks values declares `supports_jit = False`.
    Raises a ModalityError naming the input that does not fit.
    Source: Perez et al. (2018).
    """

    where = "FiLM"

    def __init__(self, dim: int, *, condition_dim: int, check_values: bool = True, **layer: Any) -> None:
        # Keras would cast features of another dtype in silence; here they are refused as in the other halves.
        super().__init__(**layer, autocast=False)
        self.dim = checks.check_size("dim", dim, self.where)
        self.condition_dim = checks.check_size("condition_dim", condition_dim, self.where)
        self.check_values = check_values
        self.supports_jit = not check_values
        self.supports_masking = True
        self.built = True  # every weight is made here
        self.scale_kernel, self.scale_bias, self.shift_kernel, self.shift_bias = (
            self.add_weight(name=name, shape=shape, initializer="zeros")
            for name, shape in (
                ("scale_kernel", (condition_dim, dim)),
                ("scale_bias", (dim,)),
                ("shift_kernel", (condition_dim, dim)),
                ("shift_bias", (dim,)),
            )
        )

    def get_config(self) -> dict[str, Any]:
        own = {"dim": self.dim, "condition_dim": self.condition_dim, "check_values": self.check_values}
        return {**super().get_config(), **own}

    def compute_mask(self, features: Any, *others: Any, **named: Any) -> None:
        """Masked steps are zero now; none is handed on."""

    def compute_output_spec(
        self, features: Any, condition: Any, *, features_mask: Any = None, condition_mask: Any = None
    ) -> Any:
        self._check_structure(features, condition, features_mask, condition_mask)
        return keras.KerasTensor(features.shape, self.compute_dtype)

    def call(self, features: Any, condition: Any, *, features_mask: Any = None, condition_mask: Any = None) -> Any:
        """Modulate the features.

        features: (batch, dim), (batch, time, dim) or (batch, dim, height, width);  condition: (batch, condition_dim)
        features_mask: (batch, time) bool, True = present; a masked step comes out as zero
        condition_mask: (batch,) bool, True = present; where the condition is missing y = x
        """
        self._check_structure(features, condition, features_mask, condition_mask)
        x = features if features_mask is None else ops.where(features_mask[..., None], features, 0.0)
        c = condition if condition_mask is None else ops.where(condition_mask[:, None], condition, 0.0)
        if self.check_values:
            x, c = self._check_numbers(x, c, condition_mask)
        delta = c @ self._value(self.scale_kernel) + self._value(self.scale_bias)
        beta = c @ self._value(self.shift_kernel) + self._value(self.shift_bias)
        if condition_mask is not None:
            delta, beta = (ops.where(condition_mask[:, None], change, 0.0) for change in (delta, beta))
        shape = [-1] + [1] * (len(x.shape) - 1)
        shape[CHANNEL_AXIS[len(x.shape)]] = self.dim
        y = (1 + ops.reshape(delta, shape)) * x + ops.reshape(beta, shape)
        return y if features_mask is None else ops.where(features_mask[..., None], y, 0.0)

    def _check_numbers(self, x: Any, c: Any, condition_mask: Any) -> tuple[Any, Any]:
        """Refuse batches that disagree and what is not finite; return tensors that wait for the assertions."""
        mask = {} if condition_mask is None else {"condition": condition_mask}
        checked, _ = values.check_batch({"features": x, "condition": c}, mask, self.where)
        rows = [ops.reshape(part, (ops.shape(part)[0], -1)) for part in checked.values()]
        values.check_values(list(checked), rows, None, self.where)
        return checked["features"], checked["condition"]

    def _check_structure(self, features: Any, condition: Any, features_mask: Any, condition_mask: Any) -> None:
        steps = None if features_mask is None else _spec(features_mask)
        asked = None if condition_mask is None else _spec(condition_mask)
        specs = FilmSpecs(_spec(features), _spec(condition), steps, asked)
        check_film(specs, (self.dim, self.condition_dim), self.where, dtype=self.compute_dtype)

    def _value(self, variable: Any) -> Any:
        """A parameter in the dtype of the computation, which a mixed policy keeps apart from the stored one."""
        return ops.cast(variable, self.compute_dtype)


def _spec(x: Any) -> Spec:
    return Spec(tuple(x.shape), keras.backend.standardize_dtype(x.dtype))

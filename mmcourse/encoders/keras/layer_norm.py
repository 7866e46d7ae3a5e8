"""Layer normalisation."""

from typing import Any

import keras
from keras import ops

from mmcourse.checks import check_size, shape_text
from mmcourse.errors import ShapeError


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class LayerNorm(keras.layers.Layer):
    """Normalise each vector by its own mean and variance:  scale (x - mean) / sqrt(variance + epsilon) + bias.

    dim: the width of a vector, of "scale", which begins at one, and of "bias", which begins at zero
    The variance is the mean of squares, over the dim numbers of one vector.
    Raises ShapeError for another width.
    Source: Ba et al. (2016).
    """

    where = "layer norm"

    def __init__(self, dim: int, *, epsilon: float = 1e-5, **layer: Any) -> None:
        super().__init__(**layer)
        self.dim, self.epsilon = check_size("dim", dim, self.where), epsilon
        self.supports_masking = True
        self.built = True
        self.scale = self.add_weight(name="scale", shape=(self.dim,), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(self.dim,), initializer="zeros")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim, "epsilon": self.epsilon}

    def call(self, x: Any) -> Any:
        """x: (..., dim);  returns the same shape"""
        if tuple(x.shape[-1:]) != (self.dim,):
            raise ShapeError("x", got=f"shape {shape_text(x.shape)}", wanted=f"(..., {self.dim})", where=self.where)
        # In single precision at least: squares of half-precision numbers overflow early.
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        wide, scale, bias = (ops.cast(value, dtype) for value in (x, self.scale, self.bias))
        centred = wide - ops.mean(wide, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        return ops.cast(scale * centred / ops.sqrt(variance + self.epsilon) + bias, self.compute_dtype)

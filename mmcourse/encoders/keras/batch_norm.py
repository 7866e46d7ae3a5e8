"""Batch normalisation of pictures."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse import checks
from mmcourse.checks import keras as values
from mmcourse.encoders import image_checks
from mmcourse.encoders.keras.image_base import ImageLayer, to_first


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class BatchNorm(ImageLayer):
    """Give each channel a mean and a variance of its own:  y = scale (x - mean) / sqrt(variance + epsilon) + bias.

    In training mean and variance (biased, by n) are the batch's over all n = batch x height x width values of a
    channel, and the running ones become  (1 - momentum) running + momentum batch,  whose variance is here the unbiased
    one, by n - 1. Else they are the running ones. Keras's own layer calls 1 - momentum so, and keeps the biased one.
    channels: of the pictures;  momentum: the share of the newest batch
    Parameters "scale", "bias", untrained "running_mean", "running_variance": (channels,)
    check_values: see ImageLayer.  Raises a ModalityError naming what does not fit, n = 1 in training too.
    Source: Ioffe and Szegedy (2015).
    """

    where = "batch norm"

    def __init__(self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5, **layer: Any) -> None:
        super().__init__(**layer)
        self.channels = checks.check_size("channels", channels, self.where)
        image_checks.check_norm(momentum, epsilon, self.where)
        self.momentum, self.epsilon = momentum, epsilon
        self.scale, self.bias = self._vector("scale", "ones"), self._vector("bias", "zeros")
        self.running_mean = self._vector("running_mean", "zeros", trainable=False)
        self.running_variance = self._vector("running_variance", "ones", trainable=False)

    def _vector(self, name: str, initializer: str, *, trainable: bool = True) -> Any:
        # Never cast: half precision would lose the sums of squares, and the small steps of the running statistics.
        return self.add_weight(
            name=name, shape=(self.channels,), initializer=initializer, trainable=trainable, autocast=False
        )

    def get_config(self) -> dict[str, Any]:
        own = {"channels": self.channels, "momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own}

    def compute_output_spec(self, images: Any, training: bool | None = None) -> Any:
        return keras.KerasTensor(self.check_structure(images, self.channels), self.compute_dtype)

    def call(self, images: Any, training: bool | None = None) -> Any:
        """images: (batch, channels, height, width);  returns the same shape"""
        return to_first(self.on_maps(self.prepare(images, self.channels), training))

    def on_maps(self, maps: Any, training: bool | None = None) -> Any:
        """maps: (batch, height, width, channels);  returns the same shape"""
        maps = ops.cast(maps, self.variable_dtype)
        mean, variance = ops.convert_to_tensor(self.running_mean), ops.convert_to_tensor(self.running_variance)
        if training:
            maps, count = self._counted(maps)
            mean, variance = tf.nn.moments(maps, axes=(0, 1, 2))
            unbiased = variance * count / (count - 1)
            for running, batch in ((self.running_mean, mean), (self.running_variance, unbiased)):
                running.assign((1 - self.momentum) * running + self.momentum * tf.stop_gradient(batch))
        output = self.scale * (maps - mean) / ops.sqrt(variance + self.epsilon) + self.bias
        return ops.cast(output, self.compute_dtype)

    def _counted(self, maps: Any) -> tuple[Any, Any]:
        """The maps, and how many values of a channel they have; one is refused, in a graph by an assertion."""
        known = None if None in maps.shape[:3] else maps.shape.num_elements() // self.channels
        image_checks.check_statistics(known, self.where)
        count = tf.reduce_prod(tf.shape(maps)[:3])
        if known is None and self.check_values:
            with tf.control_dependencies([values.refuse(count == 1, image_checks.single_value(self.where))]):
                maps = tf.identity(maps)
        return maps, ops.cast(count, maps.dtype)

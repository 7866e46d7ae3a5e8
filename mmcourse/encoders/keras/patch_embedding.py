"""Pictures as sequences of patches."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.keras.image_base import ImageLayer
from mmcourse.encoders.windows import Pair, pair


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class PatchEmbedding(ImageLayer):
    """Give each patch a vector, linear in its pixels:  t_n = kernel patch_n + bias.

    patch_size: one number, or (height, width);  dim: the width of a vector;  channels: of the pictures
    Parameters: "kernel" (dim, channels, patch height, patch width), drawn so that vectors are about as large as pixels,
        and "bias" (dim,), zero
    check_values: see ImageLayer.  Raises a ModalityError naming what does not fit, a patch that does not divide the
    picture too.  Source: Dosovitskiy et al. (2021).
    """

    where = "patch embedding"

    def __init__(self, patch_size: Pair, dim: int, *, channels: int = 3, **layer: Any) -> None:
        super().__init__(**layer)
        self.patch_size = pair("patch_size", patch_size, self.where)
        self.dim = checks.check_size("dim", dim, self.where)
        self.channels = checks.check_size("channels", channels, self.where)
        down, across = self.patch_size
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.dim, self.channels, down, across),
            initializer=keras.initializers.RandomNormal(stddev=(self.channels * down * across) ** -0.5),
        )
        self.bias = self.add_weight(name="bias", shape=(self.dim,), initializer="zeros")

    def get_config(self) -> dict[str, Any]:
        own = {"patch_size": self.patch_size, "dim": self.dim, "channels": self.channels}
        return {**super().get_config(), **own}

    def compute_output_spec(self, images: Any) -> Any:
        batch, _, height, width = self.check_structure(images, self.channels)
        image_checks.check_patches((height, width), self.patch_size, self.where)
        down, across = self.patch_size
        patches = None if height is None or width is None else (height // down) * (width // across)
        return keras.KerasTensor((batch, patches, self.dim), self.compute_dtype)

    def call(self, images: Any) -> Any:
        """images: (batch, channels, height, width);  returns (batch, patches, dim), row by row"""
        self.check_structure(images, self.channels)
        image_checks.check_patches(tuple(images.shape[2:]), self.patch_size, self.where)
        return self.on_maps(self.prepare(images, self.channels))

    def on_maps(self, maps: Any) -> Any:
        """(batch, height, width, channels) -> (batch, patches, dim)"""
        kernel = ops.transpose(self.value(self.kernel), (2, 3, 1, 0))
        places = tf.nn.conv2d(maps, kernel, self.patch_size, "VALID")
        return tf.reshape(places, (tf.shape(places)[0], -1, self.dim)) + self.value(self.bias)

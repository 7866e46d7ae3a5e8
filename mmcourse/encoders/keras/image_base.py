"""What the layers for pictures share: what they ask of their inputs, and how they lay out channels inside.

TensorFlow's convolutions on a processor want channels last. Outside pictures are (batch, channels, height, width), as
in the other halves; inside they are maps (batch, height, width, channels), turned on the way in and on the way out.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import Spec
from mmcourse.checks import keras as values
from mmcourse.checks.keras import UNKNOWN
from mmcourse.encoders import image_checks
from mmcourse.errors import ShapeError


class ImageLayer(keras.layers.Layer):
    """A layer that is called with pictures (batch, channels, height, width).

    check_values: also refuse NaN and infinity. This check needs the numbers, so on a GPU each call waits for the
        device; shapes and dtypes are checked in any case. In a graph it is an assertion with the same message, raised
        by TensorFlow as InvalidArgumentError. XLA drops assertions, so a layer that checks values declares
        `supports_jit = False`: Keras then compiles without XLA.
    """

    where = "image encoder"

    def __init__(self, *, check_values: bool = True, **layer: Any) -> None:
        # Keras would cast pictures of another dtype in silence; here they are refused as in the other halves.
        super().__init__(**layer, autocast=False)
        self.check_values = check_values
        self.supports_jit = not check_values
        self.built = True  # every weight is made in the constructor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "check_values": self.check_values}

    def prepare(self, images: Any, channels: int | None) -> Any:
        """Check everything; return maps (batch, height, width, channels)."""
        images = check_images(images, channels, self.where, dtype=self.compute_dtype, check_values=self.check_values)
        return to_last(images)

    def check_structure(self, images: Any, channels: int | None) -> tuple[int | None, ...]:
        """Check all but the numbers; return the shape, None for what is known only when a graph runs."""
        return check_structure(images, channels, self.where, dtype=self.compute_dtype)

    def value(self, variable: Any) -> Any:
        """A parameter in the dtype of the computation, which a mixed policy keeps apart from the stored one."""
        return ops.cast(variable, self.compute_dtype)


def check_images(
    images: Any, channels: int | None, where: str, *, dtype: str | None = None, check_values: bool = True
) -> Any:
    """Refuse what is not pictures; return them, in a graph as a tensor that waits for the assertions."""
    check_structure(images, channels, where, dtype=dtype)
    if not check_values:
        return images
    finite = tf.reduce_all(tf.math.is_finite(images), axis=(1, 2, 3))
    if tf.executing_eagerly():
        image_checks.check_finite(finite.numpy(), where)
        return images
    checked, _ = values.check_batch({"image": images}, {}, where)
    assertion = values.refuse_rows(~finite, image_checks.not_finite(UNKNOWN, where))
    with tf.control_dependencies([assertion]):  # a refused batch must not move the running statistics of a norm
        return tf.identity(checked["image"])


def check_structure(
    images: Any, channels: int | None, where: str, *, dtype: str | None = None
) -> tuple[int | None, ...]:
    """Check all but the numbers; return the shape."""
    spec = Spec(tuple(images.shape), keras.backend.standardize_dtype(images.dtype))
    image_checks.check_images(spec, channels, where, dtype=dtype)
    return spec.shape


def check_known_size(shape: tuple[int | None, ...], where: str) -> None:
    """Raise ShapeError where height or width are known only when a graph runs."""
    for axis, pixels in zip(("height", "width"), shape[2:], strict=True):
        if pixels is None:
            got = f"a {axis} that is known only when the graph runs"
            raise ShapeError("image", got=got, wanted="one known before", where=where)


def to_last(images: Any) -> Any:
    """(batch, channels, height, width) -> (batch, height, width, channels)"""
    return ops.transpose(images, (0, 2, 3, 1))


def to_first(maps: Any) -> Any:
    """(batch, height, width, channels) -> (batch, channels, height, width)"""
    return ops.transpose(maps, (0, 3, 1, 2))


def places(windows: Any, height: int | None, width: int | None) -> tuple[int | None, int | None]:
    """Height and width of what comes out, as far as they are known."""
    sizes = zip(windows, (height, width), strict=True)
    down, across = (None if size is None else window.places(size) for window, size in sizes)
    return down, across

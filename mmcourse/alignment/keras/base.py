"""What the losses share: checks, cosines, the learned scale."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.alignment import checks
from mmcourse.alignment.keras import values
from mmcourse.checks import Spec


def cosines(image: Any, text: Any, *, check_values: bool, where: str, groups: Any = None) -> tuple[Any, Any]:
    """Check everything; return the cosine of every image with every text (batch, batch), and the groups.

    Half precision becomes single; without groups each row is one of its own.
    """
    image, text = tf.convert_to_tensor(image), tf.convert_to_tensor(text)
    groups = None if groups is None else tf.convert_to_tensor(groups)
    check_structure(image, text, groups, where)
    if check_values:
        image, text, groups = values.check_batch(image, text, groups, where)
    image, text = (ops.cast(x, checks.computed_in(dtype_name(x))) for x in (image, text))
    largest = [tf.stop_gradient(ops.max(ops.abs(x), axis=1, keepdims=True)) for x in (image, text)]  # (batch, 1)
    if check_values:
        values.check_values(ops.concatenate(largest, axis=1), where)
    # By the largest entry first, so that no square overflows or vanishes.
    image, text = (x / size for x, size in zip((image, text), largest, strict=True))
    image, text = (x / ops.sqrt(ops.sum(ops.square(x), axis=1, keepdims=True)) for x in (image, text))
    groups = ops.arange(ops.shape(image)[0]) if groups is None else groups
    return ops.matmul(image, ops.transpose(text)), groups


def same_group(groups: Any) -> Any:
    """Which rows are of one group: (batch, batch)."""
    return ops.equal(groups[:, None], groups[None, :])


def check_structure(image: Any, text: Any, groups: Any, where: str) -> None:
    """Check all but the numbers."""
    batch = checks.check_pair(spec(image), spec(text), where)
    if groups is not None:
        checks.check_groups(spec(groups), batch, where)


def number(value: Any, name: str, dtype: str, check_values: bool, where: str) -> Any:
    """Return a scale or a bias in the dtype of the computation, or raise a ModalityError."""
    value = ops.convert_to_tensor(value, dtype)
    checks.check_scalar(name, tuple(value.shape), where)
    if check_values and tf.executing_eagerly():  # in a graph NaN becomes the loss
        (checks.check_scale if name == "scale" else checks.check_bias)(float(value), where)
    return value


class ContrastiveLoss(keras.layers.Layer):
    """A loss with the weight "log_scale", from which  s = exp(log_scale),  at most max_scale.

    scale: s to begin with;  max_scale: its bound, None for none. An optimiser's step is cut back to the bound, as in
        CLIP, so that the gradient is never cut off.
    check_values: also refuse NaN, infinity and rows of zeros. These checks need the numbers, so on a GPU each call
        waits for the device; shapes and dtypes are checked in any case. Without them such a row makes the loss NaN.
        In a graph they are assertions with the same message, raised by TensorFlow as InvalidArgumentError; XLA drops
        assertions, so a layer that checks values declares `supports_jit = False`: Keras then compiles without XLA.
    Raises a ModalityError naming what does not fit.
    """

    where = "contrastive loss"

    def __init__(
        self,
        *,
        scale: float = checks.SCALE,
        max_scale: float | None = checks.MAX_SCALE,
        check_values: bool = True,
        **layer: Any,
    ) -> None:
        # Keras would cast embeddings of another dtype in silence; here they are refused as in the other halves.
        super().__init__(**layer, autocast=False)
        checks.check_initial(scale, max_scale, self.where)
        self.initial_scale = scale
        self.max_scale = max_scale
        self.check_values = check_values
        self.supports_jit = not check_values
        self.supports_masking = True
        self.log_scale = self.add_weight(
            name="log_scale",
            shape=(),
            initializer=keras.initializers.Constant(math.log(scale)),
            constraint=self._bounded,
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Nothing is missing in the result."""

    def get_config(self) -> dict[str, Any]:
        own = {"scale": self.initial_scale, "max_scale": self.max_scale, "check_values": self.check_values}
        return {**super().get_config(), **own}

    def compute_output_spec(self, image: Any, text: Any, groups: Any = None) -> Any:
        check_structure(image, text, groups, self.where)
        return keras.KerasTensor((), checks.computed_in(dtype_name(image)))

    def scale(self) -> Any:
        """s, a scalar with gradient."""
        log_scale = ops.convert_to_tensor(self.log_scale)
        # In value the bounded one, in gradient as if there were no bound: weights may be loaded from beyond it.
        return ops.exp(log_scale + tf.stop_gradient(self._bounded(log_scale) - log_scale))

    def _bounded(self, log_scale: Any) -> Any:
        return log_scale if self.max_scale is None else ops.minimum(log_scale, math.log(self.max_scale))


def dtype_name(x: Any) -> str:
    """float32 and the like."""
    return str(keras.backend.standardize_dtype(x.dtype))


def spec(x: Any) -> Spec:
    """Shape and dtype."""
    return Spec(tuple(x.shape), dtype_name(x))

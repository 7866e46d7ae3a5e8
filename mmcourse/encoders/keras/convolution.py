"""Convolution of pictures."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.keras.image_base import ImageLayer, places, to_first
from mmcourse.encoders.windows import Pair, Plane, check_room, pair, plane


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class Convolution(ImageLayer):
    """Slide kernels over pictures:  y[o,i,j] = bias[o] + sum_cuv kernel[o,c,u,v] x[c, si+du-p, sj+dv-p].

    in_channels, out_channels: of the pictures and of what comes out, both multiples of groups
    kernel_size, stride s, padding p, dilation d: one number, or two (vertical, horizontal)
    Parameters: "kernel" (out_channels, in_channels / groups, kernel height, kernel width), with bias "bias"
        (out_channels,). The kernel begins as in He et al. (2015), the bias at zero.
    check_values: see ImageLayer.  Raises a ModalityError naming what does not fit.
    The formula, with its words: mmcourse.encoders.numpy.convolution.
    """

    where = "convolution"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.in_channels = checks.check_size("in_channels", in_channels, self.where)
        self.out_channels = checks.check_size("out_channels", out_channels, self.where)
        self.windows = plane(kernel_size, stride=stride, padding=padding, dilation=dilation, where=self.where)
        self.groups, _ = pair("groups", groups, self.where)
        image_checks.check_divides("in_channels", self.in_channels, "groups", self.groups, self.where)
        image_checks.check_divides("out_channels", self.out_channels, "groups", self.groups, self.where)
        height, width = (window.kernel_size for window in self.windows)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.out_channels, self.in_channels // self.groups, height, width),
            initializer=keras.initializers.RandomNormal(stddev=(2 / (self.out_channels * height * width)) ** 0.5),
        )
        self.bias = self.add_weight(name="bias", shape=(self.out_channels,), initializer="zeros") if bias else None

    def get_config(self) -> dict[str, Any]:
        names = ("kernel_size", "stride", "padding", "dilation")
        windows = dict(zip(names, zip(*self.windows, strict=True), strict=True))
        own = {"in_channels": self.in_channels, "out_channels": self.out_channels, "groups": self.groups}
        return {**super().get_config(), **own, **windows, "bias": self.bias is not None}

    def compute_output_spec(self, images: Any) -> Any:
        batch, _, height, width = self.check_structure(images, self.in_channels)
        check_room(self.windows, height, width, self.where)
        shape = (batch, self.out_channels, *places(self.windows, height, width))
        return keras.KerasTensor(shape, self.compute_dtype)

    def call(self, images: Any) -> Any:
        """images: (batch, in_channels, height, width);  returns (batch, out_channels, places down, places across)"""
        _, _, height, width = self.check_structure(images, self.in_channels)
        check_room(self.windows, height, width, self.where)
        return to_first(self.on_maps(self.prepare(images, self.in_channels)))

    def on_maps(self, maps: Any) -> Any:
        """(batch, height, width, in_channels) -> (batch, places down, places across, out_channels)"""
        kernel = dilated(ops.transpose(self.value(self.kernel), (2, 3, 1, 0)), self.windows)
        strides = [1, *(window.stride for window in self.windows), 1]
        edges = [(0, 0), *((window.padding, window.padding) for window in self.windows), (0, 0)]
        # Group by group: on a processor TensorFlow has no gradient of a grouped convolution.
        pairs = zip(tf.split(maps, self.groups, axis=3), tf.split(kernel, self.groups, axis=3), strict=True)
        parts = [tf.nn.conv2d(x, k, strides, edges) for x, k in pairs]
        output = parts[0] if self.groups == 1 else tf.concat(parts, axis=3)
        return output if self.bias is None else output + self.value(self.bias)


def dilated(kernel: Any, windows: Plane) -> Any:
    """The kernel with zeros between its entries: (height, width, in, out) -> (reach down, reach across, in, out).

    On a processor TensorFlow has no gradient of a convolution with dilation and stride.
    """
    for axis, window in enumerate(windows):
        if window.dilation > 1:
            apart = tf.stack([kernel, *[tf.zeros_like(kernel)] * (window.dilation - 1)], axis=axis + 1)
            shape = [*kernel.shape[:axis], window.kernel_size * window.dilation, *kernel.shape[axis + 1 :]]
            kernel = tf.gather(tf.reshape(apart, shape), tf.range(window.reach), axis=axis)
    return kernel

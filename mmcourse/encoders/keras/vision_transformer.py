"""The vision Transformer."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.image_positions import check_positions, fixed_positions, grid_of, interpolation_matrix
from mmcourse.encoders.keras.image_base import ImageLayer, check_known_size
from mmcourse.encoders.keras.patch_embedding import PatchEmbedding
from mmcourse.encoders.keras.sequence import linear
from mmcourse.encoders.keras.transformer import TransformerEncoder
from mmcourse.encoders.windows import Pair, pair


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class VisionTransformer(ImageLayer):
    """One vector of each picture: what a Transformer makes of a class token that attends to the picture's patches.

        t_0 = class_token,  t_n = patch embedding;   v = Transformer(t + positions)_0, times the head's kernel + bias

    size: of the pictures, one number or (height, width);  patch_size: likewise, divides it;  channels: of the pictures
    dim: the width of a token;  layers, heads, hidden_size (4 dim if not given): see TransformerEncoder; layers
        normalise first, a norm comes last, the activation is the exact GELU, there is no dropout
    out_dim: the width of v; None for no head, v is then dim wide
    positions: "learned", or "sine-cosine" for fixed ones (image_positions.sine_cosine_positions; the class token has 0)
    interpolate: also take pictures of another size, with positions interpolated to it
        (image_positions.interpolation_matrix); it must be known when a graph is made
    Parameters: "patches.kernel", "patches.bias", "class_token" (dim,), learned "positions" (1 + patches, dim),
        "encoder." and those of TransformerEncoder, "head.kernel" (dim, out_dim), "head.bias" (out_dim,)
    check_values: see ImageLayer.  Raises a ModalityError naming what does not fit.
    Source: Dosovitskiy et al. (2021).
    """

    where = "vision transformer"

    def __init__(
        self,
        *,
        size: Pair,
        patch_size: Pair,
        channels: int = 3,
        dim: int,
        layers: int,
        heads: int,
        hidden_size: int | None = None,
        out_dim: int | None = None,
        positions: str = "learned",
        interpolate: bool = False,
        epsilon: float = 1e-6,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.size, self.interpolate, policy = pair("size", size, self.where), interpolate, self.dtype_policy
        self.patches = PatchEmbedding(patch_size, dim, channels=channels, check_values=False, dtype=policy)
        self.channels, self.dim = self.patches.channels, self.patches.dim
        image_checks.check_patches(self.size, self.patches.patch_size, self.where)
        self.grid = grid_of(self.size, self.patches.patch_size)
        self.out_dim = self.dim if out_dim is None else checks.check_size("out_dim", out_dim, self.where)
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.class_token = self.add_weight(name="class_token", shape=(self.dim,), initializer=small)
        check_positions(positions, self.where)
        self.positions = None
        if positions == "learned":
            shape = (1 + self.grid[0] * self.grid[1], self.dim)
            self.positions = self.add_weight(
                name="positions", shape=shape, initializer=keras.initializers.RandomNormal(stddev=0.02)
            )
        else:
            fixed_positions(self.grid, self.dim)  # refuses a width that cannot be
        self.encoder = TransformerEncoder(
            self.dim,
            layers=layers,
            heads=heads,
            hidden_size=hidden_size,
            activation="gelu",
            epsilon=epsilon,
            check_values=False,
            dtype=policy,
        )
        self.options: dict[str, Any] = {
            "layers": layers,
            "heads": heads,
            "hidden_size": hidden_size,
            "positions": positions,
        }
        self.options |= {"interpolate": interpolate, "epsilon": epsilon, "out_dim": out_dim}
        self.head = None if out_dim is None else linear(self.dim, self.out_dim, policy)

    def get_config(self) -> dict[str, Any]:
        own = {"size": self.size, "patch_size": self.patches.patch_size, "channels": self.channels, "dim": self.dim}
        return {**super().get_config(), **own, **self.options}

    def check_structure(self, images: Any, channels: int | None) -> tuple[int | None, ...]:
        """Check all but the numbers; return the shape."""
        shape = super().check_structure(images, channels)
        if self.interpolate:
            check_known_size(shape, self.where)
        else:
            image_checks.check_picture_size(shape[2:], self.size, self.where)
        image_checks.check_patches(shape[2:], self.patches.patch_size, self.where)
        return shape

    def compute_output_spec(self, images: Any) -> Any:
        batch, *_ = self.check_structure(images, self.channels)
        return keras.KerasTensor((batch, self.out_dim), self.compute_dtype)

    def call(self, images: Any) -> Any:
        """images: (batch, channels, height, width);  returns (batch, out_dim)"""
        vectors = self.tokens(images)[:, 0]
        return vectors if self.head is None else self.head(vectors)

    def tokens(self, images: Any) -> Any:
        """What the Transformer makes of all tokens, the class token first: (batch, 1 + patches, dim)."""
        images = ops.convert_to_tensor(images)
        self.check_structure(images, self.channels)
        patches = self.patches.on_maps(self.prepare(images, self.channels))
        grid = grid_of(images.shape[2:], self.patches.patch_size) if self.interpolate else self.grid
        first = tf.broadcast_to(self.value(self.class_token), (tf.shape(patches)[0], 1, self.dim))
        tokens = tf.concat([first, patches], axis=1) + self.value(self.positions_on(grid))
        return self.encoder(tokens)

    def positions_on(self, grid: tuple[int, int]) -> Any:
        """The positions for so many patches down and across, that of the class token first: (1 + patches, dim)."""
        positions = self.positions
        if positions is None:
            positions = ops.convert_to_tensor(fixed_positions(self.grid, self.dim), self.variable_dtype)
        if grid == self.grid:
            return positions
        matrix = ops.convert_to_tensor(interpolation_matrix(self.grid, grid), self.variable_dtype)
        return tf.concat([positions[:1], matrix @ positions[1:]], axis=0)

"""The vision Transformer."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.image_positions import check_positions, fixed_positions, grid_of, interpolation_matrix
from mmcourse.encoders.torch.image_base import ImageModule
from mmcourse.encoders.torch.patch_embedding import PatchEmbedding
from mmcourse.encoders.torch.sequence import Linear
from mmcourse.encoders.torch.transformer import TransformerEncoder
from mmcourse.encoders.windows import Pair, pair

LAYER = {
    "attention.q_proj": "attention.query",
    "attention.k_proj": "attention.key",
    "attention.v_proj": "attention.value",
    "attention.o_proj": "attention.out",
    "mlp.fc1": "feed_forward.hidden",
    "mlp.fc2": "feed_forward.out",
    "layernorm_before": "attention_norm",
    "layernorm_after": "feed_forward_norm",
}  # Transformers' names of a layer's parts, and ours


class VisionTransformer(ImageModule):
    """One vector of each picture: what a Transformer makes of a class token that attends to the picture's patches.

        t_0 = class_token,  t_n = patch embedding;   v = Transformer(t + positions)_0, times the head's kernel + bias

    size: of the pictures, one number or (height, width);  patch_size: likewise, divides it;  channels: of the pictures
    dim: the width of a token;  layers, heads, hidden_size (4 dim if not given): see TransformerEncoder; layers
        normalise first, a norm comes last, the activation is the exact GELU, there is no dropout
    out_dim: the width of v; None for no head, v is then dim wide
    positions: "learned", or "sine-cosine" for fixed ones (image_positions.sine_cosine_positions; the class token has 0)
    interpolate: also take pictures of another size, with positions interpolated to it
        (image_positions.interpolation_matrix)
    Parameters: "patches.kernel", "patches.bias", "class_token" (dim,), learned "positions" (1 + patches, dim),
        "encoder." and those of TransformerEncoder, "head.kernel" (dim, out_dim), "head.bias" (out_dim,)
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit.
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
        check_values: bool = True,
    ) -> None:
        super().__init__(check_values=check_values)
        self.size, self.interpolate = pair("size", size, self.where), interpolate
        self.patches = PatchEmbedding(patch_size, dim, channels=channels, check_values=False)
        self.channels, self.dim = self.patches.channels, self.patches.dim
        image_checks.check_patches(self.size, self.patches.patch_size, self.where)
        self.grid = grid_of(self.size, self.patches.patch_size)
        self.out_dim = self.dim if out_dim is None else checks.check_size("out_dim", out_dim, self.where)
        self.class_token = nn.Parameter(0.02 * torch.randn(self.dim))
        check_positions(positions, self.where)
        self.positions: Tensor | None = None
        if positions == "learned":
            self.positions = nn.Parameter(0.02 * torch.randn(1 + self.grid[0] * self.grid[1], self.dim))
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
        )
        self.head = None if out_dim is None else Linear(self.dim, self.out_dim)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, channels, height, width);  returns (batch, out_dim)"""
        vectors = self.tokens(images)[:, 0]
        return vectors if self.head is None else self.head(vectors)

    def tokens(self, images: Tensor) -> Tensor:
        """What the Transformer makes of all tokens, the class token first: (batch, 1 + patches, dim)."""
        self.check_images(images, self.channels)
        if not self.interpolate:
            image_checks.check_picture_size(tuple(images.shape[2:]), self.size, self.where)
        patches = self.patches(images)
        grid = grid_of(tuple(images.shape[2:]), self.patches.patch_size)
        tokens = torch.cat([self.class_token.expand(len(images), 1, -1), patches], dim=1)
        return self.encoder(tokens + self.positions_on(grid))

    def positions_on(self, grid: tuple[int, int]) -> Tensor:
        """The positions for so many patches down and across, that of the class token first: (1 + patches, dim)."""
        like = self.class_token
        positions = self.positions
        if positions is None:
            positions = torch.as_tensor(fixed_positions(self.grid, self.dim), dtype=like.dtype, device=like.device)
        if grid == self.grid:
            return positions
        matrix = torch.as_tensor(interpolation_matrix(self.grid, grid), dtype=like.dtype, device=like.device)
        return torch.cat([positions[:1], matrix @ positions[1:]])

    @classmethod
    def from_transformers(cls, model: nn.Module, *, interpolate: bool = False) -> "VisionTransformer":
        """The same network as a ViTModel of the library Transformers, with copies of its weights, without a head.

        Its tokens are their `last_hidden_state`; what their pooler makes of the class token is left out. Raises
        ValueError for another activation than the exact GELU, or projections without a bias.
        """
        config: Any = model.config
        if config.hidden_act != "gelu" or not config.qkv_bias:
            got = f"{config.hidden_act}, qkv_bias={config.qkv_bias}"
            raise ValueError(f"{cls.where}: model: got {got}, wanted gelu, qkv_bias=True")
        ours = cls(
            size=config.image_size,
            patch_size=config.patch_size,
            channels=config.num_channels,
            dim=config.hidden_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            hidden_size=config.intermediate_size,
            interpolate=interpolate,
            epsilon=config.layer_norm_eps,
        ).to(next(model.parameters()))
        ours.load_state_dict(_renamed(model.state_dict(), config.num_hidden_layers))
        return ours.train(model.training)


def _renamed(theirs: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Transformers' state under our names; its matrices are (out, in), ours (in, out)."""
    ours = {
        "class_token": theirs["embeddings.cls_token"][0, 0],
        "positions": theirs["embeddings.position_embeddings"][0],
        "patches.kernel": theirs["embeddings.patch_embeddings.projection.weight"],
        "patches.bias": theirs["embeddings.patch_embeddings.projection.bias"],
    }
    parts = {"layernorm": "encoder.final_norm"}
    for layer in range(layers):
        parts |= {f"layers.{layer}.{their}": f"encoder.layers.{layer}.{our}" for their, our in LAYER.items()}
    for their, our in parts.items():
        weight = theirs[f"{their}.weight"]
        ours[f"{our}.scale" if weight.ndim == 1 else f"{our}.kernel"] = weight.T if weight.ndim == 2 else weight
        ours[f"{our}.bias"] = theirs[f"{their}.bias"]
    return ours

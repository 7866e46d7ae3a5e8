"""A sequence of any length read by a fixed number of learned latents."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders.sequence_checks import check_activation
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.sequence import SequenceEncoder
from mmcourse.encoders.torch.transformer import FeedForward
from mmcourse.fusion.torch.cross_attention import CrossAttention, allowed_keys


class PerceiverResampler(SequenceEncoder):
    """Turn a sequence of any length into as many vectors as there are latents, which read it layer by layer.

        l <- l + attention(norm_l(l), [norm_x(x), norm_l(l)]),    l <- l + feed_forward(norm(l)),    y = final_norm(l)

    attention(q, k): see CrossAttention, from the latents to the steps x and to themselves, whose cost grows with the
    first power of the length; feed_forward(l) = activation(l hidden + b_1) out + b_2
    dim: the width of a step, a latent and of the result;  latents: how many;  layers: how many;  heads: divides dim
    hidden_size: the inner width of feed_forward, 4 dim if not given;  activation: "relu" or "gelu", the exact one
    Parameters "latents" (latents, dim), "layers.0.attention.query.kernel", "layers.0.input_norm.scale",
    "layers.0.latent_norm.scale", "layers.0.feed_forward_norm.scale", "layers.0.feed_forward.hidden.kernel",
    "final_norm.scale", and so on. The order of the steps does not matter: positions are added before.
    A masked step is seen by no latent.  PyTorch alone: a second framework would teach nothing.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Alayrac et al. (2022), after Jaegle et al. (2021); with biases, which their attention leaves out.
    """

    where = "perceiver resampler"

    def __init__(
        self,
        dim: int,
        *,
        latents: int,
        layers: int,
        heads: int,
        hidden_size: int | None = None,
        activation: str = "gelu",
        epsilon: float = 1e-5,
        check_values: bool = True,
    ) -> None:
        super().__init__(dim, out_dim=dim, check_values=check_values)
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        check_activation(activation, self.where)
        self.latents = nn.Parameter(torch.randn(check_size("latents", latents, self.where), self.dim))
        self.layers = nn.ModuleList(
            ResamplerLayer(self.dim, heads, hidden_size, activation, epsilon)
            for _ in range(check_size("layers", layers, self.where))
        )
        self.final_norm = LayerNorm(self.dim, epsilon=epsilon)

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """sequence: (batch, time, dim);  mask: (batch, time) bool;  returns (batch, latents, dim)"""
        x = self.prepare(sequence, mask)
        latents = self.latents.expand(len(x), -1, -1)
        if mask is not None:  # the latents see themselves, so that none sees nothing
            mask = torch.cat([mask, mask.new_ones(latents.shape[:2])], dim=1)
        for layer in self.layers:
            latents = layer(latents, x, allowed_keys(mask))
        return self.final_norm(latents)


class ResamplerLayer(nn.Module):
    """One layer of a PerceiverResampler, on inputs that were checked."""

    def __init__(self, dim: int, heads: int, hidden_size: int, activation: str, epsilon: float) -> None:
        super().__init__()
        self.attention = CrossAttention(dim, heads=heads)
        self.input_norm, self.latent_norm = LayerNorm(dim, epsilon=epsilon), LayerNorm(dim, epsilon=epsilon)
        self.feed_forward = FeedForward(dim, hidden_size, activation)
        self.feed_forward_norm = LayerNorm(dim, epsilon=epsilon)

    def forward(self, latents: Tensor, x: Tensor, allowed: Tensor | None) -> Tensor:
        """latents: (batch, latents, dim);  x: (batch, time, dim);  returns (batch, latents, dim)"""
        queries = self.latent_norm(latents)
        keys = torch.cat([self.input_norm(x), queries], dim=1)
        latents = latents + self.attention.attend(queries, keys, allowed)
        return latents + self.feed_forward(self.feed_forward_norm(latents))

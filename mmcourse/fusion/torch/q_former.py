"""Learned queries that read a picture and talk with a text, or do not, as a mask says."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders.torch.attention import SelfAttention
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.transformer import FeedForward
from mmcourse.fusion.torch.cross_attention import CrossAttention, allowed_keys
from mmcourse.fusion.torch.sequences import SequenceFusion, silence

MODES = ("contrastive", "matching", "generation")


class QFormer(SequenceFusion):
    """Let learned queries read a picture, and let them and a text see each other as the task asks.

        z = [queries, text] normed;  in each layer:
        z <- norm(z + self_attention(z)),    one for queries and text, under the mask of the mode
        q <- norm(q + cross_attention(q, picture)),    the queries alone, in the layers 0, every, 2 every, ...
        q <- norm(q + feed_forward(q)),   t <- norm(t + text_feed_forward(t)),   each with a network of its own

    mode "contrastive": queries see queries, the text sees the text, neither sees the other;  "matching": all see all;
    "generation": queries see queries, a step of the text sees the queries, itself and the steps before it
    dim: the width of queries and text;  key_dim: that of the picture, dim if not given;  queries, layers: how many
    heads: divides dim;  hidden_size: the inner width of both feed_forward, 4 dim if not given;  gelu, the exact one
    Parameters "queries" (queries, dim), "layers.0.self_attention.query.kernel", "layers.0.self_attention_norm.scale",
    "layers.0.cross_attention.key.kernel", "layers.0.feed_forward.hidden.kernel",
    "layers.0.text_feed_forward.hidden.kernel", "input_norm.scale", and so on. No dropout; the words of a text are
    embedded, and positions added, before.  PyTorch alone: a second framework would teach nothing.
    check_values: see SequenceFusion.  Raises a ModalityError naming what does not fit, ValueError for another mode.
    Source: Li et al. (2023), BLIP-2.
    """

    where = "q-former"
    optional = ("text",)

    def __init__(
        self,
        dim: int,
        *,
        key_dim: int | None = None,
        queries: int,
        layers: int,
        heads: int,
        hidden_size: int | None = None,
        every: int = 2,
        epsilon: float = 1e-5,
        check_values: bool = True,
    ) -> None:
        super().__init__({"picture": dim if key_dim is None else key_dim, "text": dim}, check_values=check_values)
        self.dim = self.dims["text"]
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        check_size("every", every, self.where)
        self.queries = nn.Parameter(torch.randn(check_size("queries", queries, self.where), self.dim))
        self.input_norm = LayerNorm(self.dim, epsilon=epsilon)
        self.layers = nn.ModuleList(
            QFormerLayer(self.dim, self.dims["picture"] if index % every == 0 else None, heads, hidden_size, epsilon)
            for index in range(check_size("layers", layers, self.where))
        )

    def forward(
        self,
        picture: Tensor,
        text: Tensor | None = None,
        *,
        mode: str = "matching",
        mask: Tensor | None = None,
        text_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """picture: (batch, k, key_dim);  text: (batch, time, dim), or None, and the queries are alone

        mask: of the picture, (batch, k) bool;  text_mask: (batch, time) bool
        returns the queries (batch, queries, dim) and the text (batch, time, dim), zero where it is masked
        """
        if mode not in MODES:
            raise ValueError(f"{self.where}: mode: got {mode!r}, wanted {' or '.join(map(repr, MODES))}")
        features = {"picture": picture} if text is None else {"picture": picture, "text": text}
        inputs, present = self.prepare(features, {"picture": mask, "text": text_mask})
        x, count = inputs["picture"], len(self.queries)
        z = self.queries.expand(len(x), -1, -1)
        z = self.input_norm(z if text is None else torch.cat([z, inputs["text"]], dim=1))
        text_present, allowed = present.get("text"), None
        if text_present is not None or mode != "matching":
            allowed = who_sees_whom(mode, count, z.shape[1] - count, text_present).to(z.device)
        for layer in self.layers:
            z = layer(z, x, count, allowed, allowed_keys(present["picture"]))
        return z[:, :count], None if text is None else silence(z[:, count:], text_present)


class QFormerLayer(nn.Module):
    """One layer of a QFormer, on inputs that were checked.  key_dim: None for a layer that does not see the picture"""

    def __init__(self, dim: int, key_dim: int | None, heads: int, hidden_size: int, epsilon: float) -> None:
        super().__init__()
        self.self_attention = SelfAttention(dim, heads=heads)
        self.self_attention_norm = LayerNorm(dim, epsilon=epsilon)
        self.cross_attention = None if key_dim is None else CrossAttention(dim, key_dim=key_dim, heads=heads)
        self.cross_attention_norm = None if key_dim is None else LayerNorm(dim, epsilon=epsilon)
        self.feed_forward, self.text_feed_forward = (FeedForward(dim, hidden_size, "gelu") for _ in range(2))
        self.feed_forward_norm, self.text_feed_forward_norm = (LayerNorm(dim, epsilon=epsilon) for _ in range(2))

    def forward(
        self, z: Tensor, picture: Tensor, count: int, allowed: Tensor | None, picture_allowed: Tensor | None
    ) -> Tensor:
        """z: (batch, count + time, dim);  picture: (batch, k, key_dim);  returns the shape of z"""
        z = self.self_attention_norm(z + self.self_attention.attend(z, allowed))
        queries, text = z[:, :count], z[:, count:]
        if self.cross_attention is not None and self.cross_attention_norm is not None:
            read = self.cross_attention.attend(queries, picture, picture_allowed)
            queries = self.cross_attention_norm(queries + read)
        queries = self.feed_forward_norm(queries + self.feed_forward(queries))
        if text.shape[1] == 0:
            return queries
        text = self.text_feed_forward_norm(text + self.text_feed_forward(text))
        return torch.cat([queries, text], dim=1)


def who_sees_whom(mode: str, queries: int, time: int, text_mask: Tensor | None = None) -> Tensor:
    """The mask of a mode: (batch, 1, queries + time, queries + time) bool, [.., i, j] is whether i sees j.

    mode: see QFormer;  text_mask: (batch, time) bool; without one the batch is 1, which broadcasts
    Every place sees itself, the masked ones too: so no softmax runs over nothing, and what they get is thrown away.
    """
    seen = torch.ones(queries + time, queries + time, dtype=torch.bool)
    if mode != "matching":
        seen[:queries, queries:] = False
    if mode == "contrastive":
        seen[queries:, :queries] = False
    if mode == "generation":
        seen[queries:, queries:] = seen[queries:, queries:].tril()
    if text_mask is None:
        return seen[None, None]
    seen = seen.to(text_mask.device)
    present = torch.cat([text_mask.new_ones(len(text_mask), queries), text_mask], dim=1)
    itself = torch.eye(queries + time, dtype=torch.bool, device=text_mask.device)
    return (seen & present[:, None, :] | itself)[:, None]

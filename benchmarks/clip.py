"""A training step of CLIP, from the package's parts, against Transformers' CLIPModel with the same weights."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.clip import CLIPConfig, CLIPModel

from benchmarks.runner import Call, Case
from mmcourse.alignment.torch import InfoNCE
from mmcourse.encoders.torch import LayerNorm, PatchEmbedding, TransformerEncoder

BATCH, SIZE, PATCH, WORDS, LENGTH, DIM, LAYERS, HEADS = 64, 32, 4, 700, 16, 128, 4, 4
END = WORDS - 1  # the token at whose place CLIP reads the text
TRAINING = {"lr": 1e-3, "weight_decay": 0.05}
TOLERANCE = 1e-4
LAYER = {
    "self_attn.q_proj": "attention.query",
    "self_attn.k_proj": "attention.key",
    "self_attn.v_proj": "attention.value",
    "self_attn.out_proj": "attention.out",
    "mlp.fc1": "feed_forward.hidden",
    "mlp.fc2": "feed_forward.out",
    "layer_norm1": "attention_norm",
    "layer_norm2": "feed_forward_norm",
}


def theirs() -> CLIPModel:
    """1.7 million parameters; the exact GELU in place of CLIP's approximation of it."""
    tower: dict[str, Any] = {
        "hidden_size": DIM,
        "intermediate_size": 4 * DIM,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "hidden_act": "gelu",
    }
    words = {"vocab_size": WORDS, "max_position_embeddings": LENGTH, "eos_token_id": END, "bos_token_id": 0}
    text = tower | words | {"pad_token_id": 1}
    picture = tower | {"image_size": SIZE, "patch_size": PATCH}
    torch.manual_seed(0)
    return CLIPModel(CLIPConfig(text_config=text, vision_config=picture, projection_dim=DIM)).train()


class Clip(nn.Module):
    """Both towers; the picture is read at its class token, the text at its last word."""

    def __init__(self) -> None:
        super().__init__()
        options: dict[str, Any] = {"layers": LAYERS, "heads": HEADS, "activation": "gelu", "check_values": False}
        self.patches = PatchEmbedding(PATCH, DIM)
        self.patches.bias.requires_grad_(False)  # CLIP has none
        self.class_token = nn.Parameter(torch.empty(DIM))
        self.places = nn.Parameter(torch.empty(1 + (SIZE // PATCH) ** 2, DIM))
        self.first_norm, self.last_norm = LayerNorm(DIM), LayerNorm(DIM)
        self.sees = TransformerEncoder(DIM, final_norm=False, **options)
        self.words = nn.Embedding(WORDS, DIM)
        self.order = nn.Parameter(torch.empty(LENGTH, DIM))
        self.reads = TransformerEncoder(DIM, causal=True, **options)
        self.picture, self.text = nn.Linear(DIM, DIM, bias=False), nn.Linear(DIM, DIM, bias=False)
        self.loss = InfoNCE()

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """images: (batch, 3, size, size);  ids: (batch, length);  returns the loss"""
        tokens = torch.cat([self.class_token.expand(len(images), 1, -1), self.patches(images)], dim=1)
        seen = self.last_norm(self.sees(self.first_norm(tokens + self.places))[:, 0])
        read = self.reads(self.words(ids) + self.order)[:, -1]
        return self.loss(self.picture(seen), self.text(read))

    @classmethod
    def like(cls, model: CLIPModel) -> "Clip":
        """The same weights under our names; their matrices are (out, in), those of our Transformer (in, out)."""
        state, ours = dict(model.state_dict()), cls()
        taken = {
            "patches.kernel": state["vision_model.embeddings.patch_embedding.weight"],
            "patches.bias": torch.zeros(DIM),
            "class_token": state["vision_model.embeddings.class_embedding"],
            "places": state["vision_model.embeddings.position_embedding.weight"],
            "words.weight": state["text_model.embeddings.token_embedding.weight"],
            "order": state["text_model.embeddings.position_embedding.weight"],
            "picture.weight": state["visual_projection.weight"],
            "text.weight": state["text_projection.weight"],
            "loss.log_scale": state["logit_scale"],
        }
        parts = {
            "vision_model.pre_layrnorm": "first_norm",
            "vision_model.post_layernorm": "last_norm",
            "text_model.final_layer_norm": "reads.final_norm",
        }
        for tower, our in (("vision_model", "sees"), ("text_model", "reads")):
            for layer in range(LAYERS):
                parts |= {f"{tower}.encoder.layers.{layer}.{a}": f"{our}.layers.{layer}.{b}" for a, b in LAYER.items()}
        for their, our in parts.items():
            weight = state[f"{their}.weight"]
            taken[f"{our}.kernel" if weight.ndim == 2 else f"{our}.scale"] = weight.T if weight.ndim == 2 else weight
            taken[f"{our}.bias"] = state[f"{their}.bias"]
        ours.load_state_dict(taken)
        return ours


def batch() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(2, END, (BATCH, LENGTH))
    ids[:, -1] = END
    return torch.randn(BATCH, 3, SIZE, SIZE), ids


def step(model: nn.Module, loss: Any, watched: dict[str, nn.Parameter]) -> Call:
    """Loss, gradients and one step of AdamW; every call goes on from the last."""
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], **TRAINING)

    def call() -> dict[str, Tensor]:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        optimiser.step()
        return {"loss": value.detach()} | {name: p.grad for name, p in watched.items() if p.grad is not None}

    return call


def cases() -> Iterator[Case]:
    peer, (images, ids) = theirs(), batch()
    ours = Clip.like(peer).train()
    # CLIP's own towers check nothing; a scale that begins at 1 / 0.07 is the same in both.
    assert math.isclose(ours.loss.log_scale.item(), peer.logit_scale.item(), rel_tol=1e-6)
    vision, text = peer.vision_model.embeddings, peer.text_model.embeddings
    yield Case(
        "training step of a CLIP from torch parts",
        "Transformers' CLIPModel",
        step(
            ours,
            lambda: ours(images, ids),
            {"patches": ours.patches.kernel, "words": ours.words.weight, "places": ours.places},
        ),
        step(
            peer,
            lambda: peer(input_ids=ids, pixel_values=images, return_loss=True).loss,
            {
                "patches": vision.patch_embedding.weight,
                "words": text.token_embedding.weight,
                "places": vision.position_embedding.weight,
            },
        ),
        TOLERANCE,
        threads=2,
    )

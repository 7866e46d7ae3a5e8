"""Models of Transformers with the same weights compute the same."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mmcourse.fusion.torch import PerceiverResampler, QFormer
from mmcourse.parity import relative_error, transfer

blip_2 = pytest.importorskip("transformers.models.blip_2.modeling_blip_2", reason="Transformers is not installed")
idefics = pytest.importorskip("transformers.models.idefics.perceiver", reason="Transformers is not installed")
from transformers import Blip2QFormerConfig, IdeficsConfig  # noqa: E402

TOLERANCE = 1e-12
DIM, KEY_DIM = 8, 6
Arrays = dict[str, np.ndarray]


def drawn(module: torch.nn.Module) -> Arrays:
    """All parameters anew, as arrays."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return {name: p.detach().numpy() for name, p in module.named_parameters()}


def renamed(name: str, array: np.ndarray, words: dict[str, str]) -> tuple[str, np.ndarray]:
    """A parameter under our name: kernels are turned, norms have a scale."""
    for theirs, ours in words.items():
        name = name.replace(theirs, ours)
    path, _, kind = name.rpartition(".")
    if kind == "weight":
        kind, array = ("scale", array) if path.endswith("norm") else ("kernel", array.T)
    return f"{path}.{kind}" if path else kind, array


BLIP_2 = {
    "encoder.layer": "layers",
    "crossattention.attention.": "cross_attention.",
    "crossattention.output.LayerNorm": "cross_attention_norm",
    "crossattention.output.dense": "cross_attention.out",
    ".attention.attention.": ".self_attention.",
    ".attention.output.LayerNorm": ".self_attention_norm",
    ".attention.output.dense": ".self_attention.out",
    "intermediate_query.dense": "feed_forward.hidden",
    "output_query.dense": "feed_forward.out",
    "output_query.LayerNorm": "feed_forward_norm",
    "intermediate.dense": "text_feed_forward.hidden",
    "output.dense": "text_feed_forward.out",
    "output.LayerNorm": "text_feed_forward_norm",
    "layernorm": "input_norm",
}


@pytest.mark.parametrize("with_text", [True, False], ids=["queries and text", "queries alone"])
def test_a_q_former_in_the_mode_of_matching_is_that_of_blip_2(with_text: bool) -> None:
    """Theirs takes the queries from outside, and masks a picture only where there is no text (Transformers 5)."""
    config = Blip2QFormerConfig(
        hidden_size=DIM, num_hidden_layers=3, num_attention_heads=2, intermediate_size=12, encoder_hidden_size=KEY_DIM,
        cross_attention_frequency=2, use_qformer_text_input=True, hidden_act="gelu",
    )  # fmt: skip
    theirs = blip_2.Blip2QFormerModel(config).double().eval()
    parameters = dict(renamed(name, array, BLIP_2) for name, array in drawn(theirs).items())
    ours = QFormer(DIM, key_dim=KEY_DIM, queries=4, layers=3, heads=2, hidden_size=12, epsilon=config.layer_norm_eps)
    rng = np.random.default_rng(0)
    queries, picture, text = (rng.normal(size=shape) for shape in ((4, DIM), (2, 7, KEY_DIM), (2, 5, DIM)))
    transfer(parameters | {"queries": queries}, ours.double())
    mask, text_mask = torch.ones(2, 7, dtype=torch.bool), torch.ones(2, 5, dtype=torch.bool)
    mask[0, -2:] = text_mask[1, -1] = False

    queries = np.stack([queries] * 2)
    arguments = {"encoder_hidden_states": torch.tensor(picture), "query_length": 4}
    if with_text:
        arguments["query_embeds"] = torch.tensor(np.concatenate([queries, text], axis=1))
        arguments["attention_mask"] = torch.cat([torch.ones(2, 4), text_mask], dim=1)
        got = ours(torch.tensor(picture), torch.tensor(text), text_mask=text_mask)
    else:
        arguments |= {"query_embeds": torch.tensor(queries), "encoder_attention_mask": mask.to(torch.long)}
        got = ours(torch.tensor(picture), mask=mask)
    wanted = theirs(**arguments).last_hidden_state.detach()
    assert relative_error(got[0].detach(), wanted[:, :4]) <= TOLERANCE
    if with_text:
        assert relative_error(got[1].detach()[text_mask], wanted[:, 4:][text_mask]) <= TOLERANCE


IDEFICS = {
    f"blocks.{layer}{theirs}": f"layers.{layer}{ours}"
    for layer in range(2)
    for theirs, ours in {
        ".0.context_layer_norm": ".input_norm",
        ".0.latents_layer_norm": ".latent_norm",
        ".0.q_proj": ".attention.query",
        ".0.k_proj": ".attention.key",
        ".0.v_proj": ".attention.value",
        ".0.output_proj": ".attention.out",
        ".1.ln": ".feed_forward_norm",
        ".1.fc": ".feed_forward.hidden",
        ".1.c_proj": ".feed_forward.out",
    }.items()
}


def test_a_resampler_without_biases_is_that_of_idefics() -> None:
    vision: dict[str, Any] = {"embed_dim": DIM}
    config = IdeficsConfig(vision_config=vision, perceiver_config={"qk_layer_norms_perceiver": False})
    theirs = idefics.IdeficsPerceiverResampler(config, DIM, 2, 2, DIM // 2, 3).double().eval()
    words = IDEFICS | {"layer_norm": "final_norm"}
    parameters = dict(renamed(name, array, words) for name, array in drawn(theirs).items())
    ours = PerceiverResampler(DIM, latents=3, layers=2, heads=2, activation="relu").double()
    zeros = {name: np.zeros(p.shape) for name, p in ours.named_parameters() if name.endswith("bias")}
    transfer(zeros | parameters, ours)
    x: Tensor = torch.tensor(np.random.default_rng(1).normal(size=(2, 9, DIM)))
    assert relative_error(ours(x).detach(), theirs(x).detach()) <= TOLERANCE

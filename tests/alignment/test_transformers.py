"""The losses of CLIP and SigLIP in Transformers are ours."""

from typing import Any

import numpy as np
import pytest
import torch

from mmcourse.alignment.torch import InfoNCE, SigLIP

clip = pytest.importorskip("transformers.models.clip", reason="Transformers is not installed")
siglip = pytest.importorskip("transformers.models.siglip", reason="Transformers is not installed")
SIZES: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TEXT = SIZES | {
    "vocab_size": 20,
    "max_position_embeddings": 6,
    "eos_token_id": 19,
    "bos_token_id": 0,
    "pad_token_id": 1,
}
VISION = SIZES | {"image_size": 8, "patch_size": 4}


def outputs(model: Any) -> Any:
    """The model's own loss and embeddings, for five random pictures and texts."""
    rng = np.random.default_rng(0)
    pixels = torch.tensor(rng.normal(size=(5, 3, 8, 8)), dtype=torch.float32)
    tokens = torch.tensor(rng.integers(2, 19, size=(5, 6)))
    tokens[:, -1] = 19
    return model(input_ids=tokens, pixel_values=pixels, return_loss=True)


def test_info_nce_is_the_loss_of_clip() -> None:
    torch.manual_seed(0)
    model = clip.CLIPModel(clip.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=12)).eval()
    theirs = outputs(model)
    scale = float(model.logit_scale.detach().exp())
    ours = InfoNCE(scale=scale)(theirs.image_embeds, theirs.text_embeds)
    torch.testing.assert_close(ours, theirs.loss, rtol=1e-5, atol=1e-6)


def test_the_scale_begins_as_in_clip() -> None:
    model = clip.CLIPModel(clip.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=12))
    torch.testing.assert_close(InfoNCE().log_scale, model.logit_scale, rtol=1e-3, atol=0)  # theirs is rounded


def test_siglip_is_the_loss_of_siglip() -> None:
    torch.manual_seed(0)
    model = siglip.SiglipModel(siglip.SiglipConfig(text_config=TEXT, vision_config=VISION)).eval()
    theirs = outputs(model)
    scale, bias = float(model.logit_scale.detach().exp()), float(model.logit_bias.detach())
    ours = SigLIP(scale=scale, bias=bias)(theirs.image_embeds, theirs.text_embeds)
    torch.testing.assert_close(ours, theirs.loss, rtol=1e-5, atol=1e-6)

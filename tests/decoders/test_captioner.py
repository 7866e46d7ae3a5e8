"""A captioner: a feature map and a decoder, trained together and asked."""

import numpy as np
import pytest
import torch

from mmcourse.data import CaptionTokens
from mmcourse.decoders.torch import Captioner, FeatureMap, RecurrentDecoder, TransformerDecoder, VisualTokenDecoder
from mmcourse.errors import ModalityError
from mmcourse.training import caption, fit_captions, seed_everything

TOKENS = CaptionTokens(("dark", "light", "left", "right"))
KINDS = ("recurrent", "cross-attention", "visual tokens")


def build(kind: str) -> Captioner:
    seed_everything(0)
    places = FeatureMap((6, 8), size=7, flat=kind == "recurrent")
    own = {"dim": 8, "hidden_size": 16}
    if kind == "recurrent":
        return Captioner(places, RecurrentDecoder(TOKENS.count, vector_dim=places.places * places.dim, **own))
    transformer = own | {"layers": 1, "heads": 2}
    if kind == "visual tokens":
        plain = TransformerDecoder(TOKENS.count, length=4 + places.places, **transformer)
        return Captioner(places, VisualTokenDecoder(plain, patch_dim=places.dim))
    return Captioner(places, TransformerDecoder(TOKENS.count, length=4, memory_dim=8, **transformer))


def pictures(rows: int) -> tuple[np.ndarray, list[str]]:
    """A bar at the left or at the right, strong or weak, in noise."""
    rng = np.random.default_rng(0)
    strong, side = rng.random((2, rows)) < 0.5
    images = rng.normal(scale=0.05, size=(rows, 1, 7, 7)).astype(np.float32)
    for image, dark, left in zip(images, strong, side, strict=True):
        image[0, :, 0 if left else -1] += 1.0 if dark else 0.4
    pairs = zip(strong, side, strict=True)
    words = [(("light", "dark")[int(dark)], ("right", "left")[int(left)]) for dark, left in pairs]
    return images, [" ".join(pair) for pair in words]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_to_say_what_is_there(kind: str) -> None:
    images, captions = pictures(400)
    model = build(kind)
    options = {"epochs": 12, "batch_size": 50, "learning_rate": 1e-2, "seed": 0, "device": "cpu", "progress": False}
    losses = fit_captions(model, images[:300], TOKENS.encode(captions[:300]), **options)
    assert losses[-1] < 0.3 * losses[0]
    for width in (1, 3):
        said, scores = caption(model, images[300:], TOKENS, max_length=4, width=width, batch_size=64)
        assert np.mean([a == b for a, b in zip(said, captions[300:], strict=True)]) > 0.9
        assert scores.shape == (100,)
        assert (scores <= 0).all()
    assert model.training  # as it was before


def test_the_same_seed_gives_the_same_captioner() -> None:
    images, captions = pictures(64)
    found = []
    for _ in range(2):
        model = build("cross-attention")
        options = {"epochs": 1, "batch_size": 32, "seed": 3, "device": "cpu", "progress": False}
        found.append(fit_captions(model, images, TOKENS.encode(captions), **options))
    assert found[0] == found[1]


def test_places_stand_row_by_row() -> None:
    """A change in one corner of the picture changes the places near it alone."""
    places = FeatureMap((4, 5), size=12, channels=3).eval()
    images = torch.zeros(1, 3, 12, 12)
    other = images.clone()
    other[..., 0, 11] = 1
    change = (places(other) - places(images)).abs().amax(dim=2)[0].view(3, 3)
    assert places(images).shape == (1, 9, 5)
    assert change[0, 2] > 0
    assert not change[2].any()
    assert not change[:, 0].any()
    flat = FeatureMap((4, 5), size=12, channels=3, flat=True)
    assert flat(images).shape == (1, 45)


def test_bad_input() -> None:
    images, captions = pictures(40)
    ids = TOKENS.encode(captions)
    model = build("recurrent")
    options = {"epochs": 1, "seed": 0, "device": "cpu", "progress": False}
    for changes, said in (
        ({"batch_size": 64}, "images: got 40 rows, wanted at least 64"),
        ({"batch_size": 0}, "batch_size: got 0"),
        ({"learning_rate": 0.0}, "learning_rate: got 0.0"),
    ):
        with pytest.raises(ValueError, match=said):
            fit_captions(model, images, ids, **options | changes)
    with pytest.raises(ValueError, match="ids: got 39 rows, wanted 40"):
        fit_captions(model, images, ids[1:], batch_size=8, **options)
    with pytest.raises(ValueError, match=r"ids: got shape \(40,\), wanted \(n, length\)"):
        fit_captions(model, images, ids[:, 0], batch_size=8, **options)
    with pytest.raises(ModalityError, match="channels"):
        model(torch.zeros(2, 3, 7, 7), torch.tensor(ids[:2]))
    with pytest.raises(ModalityError, match=r"image: got shape \(2, 1, 8, 8\), wanted \(batch, 1, 7, 7\)"):
        model(torch.zeros(2, 1, 8, 8), torch.tensor(ids[:2]))  # four places, as from 7 x 7
    with pytest.raises(ModalityError, match="widths: got none"):
        FeatureMap((), size=7)


@pytest.mark.parametrize("kind", KINDS)
def test_a_caption_wants_pictures_and_the_tokens_of_its_decoder(kind: str) -> None:
    images, _ = pictures(2)
    model = build(kind)
    with pytest.raises(ValueError, match="images: got no rows"):
        caption(model, images[:0], TOKENS, max_length=4)
    for others in (("dark",), (*TOKENS.vocabulary, "grey")):
        with pytest.raises(ValueError, match=f"tokens: got {len(others) + 3} ids, wanted {TOKENS.count}"):
            caption(model, images, CaptionTokens(others), max_length=4)

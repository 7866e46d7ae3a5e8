"""What does not fit is refused by every half with the same words."""

from typing import Any

import numpy as np
import pytest
import torch

import mmcourse.decoders.keras
import mmcourse.decoders.numpy
import mmcourse.decoders.torch
from mmcourse.decoders.counts import count_generation
from mmcourse.decoders.torch import TransformerDecoder, VisualTokenDecoder
from mmcourse.errors import DtypeError, MaskError, ModalityError, NotFiniteError, ShapeError
from tests.decoders.halves import HALVES, TIME, Case, Keras, Torch

RECURRENT, CROSS, VISUAL = (Case(name) for name in ("recurrent_decoder", "transformer_decoder", "visual_token_decoder"))
ALONE = Case("transformer_decoder", {"memory_dim": None})
NAN = np.full((3, 4, 5), np.nan)
FAULTS: list[tuple[Case, dict[str, Any], type[ModalityError], str]] = [
    (RECURRENT, {"ids": RECURRENT.ids[0]}, ShapeError, r"ids: got shape \(5,\), wanted \(batch, time\)"),
    (RECURRENT, {"ids": RECURRENT.ids * 1.0}, DtypeError, "ids: got dtype float64, wanted int64 or int32"),
    (
        RECURRENT,
        {"ids": RECURRENT.ids + 5},
        ModalityError,
        r"ids: got an id of no vector in rows \[.*\], wanted 0 to 6",
    ),
    (RECURRENT, {"about": RECURRENT.about[:, :2]}, ShapeError, r"vector: got shape \(3, 2\), wanted \(batch, 3\)"),
    (RECURRENT, {"about": RECURRENT.about[:2]}, ShapeError, "vector: got batch size 2, wanted 3"),
    (RECURRENT, {"about": RECURRENT.about + np.nan}, NotFiniteError, "vector: got NaN or infinity"),
    (RECURRENT, {"mask": np.ones((3, 4), bool)}, MaskError, r"mask: got shape \(3, 4\), wanted \(3, 5\)"),
    (RECURRENT, {"mask": np.zeros((3, TIME), bool)}, MaskError, "ids: got no step present in rows"),
    (CROSS, {"ids": np.ones((3, 7), int)}, ShapeError, "sequence: got 7 steps, wanted at most 6"),
    (CROSS, {"about": CROSS.about[:2]}, ShapeError, "memory: got batch size 2, wanted 3"),
    (CROSS, {"about": CROSS.about[..., :3]}, ShapeError, r"memory: got shape \(3, 4, 3\), wanted \(batch, time, 5\)"),
    (CROSS, {"about": NAN}, NotFiniteError, "(memory|sequence): got NaN or infinity in rows"),
    (CROSS, {"about_mask": np.zeros((3, 4), bool)}, MaskError, "(memory|sequence): got no step present in rows"),
    (CROSS, {"mask": np.ones((3, TIME))}, MaskError, "mask: got dtype float64, wanted bool"),
    (VISUAL, {"ids": np.ones((3, 7), int)}, ShapeError, "sequence: got 11 steps, wanted at most 10"),
    (VISUAL, {"about": VISUAL.about[:2]}, ShapeError, "(memory|patches): got batch size 2, wanted 3"),
    (VISUAL, {"mask": np.zeros((3, TIME), bool)}, MaskError, "ids: got no step present in rows"),
]


@pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
@pytest.mark.parametrize(("case", "changes", "error", "said"), FAULTS)
def test_bad_input(half: Any, case: Case, changes: dict[str, Any], error: type[ModalityError], said: str) -> None:
    if half.offers(case):
        module = half.build(case)
        with pytest.raises(error, match=said):
            half.call(module, case, **changes)


@pytest.mark.parametrize("half", [Torch, Keras], ids=lambda half: half.name)
def test_a_memory_is_wanted_or_not(half: Any) -> None:
    with pytest.raises(ShapeError, match=r"memory: got none, wanted \(batch, time, 5\)"):
        half.call(half.build(CROSS), CROSS, about=None)
    with pytest.raises(ShapeError, match=r"memory: got shape .* wanted none: this decoder has no cross-attention"):
        half.call(half.build(ALONE), ALONE, about=CROSS.about)
    for option in ({"heads": 3}, {"layers": 0}, {"length": 0}, {"dim": -1}, {"memory_dim": 0}, {"count": 0}):
        with pytest.raises(ShapeError, match=next(iter(option))):
            half.new("transformer_decoder", **option)
    with pytest.raises(ValueError, match="activation: got 'tanh'"):
        half.new("transformer_decoder", activation="tanh")


def test_a_cache_of_other_rows_or_of_another_length() -> None:
    module = Torch.build(ALONE)
    _, cache = module.extend(torch.tensor(ALONE.ids), module.begin())
    with pytest.raises(ShapeError, match="cache: got batch size 3, wanted 2, that of the words"):
        module.extend(torch.tensor(ALONE.ids[:2, :1]), cache)
    with pytest.raises(ShapeError, match="got 7 steps, wanted at most 6"):
        module.extend(torch.tensor(ALONE.ids[:, :2]), cache)


def test_a_visual_token_decoder_wants_a_plain_one() -> None:
    decoder = TransformerDecoder(7, dim=8, layers=1, heads=2, length=9, memory_dim=5)
    with pytest.raises(ShapeError, match="memory_dim: got 5, wanted a decoder without one"):
        VisualTokenDecoder(decoder, patch_dim=5)
    with pytest.raises(ValueError, match="projector: got 'conv', wanted 'linear' or 'mlp'"):
        Torch.new("visual_token_decoder", projector="conv")


def losses() -> list[Any]:
    halves = (mmcourse.decoders.numpy, mmcourse.decoders.torch, mmcourse.decoders.keras)
    return [half.sequence_cross_entropy for half in halves]


@pytest.mark.parametrize("number", range(3), ids=["numpy", "torch", "keras"])
def test_bad_input_of_the_loss(number: int) -> None:
    loss = losses()[number]
    convert = torch.tensor if number == 1 else np.asarray
    logits, targets = np.zeros((2, 3, 4)), np.ones((2, 3), np.int64)
    faults: list[tuple[Any, Any, Any, str]] = [
        (logits[0], targets, None, "logits: got shape"),
        (logits, targets[:, :2], None, r"targets: got shape \(2, 2\), wanted \(2, 3\)"),
        (logits, targets * 1.0, None, "ids: got dtype float64"),
        (logits, targets, np.ones((2, 2), bool), r"mask: got shape \(2, 2\), wanted \(2, 3\)"),
        (logits, targets, np.zeros((2, 3), bool), "mask: got no word present, wanted at least one"),
    ]
    for scores, words, mask, said in faults:
        given = {} if mask is None else {"mask": convert(mask)}
        with pytest.raises(ModalityError, match=said):
            loss(convert(scores), convert(words), **given)


def test_counts_want_sizes() -> None:
    with pytest.raises(ShapeError, match="words: got width 0"):
        count_generation(0, dim=4, layers=1, count=3)
    with pytest.raises(ShapeError, match="memory_dim"):
        count_generation(2, dim=4, layers=1, count=3, memory_steps=3)
    with pytest.raises(ShapeError, match="memory_steps: got width -3"):
        count_generation(2, dim=4, layers=1, count=3, memory_steps=-3, memory_dim=4)

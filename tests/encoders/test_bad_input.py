"""What does not fit is refused with an error that names the modality, what came and what was wanted."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords, WordTransformer
from mmcourse.errors import DtypeError, EmptyBatchError, MaskError, ModalityError, NotFiniteError, ShapeError

TEXT: dict[str, Callable[..., Any]] = {
    "mean of words": lambda **options: MeanOfWords(9, out_dim=8, **options),
    "word transformer": lambda **options: WordTransformer(9, out_dim=8, length=3, **options),
}


def pictures(**options: Any) -> ConvolutionalEncoder:
    return ConvolutionalEncoder((3,), size=6, out_dim=8, **options)


def spoiled(value: float) -> Tensor:
    x = torch.ones(5, 6, 6)
    x[[1, 4], 2, 3] = value
    return x


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.ones(6, 6), ShapeError, "got shape (6, 6), wanted (batch, 6, 6)"),
        (torch.ones(2, 1, 6, 6), ShapeError, "got shape (2, 1, 6, 6), wanted (batch, 6, 6)"),
        (torch.ones(2, 6, 7), ShapeError, "got shape (2, 6, 7), wanted (batch, 6, 6)"),
        (torch.ones(0, 6, 6), EmptyBatchError, "got batch size 0, wanted at least 1"),
        (torch.ones(2, 6, 6, dtype=torch.uint8), DtypeError, "got dtype uint8, wanted float32"),
        (torch.ones(2, 6, 6, dtype=torch.float64), DtypeError, "got dtype float64, wanted float32"),
        (torch.ones(2, 6, 6).numpy(), DtypeError, "got ndarray, wanted a torch.Tensor"),
        (spoiled(float("nan")), NotFiniteError, "got NaN or infinity in rows [1, 4], wanted finite numbers"),
        (spoiled(-float("inf")), NotFiniteError, "got NaN or infinity in rows [1, 4], wanted finite numbers"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(images: Any, error: type[ModalityError], message: str) -> None:
    with pytest.raises(error) as caught:
        pictures()(images)
    assert str(caught.value) == f"convolutional encoder: image: {message}"


@pytest.mark.parametrize("where", TEXT)
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (torch.tensor([1, 2]), ShapeError, "got shape (2,), wanted (batch, {length})"),
        (torch.ones(0, 2, dtype=torch.int64), EmptyBatchError, "got batch size 0, wanted at least 1"),
        (torch.ones(2, 2), DtypeError, "got dtype float32, wanted int64 or int32"),
        (torch.ones(2, 2, dtype=torch.bool), DtypeError, "got dtype bool, wanted int64 or int32"),
        ([[1, 2]], DtypeError, "got list, wanted a torch.Tensor"),
        (torch.tensor([[1, 9], [10, 0]]), ModalityError, "got an id of no word in rows [1], wanted 0 to 9"),
        (torch.tensor([[1, -1], [9, 0]]), ModalityError, "got an id of no word in rows [0], wanted 0 to 9"),
        (
            torch.tensor([[1, 0], [0, 0], [0, 0]]),
            MaskError,
            "got only padding in rows [1, 2], wanted at least one word in every row",
        ),
        (
            torch.zeros(1, 0, dtype=torch.int64),
            MaskError,
            "got only padding in rows [0], wanted at least one word in every row",
        ),
    ],
)
def test_words_that_do_not_fit_are_refused(where: str, ids: Any, error: type[ModalityError], message: str) -> None:
    length = "at most 3" if where == "word transformer" else "length"
    with pytest.raises(error) as caught:
        TEXT[where]()(ids)
    assert str(caught.value) == f"{where}: text: {message.format(length=length)}"


def test_a_transformer_refuses_more_words_than_it_has_positions() -> None:
    with pytest.raises(ShapeError, match=r"text: got shape \(1, 4\), wanted \(batch, at most 3\)"):
        TEXT["word transformer"]()(torch.tensor([[1, 2, 3, 0]]))
    MeanOfWords(9)(torch.tensor([[1, 2, 3, 0] * 9]))


@pytest.mark.parametrize("where", TEXT)
def test_ids_may_be_single_integers(where: str) -> None:
    encoder = TEXT[where]()
    ids = torch.tensor([[1, 2], [3, 0]])
    assert torch.equal(encoder(ids.int()), encoder(ids))


@pytest.mark.parametrize("where", TEXT)
def test_without_value_checks_a_row_of_padding_is_nan_and_others_are_not(where: str) -> None:
    output = TEXT[where](check_values=False)(torch.tensor([[1, 2], [0, 0]]))
    assert output[0].isfinite().all()
    assert output[1].isnan().all()


def test_without_value_checks_nan_passes_into_its_own_row() -> None:
    output = pictures(check_values=False).eval()(spoiled(float("nan")))
    assert output.isnan().any(dim=1).tolist() == [False, True, False, False, True]


def test_autocast_may_mix_dtypes() -> None:
    x = torch.ones(2, 6, 6)
    encoder = pictures()
    with pytest.raises(DtypeError):
        encoder(x.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        assert encoder(x.bfloat16()).isfinite().all()
        with pytest.raises(DtypeError, match="got dtype int64"):
            encoder(x.long())


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: pictures(pool="max"), ValueError, "pool: got 'max', wanted 'flatten' or 'mean'"),
        (lambda: ConvolutionalEncoder(()), ValueError, "channels: got none, wanted those of one block at least"),
        (lambda: ConvolutionalEncoder((4, 0)), ShapeError, "convolutional encoder: channels: got width 0"),
        (lambda: ConvolutionalEncoder(size=0), ShapeError, "convolutional encoder: size: got width 0"),
        (lambda: ConvolutionalEncoder(out_dim=2.5), ShapeError, "convolutional encoder: out_dim: got width 2.5"),
        (lambda: MeanOfWords(0), ShapeError, "mean of words: words: got width 0, wanted a whole number above 0"),
        (lambda: MeanOfWords(3, out_dim=-1), ShapeError, "mean of words: out_dim: got width -1"),
        (lambda: WordTransformer(3, layers=0), ShapeError, "word transformer: layers: got width 0"),
        (lambda: WordTransformer(3, length=0), ShapeError, "word transformer: length: got width 0"),
        (lambda: WordTransformer(3, out_dim=10, heads=4), ValueError, "heads: got 4, wanted a divisor of out_dim 10"),
    ],
)
def test_encoders_refuse_to_be_built(build: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        build()
    assert message in str(caught.value)

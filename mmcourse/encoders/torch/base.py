"""What the encoders share: a width, and what they ask of their inputs."""

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.errors import DtypeError, EmptyBatchError, MaskError, ModalityError, NotFiniteError, ShapeError


class Encoder(nn.Module):
    """A module that gives each row of its input a vector of width out_dim.

    check_values: also refuse numbers that cannot be (NaN, ids of no word, rows without a word). These checks need the
        numbers, so on a GPU each call waits for the device; shapes and dtypes are checked in any case. Without them a
        row of padding becomes NaN.
    """

    where = "encoder"

    def __init__(self, *, out_dim: int, check_values: bool = True) -> None:
        super().__init__()
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.check_values = check_values

    def check_pictures(self, images: Tensor, size: int) -> None:
        """Raise a ModalityError unless images are (batch, size, size), floating, of the dtype of the parameters."""
        self._check_tensor("image", images)
        if images.ndim != 3 or images.shape[1:] != (size, size):
            raise ShapeError(
                "image", got=f"shape {tuple(images.shape)}", wanted=f"(batch, {size}, {size})", where=self.where
            )
        dtype = next(self.parameters()).dtype
        if not images.is_floating_point() or (
            images.dtype != dtype and not torch.is_autocast_enabled(images.device.type)
        ):
            raise DtypeError("image", got=f"dtype {_name(images.dtype)}", wanted=_name(dtype), where=self.where)
        self._check_batch("image", images)
        if self.check_values:
            finite = images.detach().abs().amax(dim=(1, 2)).isfinite().cpu().numpy()
            if not finite.all():
                raise NotFiniteError(
                    "image",
                    got=f"NaN or infinity in rows [{checks.rows_text(~finite)}]",
                    wanted="finite numbers",
                    where=self.where,
                )

    def check_words(self, ids: Tensor, words: int, length: int | None = None) -> None:
        """Raise a ModalityError unless ids are whole numbers (batch, length), 1 to `words`, or 0 beside a word."""
        self._check_tensor("text", ids)
        most = "length" if length is None else f"at most {length}"
        if ids.ndim != 2 or (length is not None and ids.shape[1] > length):
            raise ShapeError("text", got=f"shape {tuple(ids.shape)}", wanted=f"(batch, {most})", where=self.where)
        if ids.dtype not in (torch.int32, torch.int64):
            raise DtypeError("text", got=f"dtype {_name(ids.dtype)}", wanted="int64 or int32", where=self.where)
        self._check_batch("text", ids)
        if self.check_values:
            known = ((ids >= 0) & (ids <= words)).all(dim=1)
            some = (ids != 0).any(dim=1)
            known, some = torch.stack([known, some]).cpu().numpy()
            if not known.all():
                got = f"an id of no word in rows [{checks.rows_text(~known)}]"
                raise ModalityError("text", got=got, wanted=f"0 to {words}", where=self.where)
            if not some.all():
                got = f"only padding in rows [{checks.rows_text(~some)}]"
                raise MaskError("text", got=got, wanted="at least one word in every row", where=self.where)

    def _check_tensor(self, modality: str, x: Tensor) -> None:
        if not isinstance(x, Tensor):
            raise DtypeError(modality, got=type(x).__name__, wanted="a torch.Tensor", where=self.where)

    def _check_batch(self, modality: str, x: Tensor) -> None:
        if len(x) == 0:
            raise EmptyBatchError(modality, got="batch size 0", wanted="at least 1", where=self.where)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

"""What the modules for pictures share: what they ask of their inputs."""

from itertools import chain

import torch
from torch import Tensor, nn

from mmcourse.checks import Spec
from mmcourse.encoders import image_checks
from mmcourse.errors import DtypeError


class ImageModule(nn.Module):
    """A module that is called with pictures (batch, channels, height, width).

    check_values: also refuse NaN and infinity. This check needs the numbers, so on a GPU each call waits for the
        device; shapes and dtypes are checked in any case.
    """

    where = "image encoder"

    def __init__(self, *, check_values: bool = True) -> None:
        super().__init__()
        self.check_values = check_values

    def check_images(self, images: Tensor, channels: int | None) -> None:
        """Raise a ModalityError unless images fit; channels: None takes any number."""
        parameter = next(chain(self.parameters(), self.buffers()), None)
        mended = parameter is None or torch.is_autocast_enabled(parameter.device.type)
        dtype = None if mended or parameter is None else dtype_name(parameter)
        check_images(images, channels, self.where, dtype=dtype, check_values=self.check_values)


def check_images(
    images: Tensor, channels: int | None, where: str, *, dtype: str | None = None, check_values: bool = True
) -> None:
    """Raise a ModalityError unless images are (batch, channels, height, width), of that dtype, and finite."""
    if not isinstance(images, Tensor):
        raise DtypeError("image", got=type(images).__name__, wanted="a torch.Tensor", where=where)
    image_checks.check_images(Spec(tuple(images.shape), dtype_name(images)), channels, where, dtype=dtype)
    if check_values:
        # The largest magnitude is finite only where all are; several times faster than isfinite().all().
        image_checks.check_finite(images.detach().abs().amax(dim=(1, 2, 3)).isfinite().cpu().numpy(), where)


def dtype_name(x: Tensor) -> str:
    """float32 and the like."""
    return str(x.dtype).removeprefix("torch.")

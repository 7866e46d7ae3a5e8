"""A window that slides over a picture: how far it reaches, how many places it has. Free of any framework."""

from typing import NamedTuple

import numpy as np

from mmcourse.errors import ShapeError

Pair = int | tuple[int, int]


class Window(NamedTuple):
    """A window along one axis: kernel_size entries, `dilation` apart, that moves by `stride` over what is padded.

    padding: entries put at each of the two ends
    """

    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """How many entries lie between its first and its last, both counted:  dilation (kernel_size - 1) + 1."""
        return self.dilation * (self.kernel_size - 1) + 1

    def places(self, size: int) -> int:
        """How many places it has on an axis of that size:  floor((size + 2 padding - reach) / stride) + 1."""
        return (size + 2 * self.padding - self.reach) // self.stride + 1


class Plane(NamedTuple):
    """The two windows of a kernel that slides over a picture."""

    vertical: Window
    horizontal: Window

    def places(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what comes out."""
        return self.vertical.places(height), self.horizontal.places(width)


def plane(kernel_size: Pair, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, where: str) -> Plane:
    """Return the windows of a kernel; one number counts for both axes. Raises ShapeError naming what cannot be."""
    columns = (
        pair("kernel_size", kernel_size, where),
        pair("stride", stride, where),
        pair("padding", padding, where, least=0),
        pair("dilation", dilation, where),
    )
    return Plane(*(Window(*axis) for axis in zip(*columns, strict=True)))


def pair(name: str, value: Pair, where: str, *, least: int = 1) -> tuple[int, int]:
    """Return (vertical, horizontal), or raise ShapeError."""
    both = value if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= least for n in both):
        wanted = f"a whole number, at least {least}, or two of them (vertical, horizontal)"
        raise ShapeError(name, got=repr(value), wanted=wanted, where=where)
    return int(both[0]), int(both[1])


def check_room(windows: Plane, height: int | None, width: int | None, where: str) -> None:
    """Raise ShapeError unless each window fits into the padded picture; None is known only when a graph runs."""
    for axis, size, window in (("height", height, windows.vertical), ("width", width, windows.horizontal)):
        if size is not None and size + 2 * window.padding < window.reach:
            padded = f" and padding 2 x {window.padding}" * (window.padding > 0)
            wanted = f"at least the kernel's reach, {window.reach}"
            raise ShapeError("image", got=f"{axis} {size}{padded}", wanted=wanted, where=where)


def pooling_plane(size: Pair, *, stride: Pair | None, padding: Pair, where: str) -> Plane:
    """Return the windows of a pooling. Raises ShapeError naming what cannot be, a window in the padding alone too."""
    windows = plane(size, stride=size if stride is None else stride, padding=padding, where=where)
    for window in windows:
        if 2 * window.padding > window.kernel_size:
            raise ShapeError("padding", got=window.padding, wanted=f"at most half of size {size}", where=where)
    return windows

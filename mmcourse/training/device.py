"""Where to compute."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def pick_device() -> "torch.device":
    """The device that MMCOURSE_DEVICE names, else CUDA where there is one, else the CPU.

    Raises ValueError if MMCOURSE_DEVICE names no device, or CUDA on a machine that has none.
    """
    import torch

    wanted = os.environ.get("MMCOURSE_DEVICE")
    if not wanted:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ValueError(f"pick_device: MMCOURSE_DEVICE: got {wanted!r}, wanted cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"pick_device: MMCOURSE_DEVICE: got {wanted!r}, wanted cpu: PyTorch sees no CUDA device here")
    return device

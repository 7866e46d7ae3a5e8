"""The environment in which outputs are stored and compared: the same for papermill, nbval and experiments."""

from __future__ import annotations

import os
from pathlib import Path


def kernel_environment(root: Path) -> dict[str, str]:
    """One thread, no model hub, and the GPU hidden unless MMCOURSE_DEVICE asks for it."""
    hidden = {} if os.environ.get("MMCOURSE_DEVICE", "").startswith("cuda") else {"CUDA_VISIBLE_DEVICES": ""}
    return {
        "HF_HUB_OFFLINE": "1",
        "KERAS_BACKEND": "tensorflow",
        "MKL_NUM_THREADS": "1",
        "MMCOURSE_STORED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # a warning of the debugger, no concern of a lesson
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(root),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",  # on some processors TensorFlow says that it uses them, whatever the log level
        **hidden,
    }

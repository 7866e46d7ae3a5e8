"""PyTorch and TensorFlow in one process."""

import sys
from importlib import import_module
from importlib.util import find_spec


def load_triton_before_tensorflow() -> None:
    """Load Triton now, where it and TensorFlow are installed and TensorFlow is not loaded yet.

    PyTorch's CUDA build loads Triton at its first optimiser. TensorFlow from 2.20 on shows its own LLVM to everything
    loaded after it, and a Triton that comes later crashes the process (tensorflow/tensorflow, issue 124205). Both
    framework halves call this; who imports TensorFlow before them must make a PyTorch optimiser first.
    """
    if "tensorflow" not in sys.modules and find_spec("triton") and find_spec("tensorflow"):
        import_module("triton")

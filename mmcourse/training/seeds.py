"""One seed for every source of chance."""

import random

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's (the old global one) and PyTorch's generators, CUDA included.

    TensorFlow and Keras have `keras.utils.set_random_seed`. Raises ValueError unless 0 <= seed < 2**32.
    """
    import torch

    if not 0 <= seed < 2**32:
        raise ValueError(f"seed_everything: seed: got {seed}, wanted 0 to 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  libraries still draw from it
    torch.manual_seed(seed)

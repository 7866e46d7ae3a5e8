"""Random numbers by address: number i of a scene's stream is computed from its key, not drawn after number i - 1.

So a scene does not depend on how many others are made with it. A stream is SplitMix64 (Steele et al., 2014).
"""

import numpy as np
from numpy.typing import ArrayLike

_STEP = np.uint64(0x9E3779B97F4A7C15)
_PURPOSES = (
    "count",
    "combination",
    "size",
    "material",
    "name",
    "direction",
    "angle",
    "speed",
    "side",
    "place",
    "wording",
    "question",
)


def mixed(state: np.ndarray) -> np.ndarray:
    """Scramble 64-bit integers, one to one."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def numbers(key: ArrayLike, index: ArrayLike) -> np.ndarray:
    """uint64: what SplitMix64 with the seed `key` gives at its call number `index`, from 0; key and index broadcast."""
    key, index = (np.atleast_1d(np.asarray(values, np.uint64)) for values in (key, index))
    return mixed(key + (index + np.uint64(1)) * _STEP)


def keys(seed: int, index: ArrayLike) -> np.ndarray:
    """The keys of streams that belong to the same seed. Raises ValueError for a seed outside 64 bits."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"scenes: seed: got {seed}, wanted 0 to 2**64 - 1")
    return numbers(mixed(np.array([seed], np.uint64)), index)


def uniform(key: np.ndarray, purpose: str, index: ArrayLike, seed: int = 0) -> np.ndarray:
    """Floats in [0, 1) with 53 random bits; each purpose, and each seed of it, has its own numbers.

    key: (n,);  index: (m,) -> (n, m)
    """
    own = numbers(numbers(key, _PURPOSES.index(purpose)), seed)
    return (numbers(own[:, None], np.asarray(index)) >> np.uint64(11)) * 2.0**-53

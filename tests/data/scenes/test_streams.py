"""Laws of the random numbers: those of SplitMix64, and independent of what else is drawn."""

import numpy as np
import pytest

from mmcourse.data.scenes.streams import keys, mixed, numbers, uniform


def test_a_stream_is_splitmix64():
    """The first outputs for the seeds 0 and 1234567, as published with other implementations."""
    assert [hex(v) for v in numbers(0, np.arange(3))] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]
    assert numbers(1234567, np.arange(2)).tolist() == [6457827717110365317, 3203168211198807973]


def test_mixing_loses_nothing():
    state = np.arange(100_000, dtype=np.uint64)
    assert len(np.unique(mixed(state))) == len(state)


def test_a_number_depends_on_its_address_alone():
    key = keys(5, np.arange(10))
    whole = uniform(key, "place", np.arange(20))
    assert np.array_equal(uniform(key[3:5], "place", [7, 2]), whole[3:5][:, [7, 2]])
    assert np.array_equal(keys(5, [8]), key[8:9])


def test_numbers_are_uniform_and_unrelated():
    key = keys(0, np.arange(400))
    draws = {
        "place": uniform(key, "place", np.arange(50)),
        "another purpose": uniform(key, "side", np.arange(50)),
        "another seed of it": uniform(key, "place", np.arange(50), seed=1),
        "another seed of the scenes": uniform(keys(1, np.arange(400)), "place", np.arange(50)),
        "the next scenes": uniform(keys(0, 1 + np.arange(400)), "place", np.arange(50)),
        "the next numbers": uniform(key, "place", 1 + np.arange(50)),
    }
    for values in draws.values():
        assert values.min() >= 0
        assert values.max() < 1
        counts = np.histogram(values, bins=20, range=(0, 1))[0]
        assert ((counts - 1000) ** 2 / 1000).sum() < 45  # chi-square with 19 degrees of freedom: 1 in 1,000
    for name, values in list(draws.items())[1:]:
        assert abs(np.corrcoef(draws["place"].ravel(), values.ravel())[0, 1]) < 0.03, name


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_refuses_a_seed_that_has_no_stream(seed):
    with pytest.raises(ValueError, match=r"seed: got .* wanted 0 to 2\*\*64 - 1"):
        keys(seed, [0])

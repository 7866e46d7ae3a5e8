"""Laws of read_scan: distances of beams, in range, from an array file that runs no code."""

import io

import numpy as np
import pytest

from mmcourse.data.files import FileError, read_scan
from tests.data.files.damage import array_file
from tests.data.files.reading import with_words

RANGES = np.random.default_rng(0).uniform(0.5, 40, 36)
RADAR = np.stack([RANGES, RANGES - 20], axis=1)


def read(tmp_path, content, **options):
    (tmp_path / "scan.npy").write_bytes(content)
    return with_words(read_scan, tmp_path / "scan.npy", **options)


def refused(tmp_path, array, message, **options):
    with pytest.raises(FileError, match=message):
        read(tmp_path, array if isinstance(array, bytes) else array_file(array), **options)


@pytest.mark.parametrize("array", [RANGES, RADAR, RANGES.astype(">f8"), np.asfortranarray(RADAR), RADAR.astype("f4")])
def test_values_come_back(tmp_path, array):
    values, words = read(tmp_path, array_file(array))
    assert values.dtype == np.float32
    assert np.allclose(values, array)
    assert words == []


def test_whole_numbers_are_converted_with_a_word(tmp_path):
    values, words = read(tmp_path, array_file(np.arange(5)))
    assert values.tolist() == [0, 1, 2, 3, 4]
    assert words == ["int64 was converted to float32"]


REFUSED = {
    "three columns": (np.ones((5, 3)), r"shape \(5, 3\), wanted \(beams,\) or \(beams, 2\)"),
    "a number": (np.float64(3), r"shape \(\)"),
    "a volume": (np.ones((2, 2, 2)), r"shape \(2, 2, 2\)"),
    "no beam": (np.ones(0), r"shape \(0,\)"),
    "complex": (np.ones(3, complex), "dtype complex128, wanted floats of at most 64 bits"),
    "texts": (np.array(["a"]), "dtype <U1"),
    "NaN": (np.array([1, np.nan]), "got NaN or infinity, wanted finite numbers"),
    "infinite velocity": (np.array([[1, np.inf]]), "got NaN or infinity"),
    "behind the sensor": (np.array([1.0, -0.5]), "distances from -0.5 to 1 m, wanted 0 to 1000 m"),
    "too far": (np.array([1.0, 1001]), "distances from 1 to 1001 m, wanted 0 to 1000 m"),
    "a velocity that float32 cannot hold": (np.array([[1, 1e300]]), "velocities up to 1e.300 m/s"),
    "cut off": (array_file(RANGES)[:-1], "287 bytes of values where the header promises 288, wanted a whole file"),
    "too long": (array_file(RANGES) + b"1", "289 bytes of values where the header promises 288"),
    "half a header": (array_file(RANGES)[:50], "a header that cannot be read"),
    "another version": (array_file(RANGES)[:6] + b"\x09" + array_file(RANGES)[7:], "a header that cannot be read"),
}


@pytest.mark.parametrize(("array", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(tmp_path, array, message):
    refused(tmp_path, array, message)


def test_farthest_is_the_callers(tmp_path):
    refused(tmp_path, RANGES, "wanted 0 to 10 m", farthest=10)
    assert len(read(tmp_path, array_file(RANGES * 100), farthest=5000)[0]) == 36
    with pytest.raises(ValueError, match="farthest: got nan, wanted a number of metres above 0"):
        read_scan(tmp_path / "any.npy", farthest=np.nan)


class Trap:
    """Pickled in an array; unpickling it would leave a trace."""

    sprung = False

    def __reduce__(self):
        return Trap.spring, ()

    @staticmethod
    def spring():
        Trap.sprung = True


def test_a_pickle_is_refused_and_never_loaded(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([Trap()], dtype=object), allow_pickle=True)
    refused(tmp_path, stream.getvalue(), "dtype object")
    assert not Trap.sprung
    np.load(io.BytesIO(stream.getvalue()), allow_pickle=True)
    assert Trap.sprung


def test_a_header_that_promises_a_huge_array_costs_nothing(tmp_path):
    content = array_file(RANGES).replace(b"(36,), }    ", b"(10**18,), }")
    refused(tmp_path, content, "a header that cannot be read")
    head = array_file(RANGES).replace(b"(36,), }        ", b"(9999999999,), }")
    refused(tmp_path, head, "288 bytes of values where the header promises 79,999,999,992")

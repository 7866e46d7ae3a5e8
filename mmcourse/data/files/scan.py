"""Read a range scan."""

import os
from io import BytesIO

import numpy as np

from mmcourse.data.files.source import opened

LONGEST_HEADER = 10_000  # bytes


def read_scan(path: str | os.PathLike[str], *, farthest: float = 1000.0) -> np.ndarray:
    """A range scan as float32, from a NumPy file (.npy): (beams,) distances in metres, or (beams, 2): distances, and
    radial velocities in metres a second.

    farthest: no distance is larger. Whole numbers are converted with a ConvertedFileWarning; floats of 16 and 64 bits
    without, where they fit. The file is never unpickled, so that reading one runs no code of its author.
    Raises FileError, which names the file, what came and what was wanted: for no readable array, for one that is cut
    off or longer than its header says, for another shape or dtype, no beams, NaN or infinity, a distance below 0 or
    above `farthest`. The format has no checksum: damage that leaves a distance in that range cannot be seen.
    ValueError for `farthest`.
    """
    where = "read_scan"
    if not 0 < farthest < np.inf:
        raise ValueError(f"{where}: farthest: got {farthest}, wanted a number of metres above 0")
    source = opened(path, "range scan", where, ("NPY",))
    stream = BytesIO(source.content)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read_header(stream, max_header_size=LONGEST_HEADER)
    except Exception as error:  # a damaged header is evaluated as a Python literal, which can fail in many ways
        raise source.refusal(f"a NumPy array with a header that cannot be read ({error})", "a whole file") from error
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise source.refusal(f"dtype {dtype}", "floats of at most 64 bits")
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 2) or 0 in shape or min(shape) < 0:
        raise source.refusal(f"shape {shape}", "(beams,) or (beams, 2), at least 1 beam")
    promised, there = int(np.prod(shape, dtype=object)) * dtype.itemsize, len(source.content) - stream.tell()
    if promised != there:
        raise source.refusal(f"{there:,} bytes of values where the header promises {promised:,}", "a whole file")
    stream.seek(0)
    values = np.load(stream, allow_pickle=False)
    if dtype.kind != "f":
        source.notes.append(f"{dtype} was converted to float32")
    distances = values if values.ndim == 1 else values[:, 0]
    if not np.isfinite(values).all():
        raise source.refusal("NaN or infinity", "finite numbers")
    if not 0 <= distances.min() <= distances.max() <= farthest:
        got = f"distances from {distances.min():g} to {distances.max():g} m"
        raise source.refusal(got, f"0 to {farthest:g} m (farthest says how far)")
    single = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise source.refusal(f"velocities up to {np.abs(values).max():g} m/s", "numbers that float32 can hold")
    source.tell()
    return single

"""Arrays that take seconds to make, kept on disk between runs."""

import hashlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def cache_folder() -> Path:
    """Where files are kept: the folder that MMCOURSE_CACHE names, else "mmcourse" in the user's own cache folder.

    Raises RuntimeError where neither is known (a user without a home).
    """
    if chosen := os.environ.get("MMCOURSE_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "mmcourse"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mmcourse"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmcourse"


def stored(name: str, key: Mapping[str, object], build: Callable[[], Arrays]) -> Arrays:
    """What build() returns, from disk where it was built before with an equal key.

    key: everything that the result depends on, as plain values; any difference means another file
    A file that is damaged is built again. A folder that cannot be read or written is no error: it only costs time.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    try:
        path = cache_folder() / f"{name}-{digest[:16]}.bin"
    except RuntimeError:
        return build()
    arrays = _read(path)
    if arrays is None:
        arrays = build()
        _write(path, arrays)
    return arrays


def _read(path: Path) -> Arrays | None:
    """The arrays in the file, or None where it is missing, unreadable or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    # The checksum stands first: a damaged archive could fail inside NumPy in a dozen ways, or not at all.
    checksum, archive = content[:32], content[32:]
    if hashlib.sha256(archive).digest() != checksum:
        return None
    with np.load(io.BytesIO(archive)) as arrays:
        return dict(arrays)


def _write(path: Path, arrays: Arrays) -> None:
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    content = archive.getvalue()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(temporary).replace(path)  # whole or not at all, also when two processes build at once
    except OSError:  # a full disk, say
        Path(temporary).unlink(missing_ok=True)

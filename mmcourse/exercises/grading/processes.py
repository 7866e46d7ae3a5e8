"""The processes that a notebook started, wherever they hid, and their end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

MARK = "MMCOURSE_GRADING"  # in the environment of the child, and so of everything that it starts
LONGEST_END = 3.0  # seconds


def family(root: psutil.Process, token: str) -> list[psutil.Process]:
    """The root, its descendants, and every process that carries the token (one that left by a double fork)."""
    found = {root.pid: root} if _alive(root) else {}
    with suppress(psutil.Error):  # the root may be gone, its token is not
        found.update((process.pid, process) for process in root.children(recursive=True))
    for process in psutil.process_iter():
        if process.pid not in found and _carries(process, token, root.create_time()):
            found[process.pid] = process
    return list(found.values())


def resident(processes: Iterable[psutil.Process]) -> int:
    """Bytes of memory that they hold together."""
    return sum(_memory(process, shared=True) for process in processes)


def proportional(processes: Iterable[psutil.Process]) -> int:
    """The same with pages that several share counted once, where the system tells; slower to ask."""
    return sum(_memory(process, shared=False) for process in processes)


def end(root: psutil.Process, token: str, known: Iterable[psutil.Process] = ()) -> list[psutil.Process]:
    """Kill the family, and again what it started meanwhile, for three seconds at most. Returns what would not go."""
    until = time.monotonic() + LONGEST_END
    left = [*known, *family(root, token)]
    while left and time.monotonic() < until:
        for process in left:
            with suppress(psutil.Error):
                process.kill()  # psutil compares the time of creation: a number that was given anew is left alone
        psutil.wait_procs(left, timeout=0.2)
        left = [process for process in family(root, token) if _alive(process)]
    return left


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _carries(process: psutil.Process, token: str, since: float) -> bool:
    try:
        return process.create_time() >= since and process.environ().get(MARK) == token
    except (psutil.Error, OSError):
        return False  # another user's, or gone


def _memory(process: psutil.Process, *, shared: bool) -> int:
    try:
        if not shared and hasattr(process, "memory_full_info"):
            about = process.memory_full_info()
            return int(getattr(about, "pss", about.rss))
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0

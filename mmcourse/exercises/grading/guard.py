"""Refuse writes outside the working folder, by an audit hook (PEP 578).

This catches what Python itself opens, removes, renames or makes. It does not catch what compiled code or a program
started by the notebook writes, and it is no wall against someone who wants to get through.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/stdout", "/dev/stderr")
# Event: positions of the paths among its arguments, each with the position of the folder that it is relative to.
EVENTS: dict[str, tuple[tuple[int, int | None], ...]] = {
    "open": ((0, None),),
    "os.chflags": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.removexattr": ((0, None),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.setxattr": ((0, None),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
    "sqlite3.connect": ((0, None),),
}


def keep_writes_inside(folder: Path) -> None:
    """From now on, for the rest of the process, a write outside `folder` raises PermissionError. No way back."""
    inside = os.path.realpath(folder)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        for position, relative_to in EVENTS.get(event, ()):
            path = _resolved(arguments[position], arguments[relative_to] if relative_to else -1, follow=event == "open")
            if path is not None and not _allowed(path, inside):
                raise PermissionError(
                    f"while a notebook is graded it may write only into its working folder, not to {path}"
                )

    sys.addaudithook(refuse)


def _allowed(path: str, inside: str) -> bool:
    return path == inside or path.startswith(inside + os.sep) or path in DEVICES


def _resolved(path: Any, folder: Any, *, follow: bool) -> str | None:
    """The absolute path behind an argument; None for an open file or a database in memory, which are no new place.

    follow: whether a link at its end is followed, as opening does and removing does not.
    """
    if isinstance(path, int) or path is None:
        return None
    name = os.fsdecode(path)
    if name in ("", ":memory:"):
        return None
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):  # noqa: PTH117  as bare as os calls it
        name = os.path.join(_open_folder(folder), name)  # noqa: PTH118
    if name in DEVICES or follow:
        return name if name in DEVICES else os.path.realpath(name)
    parent, last = os.path.split(os.path.abspath(name))  # noqa: PTH100
    return os.path.join(os.path.realpath(parent), last)  # noqa: PTH118


def _open_folder(number: int) -> str:
    """The path of a folder that is open under a number (shutil.rmtree removes relative to one)."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(number, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115

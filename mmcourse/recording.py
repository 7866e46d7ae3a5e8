"""What one run of a lesson costs and which files of the repository it reads.

The authors' runner asks for it by naming a report file in MMCOURSE_REPORT; nobody else pays for it.
"""

import atexit
import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def record(report: Path) -> None:
    """Remember every file opened for reading; write the report after each cell (outside IPython at exit).

    Report: {"cpu_seconds": user and system, children included, "peak_mb": resident memory at its highest,
    "reads": loaded modules and opened files of the repository, relative to its root}.
    After each cell rather than at the end: a kernel that is slow to leave is killed before it could write.
    """
    opened: set[str] = set()

    def remember(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            opened.add(os.path.abspath(arguments[0]))  # noqa: PTH100  called for thousands of files

    def write(*_: Any) -> None:
        report.write_text(json.dumps(_report(opened)), encoding="utf-8")

    from IPython.core.getipython import get_ipython

    sys.addaudithook(remember)
    shell = get_ipython()
    if shell is None:
        atexit.register(write)
    else:
        shell.events.register("post_run_cell", write)


def of_repository(files: set[str]) -> list[str]:
    """Those of the absolute paths that lie in the repository and not in an environment inside it, relative, sorted."""
    libraries = tuple(sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
    inside = set()
    for file in files:
        if file.startswith(libraries) or file.endswith(".pyc"):  # nearly all; only the rest is worth a look at the disk
            continue
        resolved = Path(file).resolve()
        if resolved.is_file() and ROOT in resolved.parents and not str(resolved).startswith(libraries):
            inside.add(resolved.relative_to(ROOT).as_posix())
    return sorted(inside)


def _report(opened: set[str]) -> dict[str, Any]:
    import resource  # Linux and macOS; authors store outputs there

    modules = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "cpu_seconds": round(sum(os.times()[:4]), 1),
        "peak_mb": round(peak / 1e6),
        "reads": of_repository({*modules, *opened}),
    }

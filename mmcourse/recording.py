"""What one run of a lesson costs and which files of the repository it reads.

The authors' runner asks for it by naming a report file in MMCOURSE_REPORT; nobody else pays for it.
"""

import atexit
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def record_until_exit(report: Path) -> None:
    """From now on remember every file opened for reading; at exit write the report.

    Report: {"cpu_seconds": user and system, children included, "peak_mb": resident memory at its highest,
    "reads": loaded modules and opened files of the repository, relative to its root}.
    """
    opened: set[str] = set()

    def remember(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            opened.add(str(Path(arguments[0]).absolute()))

    sys.addaudithook(remember)
    atexit.register(lambda: report.write_text(json.dumps(_report(opened)), encoding="utf-8"))


def of_repository(files: set[str]) -> list[str]:
    """Those of the absolute paths that lie in the repository and not in an environment inside it, relative, sorted."""
    prefix = Path(sys.prefix).resolve()
    inside = set()
    for file in map(Path, files):
        resolved = file.resolve()
        if resolved.is_file() and ROOT in resolved.parents and prefix not in resolved.parents and file.suffix != ".pyc":
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

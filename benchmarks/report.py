"""Results as a table and as a file."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from authoring.files import write_atomically
from benchmarks.runner import Result

HEADINGS = ("case", "against", "ratio", "lowest-highest", "ms", "peer ms", "peak MB", "peer MB")


def table(results: Sequence[Result]) -> str:
    """Return the results as a plain-text table."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for result in results:
        spread = f"{result.lowest:.2f}-{result.highest:.2f}"
        times = (f"{result.milliseconds:.3g}", f"{result.peer_milliseconds:.3g}")
        sizes = ("-" if size is None else f"{size:.1f}" for size in (result.megabytes, result.peer_megabytes))
        rows.append((result.name, result.against, f"{result.ratio:.2f}", spread, *times, *sizes))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (zip(row, widths, strict=True) for row in rows)
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def machine() -> dict[str, Any]:
    """Describe the machine without its name or its paths."""
    described: dict[str, Any] = {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [
            line for line in information.read_text(encoding="utf-8").splitlines() if line.startswith("model name")
        ]
        described["processor"] = models[0].partition(":")[2].strip() if models else "unknown"
    return described


def versions() -> dict[str, str]:
    """Return the versions of what is loaded."""
    names = ("mmcourse", "numpy", "torch", "tensorflow", "keras")
    return {name: sys.modules[name].__version__ for name in names if name in sys.modules}


def write(path: Path, results: Sequence[Result], **conditions: Any) -> None:
    """Write results, machine, versions and conditions (threads, clock, rounds) to a JSON file, whole or not at all."""
    content = {
        "machine": machine(),
        "versions": versions(),
        "conditions": {"device": "cpu", **conditions},
        "results": [
            {
                name: float(f"{value:.3g}") if isinstance(value, float) else value
                for name, value in asdict(result).items()
            }
            for result in results
        ],
    }
    write_atomically(path, json.dumps(content, indent=2) + "\n")

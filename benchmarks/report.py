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
from benchmarks.runner import RateResult, Result

HEADINGS = ("case", "against", "threads", "ratio", "lowest-highest", "ms", "peer ms", "peak MB", "peer MB")
RATE_HEADINGS = ("what", "a second", "seconds", "lowest-highest")


def line(result: Result | RateResult) -> str:
    """One result while the others are still measured."""
    if isinstance(result, RateResult):
        return f"{result.per_second:6.0f}  {result.unit} a second: {result.name}"
    return f"{result.ratio:6.2f}  {result.name} against {result.against}"


def table(results: Sequence[Result | RateResult]) -> str:
    """Return the results as plain text: ratios, and below them what has no peer."""
    ratios = [_cells(result) for result in results if isinstance(result, Result)]
    rates = [_rate_cells(result) for result in results if isinstance(result, RateResult)]
    parts = [(HEADINGS, ratios, 2), (RATE_HEADINGS, rates, 1)]
    return "\n\n".join(_aligned([headings, *rows], words) for headings, rows, words in parts if rows)


def _cells(result: Result) -> tuple[str, ...]:
    spread = f"{result.lowest:.2f}-{result.highest:.2f}"
    times = (f"{result.milliseconds:.3g}", f"{result.peer_milliseconds:.3g}")
    sizes = ("-" if size is None else f"{size:.1f}" for size in (result.megabytes, result.peer_megabytes))
    return (result.name, result.against, str(result.threads), f"{result.ratio:.2f}", spread, *times, *sizes)


def _rate_cells(result: RateResult) -> tuple[str, ...]:
    spread = f"{result.lowest:.2f}-{result.highest:.2f}"
    return (result.name, f"{result.per_second:.3g} {result.unit}", f"{result.seconds:.3g}", spread)


def _aligned(rows: Sequence[tuple[str, ...]], words: int) -> str:
    """The first `words` columns stand to the left, numbers to the right; a rule below the headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if column < words else cell.rjust(width) for column, (cell, width) in enumerate(pairs)
        )
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
    names = ("mmcourse", "numpy", "torch", "tensorflow", "keras", "transformers", "PIL")
    return {name: sys.modules[name].__version__ for name in names if name in sys.modules}


def write(path: Path, results: Sequence[Result | RateResult], **conditions: Any) -> None:
    """Write ratios, rates, machine, versions and conditions (rounds) to a JSON file, whole or not at all."""
    content = {
        "machine": machine(),
        "versions": versions(),
        "conditions": {"device": "cpu", **conditions},
        "ratios": [_rounded(result) for result in results if isinstance(result, Result)],
        "rates": [_rounded(result) for result in results if isinstance(result, RateResult)],
    }
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def _rounded(result: Result | RateResult) -> dict[str, Any]:
    """Three digits are more than a second run confirms."""
    fields = asdict(result).items()
    return {name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in fields}

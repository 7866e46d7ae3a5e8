"""Run lessons with papermill, two at a time, each in a kernel of its own, within a limit of time."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from authoring.convert import code_cells, normalise, read_source
from authoring.environment import kernel_environment
from authoring.lessons import notebook_path, source_name
from authoring.places import place

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Executed:
    notebook: dict[str, Any]
    cpu_seconds: float
    peak_mb: float
    reads: list[str]


class LessonError(Exception):
    """A lesson that did not run to its end; the message says where and why."""


def execute(root: Path, lesson: str, limit: float) -> Executed:
    """Run one lesson from its source. `limit`: wall-clock seconds for all its cells together. Raises LessonError."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it reports is reported here, in one line
    notebook = read_source(root, lesson)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        os.environ.update(kernel_environment(root), MMCOURSE_REPORT=str(report))
        deadline = time.monotonic() + limit
        begun: list[Any] = []

        def time_left(cell: Any) -> float:
            begun.append(cell)
            return max(deadline - time.monotonic(), 0.1)

        try:
            notebook = papermill.execute_notebook(
                notebook,
                None,
                cwd=notebook_path(root, lesson).parent,
                progress_bar=False,
                timeout_func=time_left,
                extra_arguments=["--log-level=50"],  # a kernel's own messages; what concerns the lesson is raised
            )
        except PapermillExecutionError as error:
            place = location(root, lesson, error.cell_index, error.exec_count, "\n".join(error.traceback))
            raise LessonError(f"{place}: {error.ename}: {error.evalue}") from None
        except CellTimeoutError:
            line = begun[-1].source.splitlines()[0]
            raise LessonError(f"stopped after {limit:g} s, its hang guard, in the cell that begins `{line}`") from None
        except DeadKernelError:
            raise LessonError("its kernel died (out of memory?)") from None
        if any(cell.execution_count is None and cell.source.strip() for cell in code_cells(notebook)):
            raise LessonError("it left by sys.exit before its last cell")
        refuse_noise(root, lesson, notebook)
        if not report.is_file():
            raise LessonError(f'left no report of its cost: does it call setup("{source_name(lesson)}")?')
        cost = json.loads(report.read_text(encoding="utf-8"))
    return Executed(normalise(notebook, lesson), cost["cpu_seconds"], cost["peak_mb"], cost["reads"])


def refuse_noise(root: Path, lesson: str, notebook: Any) -> None:
    """Raise LessonError where a cell wrote to stderr: a warning belongs mended, not into the book."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                said = " ".join(output["text"].split())[:300]
                raise LessonError(f"{location(root, lesson, index, None, '')}: writes to stderr: {said}")


def location(root: Path, lesson: str, cell: int, count: int | None, traceback: str) -> str:
    """The line of the source at which a cell, counted from 0, failed."""
    lines = re.findall(rf"Cell In\[{count}\], line (\d+)", ANSI.sub("", traceback))
    return place(root, lesson, cell + 1, int(lines[-1] if lines else 1))


def execute_all(root: Path, limits: dict[str, float], jobs: int = 2) -> Iterator[tuple[str, Executed | LessonError]]:
    """Run the lessons named in `limits`, `jobs` at a time; yields each as it ends."""
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn")) as pool:
        running: dict[Future[Executed], str] = {
            pool.submit(execute, root, lesson, limit): lesson for lesson, limit in limits.items()
        }
        for done in as_completed(running):
            try:
                yield running[done], done.result()
            except LessonError as error:
                yield running[done], error
            except BrokenProcessPool:
                yield running[done], LessonError("the process that ran it was killed (out of memory?)")

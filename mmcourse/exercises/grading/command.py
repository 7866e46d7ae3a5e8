"""`mmcourse grade`: what the options mean and how it ends."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from mmcourse.exercises.grading import reports
from mmcourse.exercises.grading.collect import NothingToGrade, grade_all, tasks_for, tasks_of_all
from mmcourse.exercises.grading.scores import Grade
from mmcourse.exercises.grading.supervise import Cancelled, Limits

SOLVED, UNSOLVED, NOTHING = 0, 1, 2
BROKEN_OFF = 130


def grade(options: argparse.Namespace, my: Path) -> int:
    """Grade, print, write the reports. 0: all solved;  1: something unsolved;  2: nothing could be graded."""
    try:
        tasks = tasks_of_all(options.all, options.what) if options.all else tasks_for(options.what, my)
        with _termination_as_interrupt():
            grades = grade_all(tasks, Limits(options.seconds, options.memory), options.jobs)
    except NothingToGrade as error:
        print(f"mmcourse grade: {error}", file=sys.stderr)
        return NOTHING
    except (KeyboardInterrupt, Cancelled):
        print("mmcourse grade: broken off; no report was written", file=sys.stderr)
        return BROKEN_OFF
    print(reports.table(grades) if options.all else reports.text(grades), end="")
    try:
        _write(options, grades)
    except OSError as error:
        print(f"mmcourse grade: a report could not be written: {error}", file=sys.stderr)
        return NOTHING
    return SOLVED if all(grade.solved for grade in grades) else UNSOLVED


def _write(options: argparse.Namespace, grades: Sequence[Grade]) -> None:
    for path, made in (
        (options.json, reports.as_json), (options.junit, reports.as_junit), (options.csv, reports.as_csv),
    ):  # fmt: skip
        if path is not None:
            reports.write(path, made(grades))
    if options.summary is not None:
        reports.append(options.summary, reports.as_markdown(grades))


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """A workflow that is cancelled sends SIGTERM: then, too, the notebooks' processes and folders go."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

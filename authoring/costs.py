"""notebooks/costs.csv: what each lesson, and each chapter's solutions, cost to run, and the budget it is held to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low

from authoring.files import write_atomically
from authoring.lessons import executed_names, lesson_names

COLUMNS = ("lesson", "cpu_seconds", "peak_mb", "budget_seconds")
LARGEST_BUDGET = 100.0  # processor seconds
LONG, MEDIAN = 60.0, 30.0  # at most one lesson in six is longer than the first; half are no longer than the second
LARGEST_MEMORY = 2000.0  # MB
HANG_FACTOR = 3  # a run that takes so many times its budget hangs
NOISE = 0.3  # a figure that moves less than this part of itself has not changed
SMALLEST_MOVE = 1.0  # second or MB; on a busy machine a lesson of one second differs by half of itself


@dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    peak_mb: float
    budget_seconds: float = LARGEST_BUDGET


def costs_path(root: Path) -> Path:
    return root / "notebooks" / "costs.csv"


def read_costs(root: Path) -> dict[str, Cost]:
    if not costs_path(root).is_file():
        return {}
    with costs_path(root).open(encoding="utf-8", newline="") as rows:
        return {row["lesson"]: Cost(*(float(row[name]) for name in COLUMNS[1:])) for row in csv.DictReader(rows)}


def hang_limit(root: Path, lesson: str) -> float:
    """Seconds after which a run of the lesson is stopped."""
    cost = read_costs(root).get(lesson)
    return HANG_FACTOR * (cost.budget_seconds if cost else LARGEST_BUDGET)


def record_costs(root: Path, measured: dict[str, tuple[float, float]]) -> None:
    """Take over new {lesson: (cpu_seconds, peak_mb)} where they moved; drop the rows of lessons that are gone.

    A budget is the author's: it stands in the file, 100 s for a new lesson, and is kept.
    """
    known = executed_names(root)
    costs = {lesson: cost for lesson, cost in read_costs(root).items() if lesson in known}
    for lesson, (cpu_seconds, peak_mb) in measured.items():
        old = costs.get(lesson)
        if old is None:
            costs[lesson] = Cost(cpu_seconds, peak_mb)
        else:
            costs[lesson] = replace(
                old,
                cpu_seconds=settled(old.cpu_seconds, cpu_seconds),
                peak_mb=settled(old.peak_mb, peak_mb),
            )
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for lesson, cost in sorted(costs.items()):
        writer.writerow([lesson, f"{cost.cpu_seconds:g}", f"{cost.peak_mb:g}", f"{cost.budget_seconds:g}"])
    write_atomically(costs_path(root), table.getvalue())


def settled(old: float, new: float) -> float:
    return new if abs(new - old) > max(NOISE * old, SMALLEST_MOVE) else old


def budget_faults(root: Path) -> Iterator[str]:
    """Where the notebooks, each, and the lessons, together, cost more than a reader was promised."""
    costs, known = read_costs(root), executed_names(root)
    for lesson in sorted(set(known) ^ set(costs)):
        missing = lesson in known
        yield f"{lesson}: {'no row' if missing else 'a row of no lesson'} in costs.csv: run `make notebooks`"
    for lesson, cost in costs.items():
        if not cost.cpu_seconds <= cost.budget_seconds <= LARGEST_BUDGET:
            yield f"{lesson}: {cost.cpu_seconds:g} s, budget {cost.budget_seconds:g} s, at most {LARGEST_BUDGET:g} s"
        if cost.peak_mb > LARGEST_MEMORY:
            yield f"{lesson}: {cost.peak_mb:g} MB of memory, at most {LARGEST_MEMORY:g}"
    lessons = {lesson: costs[lesson] for lesson in lesson_names(root) if lesson in costs}
    seconds = [cost.cpu_seconds for cost in lessons.values()]
    if seconds and median_low(seconds) > MEDIAN:
        yield f"half of the lessons cost more than {median_low(seconds):g} s, wanted at most {MEDIAN:g}"
    long = [lesson for lesson, cost in lessons.items() if cost.cpu_seconds > LONG]
    if len(long) > max(1, len(lessons) // 6):
        yield f"more than one lesson in six costs over {LONG:g} s: {', '.join(long)}"

"""costs.csv: rewritten where a figure moved, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from authoring.costs import Cost, budget_faults, costs_path, hang_limit, read_costs, record_costs
from authoring.lessons import source_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for lesson in ("b/one", "a/two"):
        source_path(tmp_path, lesson).parent.mkdir(parents=True)
        source_path(tmp_path, lesson).touch()
    record_costs(tmp_path, {"b/one": (10.0, 200), "a/two": (20.0, 300)})
    return tmp_path


def test_rows_are_sorted_and_have_a_budget(root: Path) -> None:
    text = costs_path(root).read_text(encoding="utf-8")
    assert text == "lesson,cpu_seconds,peak_mb,budget_seconds\na/two,20,300,100\nb/one,10,200,100\n"


@pytest.mark.parametrize(
    ("measured", "stored"),
    [((12.9, 259), (10.0, 200)), ((7.1, 141), (10.0, 200)), ((13.1, 259), (13.1, 200)), ((10.0, 261), (10.0, 261))],
)
def test_a_figure_moves_by_more_than_30_percent_or_stays(
    root: Path, measured: tuple[float, float], stored: tuple[float, float]
) -> None:
    record_costs(root, {"b/one": measured})
    assert read_costs(root)["b/one"] == Cost(*stored)
    assert read_costs(root)["a/two"] == Cost(20.0, 300)


def test_a_lesson_of_one_second_is_not_rewritten_for_a_busy_machine(root: Path) -> None:
    record_costs(root, {"b/one": (1.1, 104)})
    record_costs(root, {"b/one": (1.9, 104)})
    assert read_costs(root)["b/one"] == Cost(1.1, 104)


def test_a_budget_of_the_author_stays(root: Path) -> None:
    path = costs_path(root)
    path.write_text(path.read_text(encoding="utf-8").replace("10,200,100", "10,200,30"), encoding="utf-8")
    record_costs(root, {"b/one": (50.0, 500)})
    assert read_costs(root)["b/one"] == Cost(50.0, 500, 30)
    assert hang_limit(root, "b/one") == 90
    assert hang_limit(root, "new/lesson") == 300


def test_solutions_have_a_row_and_do_not_count_among_the_lessons(root: Path) -> None:
    source_path(root, "a/solutions").touch()
    record_costs(root, {"b/one": (10.0, 200), "a/two": (20.0, 300)})
    assert list(budget_faults(root)) == ["a/solutions: no row in costs.csv: run `make notebooks`"]
    record_costs(root, {"a/solutions": (90.0, 400)})
    assert hang_limit(root, "a/solutions") == 300
    assert read_costs(root)["a/solutions"] == Cost(90.0, 400)
    # With it as a lesson, the median of three would be 31 s, and two of three would be long.
    record_costs(root, {"a/two": (29.0, 300), "b/one": (61.0, 200)})
    assert [fault for fault in budget_faults(root) if "half" not in fault] == []
    costs_path(root).write_text(costs_path(root).read_text(encoding="utf-8").replace("90,400", "101,400"))
    assert "a/solutions: 101 s, budget 100 s, at most 100 s" in list(budget_faults(root))


def test_a_lesson_that_is_gone_leaves_no_row(root: Path) -> None:
    source_path(root, "b/one").unlink()
    record_costs(root, {})
    assert list(read_costs(root)) == ["a/two"]

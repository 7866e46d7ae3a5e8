"""`make experiments`: stored with what made them, resumed after an interruption, stale when their code changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from authoring import experiments
from authoring.experiments import changed_modules, is_current, read_results, results_path, script_hash, to_text
from mmcourse import lesson

SCRIPT = '''"""A tiny sweep."""
from pathlib import Path

import mmcourse.errors

CONFIG = {"factor": 2, "count": 3}
CALLS = Path(__file__).with_name("calls.txt")


def points(config):
    return [{"x": x} for x in range(config["count"])]


def run(point, config):
    CALLS.write_text(CALLS.read_text() + f"{point['x']} " if CALLS.exists() else f"{point['x']} ")
    if Path(__file__).with_name(f"stop{point['x']}").exists():
        raise KeyboardInterrupt
    return {"y": config["factor"] * point["x"], "half": point["x"] / 2}
'''


def write(root: Path, text: str = SCRIPT) -> None:
    (root / "experiments" / "sweep.py").write_text(text, encoding="utf-8")


def calls(root: Path) -> str:
    path = root / "experiments" / "calls.txt"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.unlink(missing_ok=True)
    return text.strip()


def make_experiments(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "authoring.experiments", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)


def test_results_carry_configuration_hash_versions_and_costs(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(empty)
    done = make_experiments(empty)
    assert done.returncode == 0, done.stderr
    assert "sweep [3/3]: x=2 -> y=4 half=1 (" in done.stdout
    stored = read_results(results_path(empty, "sweep"))
    assert stored["config"] == {"factor": 2, "count": 3}
    assert stored["script"] == script_hash(empty, "sweep")
    assert list(stored["modules"]) == ["mmcourse/errors.py", "mmcourse/lazy.py"], "__init__.py only names what is there"
    assert stored["cpu_seconds"] >= 0
    assert {"python", "numpy"} <= set(stored["versions"])
    assert [(point["settings"], point["result"]) for point in stored["points"]] == [
        ({"x": x}, {"y": 2 * x, "half": x / 2}) for x in range(3)
    ]
    text = results_path(empty, "sweep").read_text(encoding="utf-8")
    assert text == to_text(stored)
    assert '\n  {"settings": {"x": 1}, "result": {"y": 2, "half": 0.5}},\n' in text
    assert not list((empty / "experiments").glob("*.part"))

    calls(empty)
    assert experiments.main(empty, []) == 0
    assert capsys.readouterr().out == "sweep: up to date\n"
    assert calls(empty) == ""
    for before, after, current in (
        ("import mmcourse", "# a comment\n\nimport mmcourse", True),
        ("A tiny sweep.", "A small sweep.", True),
        ("/ 2", "/ 4", False),
        ("/ 4", "/ 2", True),
    ):
        path = empty / "experiments" / "sweep.py"
        path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
        assert is_current(empty, "sweep", stored) is current


def test_a_changed_module_is_named_and_computes_nothing(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(empty)
    assert make_experiments(empty).returncode == 0
    stored = read_results(results_path(empty, "sweep"))
    calls(empty)
    errors = empty / "mmcourse" / "errors.py"
    text = errors.read_text(encoding="utf-8")
    errors.write_text(text.replace('"""', '"""Other words. ', 1) + "# a comment\n", encoding="utf-8")
    assert changed_modules(empty, stored) == []
    names = empty / "mmcourse" / "__init__.py"
    names.write_text(names.read_text(encoding="utf-8") + "ANOTHER = 1\n", encoding="utf-8")
    known_before = stored | {"modules": stored["modules"] | {"mmcourse/__init__.py": "a hash of its own"}}
    assert changed_modules(empty, stored) == changed_modules(empty, known_before) == []
    errors.write_text(text + "ANOTHER = 1\n", encoding="utf-8")
    assert is_current(empty, "sweep", stored)
    assert experiments.main(empty, []) == 0
    assert capsys.readouterr().out == (
        'sweep: mmcourse/errors.py changed since; `make experiments ARGS="sweep --force"` computes again\n'
    )
    assert calls(empty) == ""
    assert make_experiments(empty, "sweep", "--force").returncode == 0
    assert calls(empty) == "0 1 2"
    assert changed_modules(empty, read_results(results_path(empty, "sweep"))) == []


def test_an_interrupted_experiment_goes_on_where_it_stopped(empty: Path) -> None:
    write(empty)
    stop = empty / "experiments" / "stop1"
    stop.touch()
    stopped = make_experiments(empty)
    assert stopped.returncode == 130
    assert "sweep: stopped; finished points are kept" in stopped.stderr
    assert calls(empty) == "0 1"
    assert not results_path(empty, "sweep").exists()
    partial = empty / "experiments" / "sweep.json.part"
    assert len(json.loads(partial.read_text(encoding="utf-8"))["points"]) == 1

    stop.unlink()
    done = make_experiments(empty, "sweep")
    assert done.returncode == 0, done.stderr
    assert calls(empty) == "1 2"
    assert [point["result"]["y"] for point in read_results(results_path(empty, "sweep"))["points"]] == [0, 2, 4]
    assert not partial.exists()


@pytest.mark.parametrize("changed", ["experiments/sweep.py", "mmcourse/errors.py"])
def test_points_computed_by_other_code_are_not_taken_over(empty: Path, changed: str) -> None:
    write(empty)
    (empty / "experiments" / "stop2").touch()
    assert make_experiments(empty).returncode != 0
    (empty / "experiments" / "stop2").unlink()
    calls(empty)
    with (empty / changed).open("a", encoding="utf-8") as file:
        file.write("\nANOTHER = 1\n")
    done = make_experiments(empty, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert sorted(calls(empty).split()) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"half": point["x"] / 2', '"half": float("nan")', "half: got nan, wanted a finite number"),
        ('"half": point["x"] / 2', '"x": 1', "settings and result both name"),
        ("def run(", "def walk(", "experiments/sweep.py defines no run"),
        ('{"x": x} for', '{"x": 0} for', "names one point twice"),
        ("import mmcourse.errors", "import nosuch", ":4, before the first point: ModuleNotFoundError: No module named"),
        ("def run(point, config):", "def run(point, config)", ":14, before the first point: SyntaxError: expected ':'"),
        ('point["x"] / 2', '1 / point["x"]', "sweep.py:18, at {'x': 0}: ZeroDivisionError: division by zero."),
        ('point["x"] / 2', "__import__('os')._exit(9)", "sweep.py: a process that computed a point was killed"),
    ],
)
def test_a_fault_is_named(empty: Path, before: str, after: str, said: str) -> None:
    write(empty, SCRIPT.replace(before, after))
    done = make_experiments(empty)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not results_path(empty, "sweep").exists()


def test_a_lesson_reads_one_record_a_point(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {"points": [{"settings": {"x": 1, "kind": "a"}, "result": {"y": 2.5}}]}
    results_path(empty, "sweep").write_text(json.dumps(stored), encoding="utf-8")
    monkeypatch.setattr(lesson, "__file__", str(empty / "mmcourse" / "lesson.py"))
    assert lesson.experiment("sweep") == [{"x": 1, "kind": "a", "y": 2.5}]
    with pytest.raises(FileNotFoundError, match=r"experiment 'swep' has no stored results; `make experiments`"):
        lesson.experiment("swep")

"""The command `mmcourse`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mmcourse
from mmcourse import cli
from mmcourse.exercises.checking import CHECK_TYPE, exercises_of


def test_list_shows_each_lesson_with_its_measured_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (
        ("a/one", "# %% [markdown]\n# # The first\n"),
        ("a/exercises", "# %% [markdown]\n# # No lesson\n"),
        ("b/second", "# %% [markdown]\n# # Another\n"),
    ):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "costs.csv").write_text(
        "lesson,cpu_seconds,peak_mb,budget_seconds\na/one,12.3,420,100\n", encoding="utf-8"
    )
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path)
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[:4] == [
        "lesson    CPU time    memory  title",
        "a/one         12 s    420 MB  The first",
        "b/second        not measured  Another",
        "",
    ]


def test_list_shows_which_exercises_of_each_chapter_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my").mkdir()
    first, second, *others = exercises_of("fusion")

    def shown() -> str:
        assert cli.main(["list"]) == 0
        return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("fusion: "))

    count = 2 + len(others)
    assert shown() == f"fusion: {count} exercises; no copy yet: `make lab` makes it"
    (tmp_path / "my" / "fusion.ipynb").touch()
    assert shown() == f"fusion: {count} exercises; my/fusion.ipynb cannot be read, `make grade` says why"
    store(tmp_path / "my" / "fusion.ipynb", [])
    assert shown() == f"fusion: 0 of {count} exercises solved; open: {', '.join([first, second, *others])}"
    store(tmp_path / "my" / "fusion.ipynb", [second])
    assert shown() == f"fusion: 1 of {count} exercises solved; open: {', '.join([first, *others])}"
    store(tmp_path / "my" / "fusion.ipynb", [first, second, *others])
    assert shown() == f"fusion: {count} of {count} exercises solved"


def test_list_says_that_its_exercises_are_those_of_the_last_saved_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my").mkdir()
    said = "This is the state at the last saved run of the checks; `make grade` runs them anew."
    assert cli.main(["list"]) == 0
    assert said not in capsys.readouterr().out  # there is no copy yet
    store(tmp_path / "my" / "fusion.ipynb", [])
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == said


def store(path: Path, solved: list[str]) -> None:
    """A notebook that stores the outputs of checks that passed."""
    records = [{"data": {CHECK_TYPE: {"exercise": f"fusion/{name}", "passed": True}}} for name in solved]
    path.write_text(json.dumps({"cells": [{"outputs": records}]}), encoding="utf-8")


def test_my_is_that_of_the_current_folder_else_that_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.my_folder() == cli.ROOT / "my"
    (tmp_path / "my").mkdir()
    assert cli.my_folder() == tmp_path / "my"


def test_list_without_the_repository_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path)
    assert cli.main(["list"]) == 1
    assert "no lessons here" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"mmcourse {mmcourse.__version__}\n"

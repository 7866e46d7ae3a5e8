"""The command `mmcourse`."""

from __future__ import annotations

from pathlib import Path

import pytest

import mmcourse
from mmcourse import cli


def test_list_shows_each_lesson_with_its_measured_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("a/one", "# %% [markdown]\n# # The first\n"), ("b/second", "# %% [markdown]\n# # Another\n")):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    (tmp_path / "costs.csv").write_text(
        "lesson,cpu_seconds,peak_mb,budget_seconds\na/one,12.3,420,100\n", encoding="utf-8"
    )
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path)
    assert cli.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["a/one", "12", "s", "420", "MB", "The", "first"],
        ["b/second", "not", "measured", "Another"],
    ]


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

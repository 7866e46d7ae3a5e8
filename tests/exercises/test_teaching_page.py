"""The table on the page for teachers is what grading such a class prints, for a chapter that no lesson changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmcourse import cli
from mmcourse.exercises import chapters
from tests.exercises.grading import TOY, answers, save

PAGE = Path(__file__).resolve().parents[2] / "book" / "teaching.md"
SECONDS = 15  # two fifths of it for Bela's loop; the page tells of the default, 300


def test_the_table_for_a_class_is_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chapters, "__path__", [*chapters.__path__, str(TOY)])
    blank = f"def total(numbers):\n    raise {NotImplementedError.__name__}()"
    loop = "def double(numbers):\n    while True:\n        pass"
    save(tmp_path / "ada" / "my" / "toy.ipynb", answers())
    save(tmp_path / "bela" / "my" / "toy.ipynb", answers(double=loop, total=blank))
    (tmp_path / "chen" / "my").mkdir(parents=True)
    (tmp_path / "chen" / "my" / "toy.ipynb").touch()
    (tmp_path / "dora").mkdir()

    assert cli.main(["grade", "--all", str(tmp_path), "--seconds", str(SECONDS)]) == 1
    block = re.search(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    printed = capsys.readouterr().out.replace(f"after {SECONDS * 2 // 5} s", "after 120 s")
    assert printed.splitlines() == block[1].splitlines()

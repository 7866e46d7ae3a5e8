"""my/<chapter>.ipynb: made once from the blank notebook, its links leading where they led, then never touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from authoring.convert import read_notebook
from authoring.lessons import notebook_path
from authoring.my import copy_path, main, rebased
from tests.authoring.test_exercises import EXERCISES, edit, files


def said(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    main(root)
    return capsys.readouterr().out


def test_a_copy_has_the_cells_of_the_blank_notebook(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(course)
    assert said(course, capsys) == "my/trial.ipynb: made, your copy of the exercises\n"
    assert {name: text for name, text in files(course).items() if name != "my/trial.ipynb"} == before
    copy, blank = nbformat.read(copy_path(course, "trial"), as_version=4), read_notebook(course, EXERCISES)
    assert copy.metadata == blank.metadata
    assert copy.cells[1:] == blank.cells[1:]
    assert "[Mean](../notebooks/trial/mean.ipynb#the-experiment) and [the works](../book/" in copy.cells[0].source
    assert said(course, capsys) == "", "nothing to say of a copy that is complete"


@pytest.mark.parametrize("content", ["", "not a notebook", "{}", '{"cells": 1}', '{"cells": [[]]}', "\ud800"])
def test_whatever_stands_there_is_not_touched(course: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    copy = copy_path(course, "trial")
    copy.parent.mkdir()
    copy.write_bytes(content.encode("utf-8", "surrogatepass"))
    before = files(course)
    assert said(course, capsys).startswith("my/trial.ipynb: cannot be read as a notebook; it stays as it is")
    assert files(course) == before


def test_a_folder_or_a_link_to_nowhere_is_not_touched(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_path(course, "trial")
    copy.mkdir(parents=True)
    assert "cannot be read as a notebook" in said(course, capsys)
    copy.rmdir()
    try:
        copy.symlink_to("nowhere")
    except OSError:
        pytest.skip("no links here")
    assert "cannot be read as a notebook" in said(course, capsys)
    assert copy.is_symlink()


def test_exercises_that_a_copy_lacks_are_named(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(course)
    copy = copy_path(course, "trial")
    edit(copy, 'check(\\"trial/half_of_seven\\", half_of_seven)', "pass")
    notebook = json.loads(copy.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell.pop("id")  # as Colab may leave it
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    before = files(course)
    capsys.readouterr()
    assert said(course, capsys) == (
        "my/trial.ipynb: the course also has trial/half_of_seven; copy the cells from notebooks/trial/exercises.ipynb\n"
    )
    assert files(course) == before


def test_a_chapter_whose_notebook_is_not_made_yet_gets_no_copy(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook_path(course, EXERCISES).unlink()
    assert said(course, capsys) == ""
    assert not copy_path(course, "trial").parent.exists()


def test_a_copy_that_is_cut_off_while_it_is_written_leaves_nothing(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="no space"):
        main(course)
    assert list((course / "my").iterdir()) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](weighted_sum.ipynb)", "[a](../notebooks/fusion/weighted_sum.ipynb)"),
        ("[a](../../book/x.md#y) [b](../other/z.ipynb)", "[a](../book/x.md#y) [b](../notebooks/other/z.ipynb)"),
        ("![a](pictures/a.png \"t\")", "![a](../notebooks/fusion/pictures/a.png \"t\")"),
        ("[a]: b.md\n[c]", "[a]: ../notebooks/fusion/b.md\n[c]"),
        ("[`f[x](y)`](b.md)", "[`f[x](y)`](../notebooks/fusion/b.md)"),
        *((text, text) for text in (
            "[a](https://example.org/b.md)", "[a](#here)", "[a](/b.md)", "<mailto:a@b.c>", "`[a](b)`", "$f[a](b)$",
            "```\n[a](b)\n```",
        )),
    ],
)  # fmt: skip
def test_relative_links_lead_to_the_same_places(before: str, after: str) -> None:
    assert rebased(before, "notebooks/fusion", "my") == after

"""What grading reads from a file, and what it makes of the cells."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from mmcourse.exercises.grading.notebook import NotebookError, UnknownChapterError, chapter_of, read
from mmcourse.exercises.grading.steps import Step, checked_in, defines, plan
from tests.exercises.grading import answers, save

KNOWN = ("fusion", "toy")
OLD = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [{"cell_type": "code", "input": "1"}]}]}
ONLY_TEXT = {"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "x"}, {"cell_type": "code", "source": " "}]}
TEXT_AND_CODE = {"nbformat": 4, "cells": [{"cell_type": "code", "source": "left << 7, '<<<<<<<'"}]}
DAMAGED = "the file is damaged or cut off; restore an older version"
CONFLICT = b'{"cells": [\n<<<<<<< HEAD\n 1\n=======\n 2\n>>>>>>> theirs\n]}\n'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (b"print('hello')", DAMAGED),
        (b"\xff\xfe\x00", DAMAGED),
        (b"[" * 100_000, DAMAGED),
        (json.dumps(TEXT_AND_CODE).encode()[:-9], DAMAGED),
        (CONFLICT, "it holds git's conflict marks (<<<<<<<): resolve the conflict, then save"),
        (CONFLICT.replace(b"\n", b"\r\n"), "it holds git's conflict marks (<<<<<<<): resolve the conflict, then save"),
        (b"[1, 2]", "not a notebook: its JSON is not an object"),
        (b'{"cells": "none"}', "not a notebook: it has no list of cells"),
        (json.dumps(OLD).encode(), "an old notebook (nbformat 3)"),
        (json.dumps(ONLY_TEXT).encode(), "no cell of it holds code"),
    ],
)
def test_what_is_no_notebook_gets_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "toy.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError) as caught:
        read(path)
    assert str(caught.value).startswith(sentence)


def test_a_folder_is_no_notebook(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="a folder, not a notebook"):
        read(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "toy.ipynb")
    with pytest.raises(NotebookError, match="not a plain file"):
        read(tmp_path / "toy.ipynb")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "toy.ipynb").open("wb") as stream:
        stream.truncate(60_000_000)
    with pytest.raises(NotebookError, match="60 MB large, at most 50 MB"):
        read(tmp_path / "toy.ipynb")


def test_odd_cells_are_passed_over(tmp_path: Path) -> None:
    cells = [None, 3, {"cell_type": "code"}, {"cell_type": "code", "source": ["a = 1\n", None, "b = '\ud800'"]}]
    (tmp_path / "toy.ipynb").write_text(json.dumps({"cells": cells, "metadata": {"mmcourse": []}}), encoding="utf-8")
    assert read(tmp_path / "toy.ipynb").sources == ("a = 1\nb = '?'",)


def test_the_chapter_is_that_of_the_metadata_else_the_name_else_the_checks(tmp_path: Path) -> None:
    def chapter(name: str, cells: list[str], stated: str) -> str:
        path = save(tmp_path / name, cells, stated)
        return chapter_of(path, read(path), KNOWN)

    assert chapter("fusion.ipynb", answers(), "toy") == "toy"
    assert chapter("fusion.ipynb", answers(), "no such chapter") == "fusion"
    assert chapter("mine.ipynb", answers(), "") == "toy"
    with pytest.raises(UnknownChapterError, match=r"of which chapter\? Exercises are known for: .*fusion, toy"):
        chapter("mine.ipynb", ["a = 1"], "")


@pytest.mark.parametrize(
    ("source", "exercise"),
    [
        ('check("toy/double", double)', "toy/double"),
        ('# now\ncheck("toy/double", double, seed=3)  # does it hold?\n', "toy/double"),
        ('exercises.check("toy/double", double)', "toy/double"),
        ('check("toy/double", double)\nprint("done")', ""),
        ('result = check("toy/double", double)', ""),
        ("check(name, double)", ""),
        ("check()", ""),
        ("check(", ""),
        ("%time check('toy/double', double)", ""),
    ],
)
def test_a_check_cell_is_a_call_of_check_and_nothing_else(source: str, exercise: str) -> None:
    assert checked_in(source) == exercise


def test_the_names_that_a_cell_defines() -> None:
    source = (
        "def f():\n    inner = 1\nclass C: pass\na, (b, *c) = 1, (2, 3)\nd: int = 1\nimport x.y as z, u.v\nprint(e)"
    )
    assert defines(source) == {"f", "C", "a", "b", "c", "d", "z", "u"}
    assert defines("for i in range(3):\n    last = i\nif last == 2: found = True") == {"i", "last", "found"}


def test_the_names_of_a_cell_that_is_not_plain_python() -> None:
    assert defines("%time\ndef f(x):\n    return x\nvalue = 3\nvalue == 4") == {"f", "value"}
    assert defines("def f(x:\n    return 1") == {"f"}
    magic = "%matplotlib inline\nimport numpy as np, os.path\nfrom mmcourse import data as d\nfrom here import ("
    assert defines(magic) == {"np", "os", "d"}


def test_the_plan_examines_at_the_checks_and_what_is_left_at_the_end() -> None:
    steps = plan(["a = 1", 'check("toy/five", five)', 'check("other/five", five)'], "toy", ("double", "five"))
    assert steps == (
        Step(1, "a = 1"),
        Step(2, exercise="five"),
        Step(3, 'check("other/five", five)'),
        Step(0, exercise="double"),
    )
    assert [step.place for step in steps[:2]] == ["code cell 1", "the check of `five` (code cell 2)"]

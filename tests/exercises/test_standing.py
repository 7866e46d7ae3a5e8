"""How far a learner is, by what a notebook stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmcourse.exercises.checking import CHECK_TYPE
from mmcourse.exercises.standing import solved_in


def notebook(*outputs: dict[str, Any]) -> str:
    return json.dumps({"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": list(outputs)}]})


def test_a_passed_check_counts_and_a_failed_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "fusion.ipynb"
    passed, failed = (
        {"output_type": "display_data", "data": {CHECK_TYPE: {"exercise": name, "passed": state, "laws": []}}}
        for name, state in (("fusion/one", True), ("fusion/two", False))
    )
    path.write_text(notebook(passed, failed, {"output_type": "error", "ename": "NotYet"}), encoding="utf-8")
    assert solved_in(path) == {"fusion/one"}


@pytest.mark.parametrize(
    "content",
    ["", "no json", "[]", "3", "{}", '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"outputs": [{"data": 3}]}]}',
     notebook({"data": {CHECK_TYPE: {}}}), notebook({"data": {CHECK_TYPE: 3}})],
)  # fmt: skip
def test_what_is_no_notebook_cannot_be_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fusion.ipynb"
    path.write_text(content, encoding="utf-8")
    assert solved_in(path) is None


def test_neither_can_a_folder_nor_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "latin.ipynb").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "deep.ipynb").write_text("[" * 100_000, encoding="utf-8")
    for name in ("missing.ipynb", ".", "latin.ipynb", "deep.ipynb"):
        assert solved_in(tmp_path / name) is None


def test_a_notebook_that_has_not_run_has_solved_nothing(tmp_path: Path) -> None:
    (tmp_path / "fusion.ipynb").write_text(notebook(), encoding="utf-8")
    assert solved_in(tmp_path / "fusion.ipynb") == set()

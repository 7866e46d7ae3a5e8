"""conftest.py at the root: what the second run of a notebook must have in common with the stored one."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from authoring.costs import COLUMNS, costs_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def same_text():
    """The comparison of the root's conftest, which pytest loads under a name of its own."""
    specification = importlib.util.spec_from_file_location("root_conftest", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.same_text


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("loss 0.123456789", "loss 0.123456790"),
        ("1.0e-17", "-3.2e-16"),
        ("[-0.  1.5]", "[0. 1.5]"),
        ("1e5", "1.0e+05"),
        ("a\n  b 1.25", "a b 1.2500001"),
        ("nan inf 3", "nan inf 3"),
    ],
)
def test_texts_that_agree(same_text, left: str, right: str) -> None:
    assert same_text(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("loss 0.12", "loss 0.13"),
        ("loss 0.5000", "loss 0.5001"),
        ("shape (3, 4)", "shape (3, 5)"),
        ("n = 100000", "n = 100001"),
        ("2", "2.0"),
        ("loss 0.5", "cost 0.5"),
        ("0.5", "0.5 0.5"),
        ("1.0", "nan"),
    ],
)
def test_texts_that_differ(same_text, left: str, right: str) -> None:
    assert not same_text(left, right)


def cell(source: str, printed: str | None = None, ran: bool = True) -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)] if printed else []
    return nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1 if ran else None)


CHECK = "application/vnd.mmcourse.check+json"
CLAIM = "application/vnd.mmcourse.claim+json"
DISPLAY = f"""from IPython.display import display
records = {{"{CLAIM}": {{"value": 0.2}}, "{CHECK}": {{"laws": []}}}}
display({{"image/png": "BBBB", **records, "text/plain": "✓ x: 0.2 s (bound: at least 0 s)"}}, raw=True)"""
SHOWN = nbformat.v4.new_output(
    "display_data",
    {
        "image/png": "AAAA",
        CLAIM: {"value": 0.1},
        CHECK: {"laws": ["x"]},
        "text/plain": "✓ x: 0.1 s (bound: at least 0 s)",
    },
)
NOT_A_NUMBER = """from mmcourse.lesson import claim, setup
setup("trial/differs")
claim("x", float("nan"), at_least=0, key="x")"""
NOTEBOOKS = {
    "agrees": [
        cell("print('loss', 0.25 + 1e-9, 'of', 3)", "loss 0.25 of 3\n"),
        cell("print('took 3.1 s on cuda:0 at', hex(id(print)))", "took 12 s on cpu at 0x7f00\n"),
        cell(
            "import os; print([os.environ[n] for n in ('MMCOURSE_STORED', 'OMP_NUM_THREADS', 'CUDA_VISIBLE_DEVICES')])",
            "['1', '1', '']\n",
        ),
        cell("import mmcourse; print('Kürs' in mmcourse.__file__)", "True\n"),
        cell("import sys; print('a warning of this machine', file=sys.stderr)"),
        nbformat.v4.new_code_cell(DISPLAY, outputs=[SHOWN], execution_count=1),
    ],
    "differs": [
        cell("print('loss', 0.26)", "loss 0.25\n"),
        cell("print('n', 4)", "n 3\n"),
        cell("print('something')"),
        cell("print(1)", ran=False),
        cell(NOT_A_NUMBER),
    ],
    "exercises": [cell("1 / 0", ran=False)],  # blank: not run
    "solutions": [cell("print(1)", "1\n")],
    "hangs": [cell("x = 1"), cell("while True:\n    pass"), cell("x = 2")],
}


@pytest.fixture(scope="module")
def stored(make_repository: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_repository(tmp_path_factory.mktemp("nbval"))
    (root / "notebooks" / "trial").mkdir()
    for name, cells in NOTEBOOKS.items():
        path = root / "notebooks" / "trial" / f"{name}.ipynb"
        path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    rows = [",".join(COLUMNS), "trial/agrees,5,100,100", "trial/hangs,9,100,0.5"]
    costs_path(root).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def run_again(root: Path, *arguments: str) -> list[tuple[str, str]]:
    """(cell, outcome) in the order of the run."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "-v",
        "--color=no",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MMCOURSE_", "PYTEST_"))}
    done = subprocess.run(
        [*command, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    found = re.findall(r"trial/(\w+)::ipynb::Cell (\d) ([A-Z]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return [(f"{name} {number}", outcome) for name, number, outcome in found]


def test_a_second_run_is_held_to_the_stored_one(stored: Path) -> None:
    begun = time.monotonic()
    outcomes = run_again(stored, "notebooks")
    assert outcomes == [
        ("hangs 0", "PASSED"),
        ("hangs 1", "FAILED"),  # the guard of 3 x 0.5 s
        ("hangs 2", "XPASS"),
        *((f"agrees {number}", "PASSED") for number in range(6)),
        *((f"differs {number}", "FAILED") for number in range(5)),
        ("solutions 0", "PASSED"),
    ]
    assert time.monotonic() - begun < 60


def test_lax_minds_only_errors_and_claims(stored: Path) -> None:
    outcomes = dict(run_again(stored, "--lax", "notebooks/trial/differs.ipynb"))
    assert outcomes == {
        "differs 0": "PASSED",
        "differs 1": "PASSED",
        "differs 2": "PASSED",
        "differs 3": "FAILED",
        "differs 4": "FAILED",
    }

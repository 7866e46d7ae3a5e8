"""How pytest runs the stored notebooks again (nbval) and compares what they print.

Compared exactly: words, integers, the number of outputs. Compared to a tolerance: numbers with a point or an exponent,
relative 1e-5 (what single precision leaves after different orders of summation) or absolute 1e-9 (a rounded zero).
Not compared: images, the number of a claim, what claims and checks store, warnings, durations, devices, addresses.
A chapter's exercises are blank and not run: its solutions are.
With --lax, or on a GPU (MMCOURSE_DEVICE=cuda), only that each cell runs and each claim holds.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from authoring.costs import hang_limit, read_costs
from authoring.environment import kernel_environment
from authoring.lessons import EXERCISES
from mmcourse.exercises.checking import CHECK_TYPE
from mmcourse.frameworks import load_triton_before_tensorflow
from mmcourse.lesson import CLAIM_TYPE, EXACT_TYPE

load_triton_before_tensorflow()  # one worker runs the tests of both frameworks, in any order

ROOT = Path(__file__).resolve().parent
RELATIVE, ABSOLUTE = 1e-5, 1e-9
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
SANITISED = (
    # A claim's number differs between machines; that its bound holds, the kernel has seen to.
    (re.compile(r"^(✓ .*): \S+(?= .*\(bound: )"), r"\1: <number>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:e-?\d+)? ?(?:ns|µs|us|ms|s|sec|seconds?|min|minutes?)\b"), "<time>"),
    (re.compile(r"\b(?:cpu|mps|cuda|gpu)(?::\d+)?\b", re.IGNORECASE), "<device>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
)
NOT_COMPARED = ("image/jpeg", "image/gif", "image/svg+xml", CLAIM_TYPE, EXACT_TYPE, CHECK_TYPE, "stderr")


class Printed(str):
    """A text that equals another when words and integers are the same and other numbers agree to the tolerance."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and same_text(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def same_text(left: str, right: str) -> bool:
    words = [[" ".join(part.split()) for part in NUMBER.split(text)] for text in (left, right)]
    numbers = [NUMBER.findall(text) for text in (left, right)]
    return words[0] == words[1] and all(map(same_number, *numbers))


def same_number(left: str, right: str) -> bool:
    if left.lstrip("+-").isdigit() or right.lstrip("+-").isdigit():
        return left == right
    return math.isclose(float(left), float(right), rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def lax(config: pytest.Config) -> bool:
    return config.option.lax or os.environ.get("MMCOURSE_DEVICE", "").startswith("cuda")


class LessonFile(IPyNbFile):
    """A stored notebook: its kernel has the environment of `make notebooks`, its cells share one limit of time."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.skip_compare += NOT_COMPARED
        self.compare_outputs = self.compare_outputs and not lax(self.config)
        self.lesson = self.path.relative_to(ROOT / "notebooks").with_suffix("").as_posix()

    def setup(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in kernel_environment(ROOT).items():
                patch.setenv(name, value)
            super().setup()
        self.limit = hang_limit(ROOT, self.lesson)
        self.deadline = time.monotonic() + self.limit

    def collect(self) -> Iterator[LessonCell]:
        for cell in super().collect():
            yield LessonCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )


class LessonCell(IPyNbCell):
    def runtest(self) -> None:
        if self.cell.execution_count is None:
            self.raise_cell_error("The stored notebook never ran this cell: run `make notebooks`")
        self.config.option.nbval_cell_timeout = max(self.parent.deadline - time.monotonic(), 0.5)
        super().runtest()

    def sanitize(self, s: object) -> object:
        if not isinstance(s, str):
            return s
        for pattern, word in SANITISED:
            s = pattern.sub(word, s)
        return Printed(s)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lax", action="store_true", help="notebooks: check errors and claims, not what is printed")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Iterator[None]:
    collectors = yield
    ours = ROOT / "notebooks" in file_path.parents
    if ours and file_path.name == f"{EXERCISES}.ipynb":
        return []
    return [
        LessonFile.from_parent(parent, path=file_path) if ours and isinstance(collector, IPyNbFile) else collector
        for collector in collectors
    ]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest notebook first, then everything else, so that no long one starts last. The sort keeps cells in order."""
    costs = read_costs(ROOT)

    def length(item: pytest.Item) -> float:
        cost = costs.get(item.parent.lesson) if isinstance(item, LessonCell) else None
        return cost.cpu_seconds if cost else 0.0

    items.sort(key=lambda item: (not isinstance(item, LessonCell), -length(item)))

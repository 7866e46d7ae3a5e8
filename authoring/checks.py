"""What every lesson must keep to, one rule a function. A rule takes a lesson and yields the faults it finds.

tests/lessons applies them to every lesson of the repository.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from authoring.claims import records
from authoring.convert import code_cells, content, read_notebook, read_source, tags, to_text
from authoring.dialect import dialect_faults, line_of
from authoring.exercises import without_markers
from authoring.experiments import experiment_names, results_path
from authoring.key import edited, why_stale, with_stored_outputs
from authoring.lessons import notebook_path, source_name, source_path, ways_out
from authoring.new_lesson import skeleton_sentences
from authoring.places import place
from authoring.repository import colab_cell, current_url, extras_of
from mmcourse.exercises.checking import CHECK_TYPE
from mmcourse.lesson import CLAIM_TYPE, EXACT_TYPE, LARGEST_FIGURE

LONGEST_CELL = 25  # lines; what is longer belongs in the package
LONGEST_LINE = 88  # characters of code that the book shows without scrolling
EXPERIMENT = re.compile(r"\bexperiment\(\s*[\"']([\w-]+)[\"']")
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
DRAWS = re.compile(r"\b(plt|fig|figure|ax|axis|axes)\b")
MAGIC = re.compile(r"^[ \t]*[%!][ \t]*[\w{]", re.MULTILINE)
DEAD_BAR = re.compile(r"\d+%\||\d(it|s)/(s|it)\b|\r")
OWN_MACHINE = re.compile(r"(/(home|Users|root|tmp|private|workspace)/|[A-Z]:\\Users\\)[^\s'\"]*")
RUN = "run `make notebooks` and, where it fails, read why"
LIVE_CLAIM = re.compile(r"\(your run [^)]*\)")


@dataclass(frozen=True)
class Lesson:
    """A lesson of the repository at `root`, with its source and its stored notebook."""

    root: Path
    name: str

    @cached_property
    def source(self) -> NotebookNode:
        return read_source(self.root, self.name)

    @cached_property
    def notebook(self) -> NotebookNode:
        stored = read_notebook(self.root, self.name)
        assert stored is not None, f"notebooks/{self.name}.ipynb is missing: run `make notebooks`"
        return stored

    @cached_property
    def outputs(self) -> list[NotebookNode]:
        return [output for cell in code_cells(self.notebook) for output in cell.outputs]

    def code(self) -> list[tuple[int, str]]:
        """(number from 1, source) of each code cell but Colab's."""
        cells = enumerate(self.source.cells, start=1)
        return [
            (number, cell.source) for number, cell in cells if cell.cell_type == "code" and "colab" not in tags(cell)
        ]

    def at(self, cell: int, line: int = 1) -> str:
        """The place in the .py of a cell's line, both numbered from 1."""
        return place(self.root, self.name, cell, line)

    def experiments(self) -> set[str]:
        """Names of the experiments whose results the lesson reads."""
        return {name for _, code in self.code() for name in EXPERIMENT.findall(code)}


def texts(output: NotebookNode) -> str:
    """All words of an output."""
    return output.get("text", "") + "".join(
        part for kind, part in output.get("data", {}).items() if kind.startswith("text/")
    )


# ------------------------------------------------------------------------------------------- source and notebook


def notebook_equals_source(lesson: Lesson) -> Iterator[str]:
    if content(lesson.notebook) == content(lesson.source):
        return
    if edited(lesson.notebook):
        yield f"the .ipynb was edited since `make notebooks` wrote it. {ways_out(lesson.name)}"
    else:
        yield f"the .py was edited since: {RUN}"


def notebook_is_normal(lesson: Lesson) -> Iterator[str]:
    made = with_stored_outputs(lesson.root, lesson.source, lesson.notebook)
    if made and notebook_path(lesson.root, lesson.name).read_text(encoding="utf-8") != to_text(made):
        yield "ids, metadata or layout of the .ipynb are not as `make notebooks` writes them"


def outputs_are_current(lesson: Lesson) -> Iterator[str]:
    if reasons := why_stale(lesson.root, lesson.source, lesson.notebook):
        yield f"{', '.join(reasons)} since its outputs were stored: {RUN}"


def every_cell_ran(lesson: Lesson) -> Iterator[str]:
    counts = [cell.execution_count for cell in code_cells(lesson.notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"its code cells ran in the order {counts}, wanted 1 to {len(counts)}"


# ------------------------------------------------------------------------------------------------------- outputs


def outputs_are_clean(lesson: Lesson) -> Iterator[str]:
    for output in lesson.outputs:
        if output.output_type == "error":
            yield f"a stored error: {output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            yield f"a stored warning: {output.text.strip()[:200]}"
        for pattern, what in (
            (DEAD_BAR, "a dead progress bar"),
            (OWN_MACHINE, "a path of one machine"),
            (LIVE_CLAIM, "a number of one run, not stored by `make notebooks`"),
        ):
            for found in pattern.finditer(texts(output)):
                yield f"{what}: {found[0]!r}"
        for kind in output.get("data", {}):
            if not kind.startswith(("text/plain", "text/html", "text/latex", "image/")) and kind not in (
                CLAIM_TYPE,
                EXACT_TYPE,
                CHECK_TYPE,
            ):
                yield f"an output that the book cannot show: {kind}"


def has_a_figure(lesson: Lesson) -> Iterator[str]:
    if not any(kind.startswith("image/") for output in lesson.outputs for kind in output.get("data", {})):
        yield "it has no figure; every lesson has one that carries its argument"


def figures_are_described(lesson: Lesson) -> Iterator[str]:
    images = [
        (output.metadata.get("mmcourse", {}), kind, data)
        for output in lesson.outputs
        for kind, data in output.get("data", {}).items()
        if kind.startswith("image/")
    ]
    for about, kind, data in images:
        name = about.get("figure", f"of type {kind}")
        if not about:
            yield f"a picture of type {kind} has no name, caption and alt: show it with mmcourse.lesson.figure"
        for field in ("figure", "alt", "caption") if about else ():
            if not about.get(field, "").strip():
                yield f"the figure {name} has no {field}: show it with mmcourse.lesson.figure"
        size = len(base64.b64decode(data)) if kind in ("image/png", "image/gif", "image/jpeg") else len(data)
        if size > LARGEST_FIGURE:
            yield f"the figure {name} has {size / 1000:.0f} kB, wanted at most {LARGEST_FIGURE // 1000}"
    for name, count in Counter(about["figure"] for about, _, _ in images if "figure" in about).items():
        if count > 1:
            yield f"{count} figures are called {name}"


def numbers_have_one_key(lesson: Lesson) -> Iterator[str]:
    stored = records(lesson.notebook, (CLAIM_TYPE, EXACT_TYPE))
    for key, count in Counter(record["key"] for record in stored).items():
        if count > 1:
            yield f"{count} claims or exact numbers have the key {key}"


# --------------------------------------------------------------------------------------------------- the writing


def opens_as_a_lesson(lesson: Lesson) -> Iterator[str]:
    cells = lesson.source.cells
    first = cells[0].source if cells and cells[0].cell_type == "markdown" else ""
    if not first.startswith("# ") or "**Before this:**" not in first:
        yield "its first cell is not a title (`# …`), a sentence and **Before this:** …"
    headings = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    if sum(line.startswith("# ") for line in headings) != 1:
        yield "it has more or less than one heading of the first level"
    name = source_name(lesson.name)
    if not any(f'setup("{name}"' in code for _, code in lesson.code()):
        yield f'no cell calls setup("{name}")'


def colab_cell_is_generated(lesson: Lesson) -> Iterator[str]:
    marked = [number for number, cell in enumerate(lesson.source.cells) if "colab" in tags(cell)]
    if marked != [1]:
        yield 'the second cell, and only it, must have the tag "colab"'
        return
    cell = lesson.source.cells[1].source
    url = current_url(lesson.root)
    if cell != colab_cell(url, extras_of(cell)):
        yield f"its Colab cell is not the generated one: run `make repository URL={url}`"


def cells_are_short(lesson: Lesson) -> Iterator[str]:
    for number, cell in enumerate(lesson.source.cells, start=1):
        lines = without_markers(cell.source).count("\n") + 1
        if lines > LONGEST_CELL:
            at = lesson.at(number)
            yield f"{at}: has {lines} lines, wanted at most {LONGEST_CELL}: move what it makes into the package"
        shown = cell.cell_type == "code" and not {"hide-input", "colab"} & set(tags(cell))
        for row, line in enumerate(cell.source.splitlines() if shown else (), start=1):
            if len(line) > LONGEST_LINE:
                yield f"{lesson.at(number, row)}: has {len(line)} characters, wanted at most {LONGEST_LINE}"


def code_runs_anywhere(lesson: Lesson) -> Iterator[str]:
    for number, code in lesson.code():
        for found in MAGIC.finditer(code):
            yield f"{lesson.at(number, line_of(code, found))}: a magic or a shell command: {found[0].strip()}"
        chinese = CHINESE.search(code)
        if chinese and DRAWS.search(code):
            at = lesson.at(number, line_of(code, chinese))
            yield f"{at}: it draws and holds Chinese characters, for which Matplotlib ships no font"


def markdown_is_plain(lesson: Lesson) -> Iterator[str]:
    for number, cell in enumerate(lesson.source.cells, start=1):
        if cell.cell_type == "markdown":
            yield from (f"{lesson.at(number, line)}: {fault}" for line, fault in dialect_faults(cell.source))


def experiments_exist(lesson: Lesson) -> Iterator[str]:
    for name in sorted(lesson.experiments()):
        if name not in experiment_names(lesson.root):
            yield f"it reads the experiment {name}, but there is no experiments/{name}.py"
        elif not results_path(lesson.root, name).is_file():
            yield f"it reads the experiment {name}, which has no stored results: run `make experiments`"


def skeleton_is_replaced(lesson: Lesson) -> Iterator[str]:
    text = source_path(lesson.root, lesson.name).read_text(encoding="utf-8")
    left = [sentence for sentence in skeleton_sentences() if sentence in text]
    if left:
        more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
        yield f"a sentence of the skeleton: {left[0]}{more}"


RULES: tuple[Callable[[Lesson], Iterator[str]], ...] = (
    notebook_equals_source,
    notebook_is_normal,
    outputs_are_current,
    every_cell_ran,
    outputs_are_clean,
    has_a_figure,
    figures_are_described,
    numbers_have_one_key,
    opens_as_a_lesson,
    colab_cell_is_generated,
    cells_are_short,
    code_runs_anywhere,
    markdown_is_plain,
    experiments_exist,
    skeleton_is_replaced,
)

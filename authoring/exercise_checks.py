"""What a chapter's exercises must keep to, beside what every lesson must.

Rules as in checks.py: for `chapter/solutions`, whose source is the exercises' own, and for what learners get.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from authoring.checks import RULES, Lesson, has_a_figure, notebook_equals_source
from authoring.convert import code_cells, to_text
from authoring.dialect import line_of
from authoring.exercises import answers, checked, has_answer, markers_are_balanced
from authoring.lessons import is_exercises, notebook_path, solutions_of, source_name
from mmcourse.exercises.checking import exercises_of

NUMBERED = re.compile(r"^## (\d+)\. (.*)$", re.MULTILINE)
TELLING = 12  # characters; a shorter line of an answer (`return x`) may stand elsewhere by chance


# ------------------------------------------------------------------------------------------------- the solutions


def markers_are_in_pairs(lesson: Lesson) -> Iterator[str]:
    for number, code in lesson.code():
        if not markers_are_balanced(code):
            yield f"{lesson.at(number)}: ### BEGIN SOLUTION and ### END SOLUTION are not in pairs"


def each_exercise_is_checked(lesson: Lesson) -> Iterator[str]:
    """One cell with an answer, then its check, for each exercise of the chapter, in its order."""
    chapter = lesson.name.partition("/")[0]
    try:
        known = exercises_of(chapter)
    except KeyError:
        yield f"chapter {chapter} has no laws: write mmcourse/exercises/chapters/{chapter}/<lesson>.py"
        return
    found: list[str] = []
    answered: list[int] = []
    for number, cell in enumerate(lesson.source.cells, start=1):
        exercise, at = checked(cell), lesson.at(number)
        if has_answer(cell):
            answered.append(number)
        if exercise:
            name = exercise.rpartition("/")[2]
            if exercise not in (f"{chapter}/{other}" for other in known):
                yield f"{at}: there is no exercise {exercise}; chapter {chapter} has {', '.join(known)}"
            elif cell.source != f'check("{exercise}", {name})':
                yield f'{at}: is not only check("{exercise}", {name})'
            if len(answered) != 1:
                yield f"{at}: checks {exercise}, and {len(answered)} cells before it hold its answer, wanted 1"
            found.append(name)
            answered = []
    yield from (f"{lesson.at(number)}: holds an answer that no check follows" for number in answered)
    laws = f"mmcourse/exercises/chapters/{chapter}"
    if missing := [name for name in known if name not in found]:
        yield f"no cell checks {', '.join(missing)} of {laws}: write task, answer and check into exercises.py"
    elif sorted(found) == sorted(known) and tuple(found) != known:
        yield f"it checks {', '.join(found)}; {laws} has, in this order, {', '.join(known)}"


def headings_are_numbered(lesson: Lesson) -> Iterator[str]:
    """`## 1. Title` for each exercise; a heading after the last of them has no number."""
    wanted = 0
    for number, cell in enumerate(lesson.source.cells, start=1):
        for heading in NUMBERED.finditer(cell.source) if cell.cell_type == "markdown" else ():
            wanted += 1
            if int(heading[1]) != wanted:
                at = lesson.at(number, line_of(cell.source, heading))
                yield f"{at}: exercise {heading[1]}, wanted `## {wanted}. {heading[2]}`"
    exercises = sum(map(has_answer, lesson.source.cells))
    if wanted != exercises:
        yield f"it has {wanted} headings `## N. Title` and {exercises} exercises"


def the_last_cell_shows_progress(lesson: Lesson) -> Iterator[str]:
    last = code_cells(lesson.source)[-1].source
    if last != f'progress("{lesson.name.partition("/")[0]}")':
        yield f"its last code cell is `{last}`, wanted progress of the chapter"


# ---------------------------------------------------------------------------------------------- what learners get


def it_is_as_written(exercises: Lesson) -> Iterator[str]:
    if notebook_path(exercises.root, exercises.name).read_text(encoding="utf-8") != to_text(exercises.source):
        yield "ids, metadata or layout of the .ipynb are not as `make notebooks` writes them"


def nothing_ran(exercises: Lesson) -> Iterator[str]:
    if exercises.outputs or any(cell.execution_count is not None for cell in code_cells(exercises.notebook)):
        yield "it holds outputs of a run"


def no_answer_is_given_away(exercises: Lesson) -> Iterator[str]:
    given = "\n".join(cell.source for cell in exercises.notebook.cells)
    for cell in code_cells(Lesson(exercises.root, solutions_of(exercises.name)).source):
        for line in "\n".join(answers(cell.source)).splitlines():
            if len(line.strip()) >= TELLING and line.strip() in given:
                yield f"a line of an answer stands in it: {line.strip()}"


Rules = tuple[Callable[[Lesson], Iterator[str]], ...]

SOLUTIONS_RULES: Rules = (
    *(rule for rule in RULES if rule is not has_a_figure),
    markers_are_in_pairs,
    each_exercise_is_checked,
    headings_are_numbered,
    the_last_cell_shows_progress,
)
EXERCISES_RULES: Rules = (notebook_equals_source, it_is_as_written, nothing_ran, no_answer_is_given_away)


def stored_faults(root: Path, name: str) -> Iterator[str]:
    """What the tests would find in a notebook that is run, as it is stored, and in the exercises made with it."""
    solved = is_exercises(source_name(name))
    yield from (fault for rule in (SOLUTIONS_RULES if solved else RULES) for fault in rule(Lesson(root, name)))
    if solved:
        yield from (fault for rule in EXERCISES_RULES for fault in rule(Lesson(root, source_name(name))))

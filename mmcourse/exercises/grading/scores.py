"""What each exercise got, and why, in a sentence that a learner can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmcourse.exercises.grading.steps import Step, defines
from mmcourse.exercises.grading.supervise import KEPT_OUTPUT, Ending, Run
from mmcourse.exercises.laws import UNANSWERED

Ended = tuple[Step, Ending]
MISSING_NAME = re.compile(r"name '(\w+)' is not defined")  # the words of Python's NameError
UNWRITTEN = "NotImplementedError"  # what a blank exercise raises


@dataclass(frozen=True)
class Score:
    """One exercise: a point or none, why, the laws that held, and the one that did not with its case and hint.

    also: what else went wrong, at the end of the sentence as well.
    """

    exercise: str
    points: int
    sentence: str
    held: tuple[str, ...] = ()
    law: str = ""
    hint: str = ""
    seen: str = ""
    also: str = ""


@dataclass(frozen=True)
class Grade:
    """One notebook. trouble: why it could not be graded;  causes: cells that stopped, and so left out names that later
    ones need: to be read first;  notes: what else happened while it ran.
    """

    chapter: str
    notebook: str
    scores: tuple[Score, ...]
    submission: str = ""
    trouble: str = ""
    causes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    output: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> int:
        return sum(score.points for score in self.scores)

    @property
    def of(self) -> int:
        return len(self.scores)

    @property
    def remarks(self) -> tuple[str, ...]:
        return (*self.causes, *self.later_remarks)

    @property
    def later_remarks(self) -> tuple[str, ...]:
        """Those that stand below the scores."""
        return (*self.notes, *([self.trouble] if self.trouble else []))

    @property
    def solved(self) -> bool:
        return self.points == self.of and not self.trouble


def nothing(exercises: Sequence[str], sentence: str) -> tuple[Score, ...]:
    """No points, for one reason."""
    return tuple(Score(name, 0, sentence) for name in exercises)


def scored(exercises: Sequence[str], steps: Sequence[Step], run: Run) -> tuple[Score, ...]:
    return tuple(_score(name, steps, run) for name in exercises)


def _score(name: str, steps: Sequence[Step], run: Run) -> Score:
    """An exercise is solved where one of its checks passed; else its last check speaks."""
    checks = [(steps[index], ending) for index, ending in sorted(run.endings.items()) if steps[index].exercise == name]
    if not checks:
        return Score(name, 0, f"not reached: {run.exhausted or run.trouble}")
    step, ending = next((check for check in checks if check[1].passed), checks[-1])
    if ending.passed:
        count = len(ending.held)
        return Score(name, 1, f"solved: {count} {'law holds' if count == 1 else 'laws hold'}", ending.held)
    if ending.undefined:
        return Score(name, 0, _undefined(name, steps, run, step))
    cause = _cause(ending.error or ending.seen, step, steps, run)
    if cause:
        return Score(name, 0, cause, ending.held, seen=ending.seen)
    if ending.stopped or ending.error:
        return Score(name, 0, _failure(step, ending))
    # An answer that failed may be an older one, whose new version stopped with an error: say that, too.
    failed = [_failure(*definition) for definition in _definitions(name, steps, run) if _failed(definition)]
    also = failed[-1] if failed else ""
    sentence = f"{ending.sentence}; {also}" if also else ending.sentence
    if ending.sentence == UNANSWERED:
        return Score(name, 0, sentence)
    return Score(name, 0, sentence, ending.held, ending.law, ending.hint, ending.seen, also)


def _definitions(name: str, steps: Sequence[Step], run: Run) -> list[Ended]:
    """The cells that define a name, as far as they ran."""
    ended = [(steps[index], ending) for index, ending in sorted(run.endings.items())]
    return [(step, ending) for step, ending in ended if name in defines(step.source)]


def _undefined(name: str, steps: Sequence[Step], run: Run, check: Step) -> str:
    """Why a name did not exist when its check came."""
    definitions = _definitions(name, steps, run)
    failed = [definition for definition in definitions if _failed(definition)]
    if failed:
        step, ending = failed[-1]
        if ending.error.startswith(UNWRITTEN):
            return UNANSWERED
        return _cause(ending.error, step, steps, run) or f"`{name}` is not defined: {_failure(step, ending)}"
    if definitions and check.cell:
        return (
            f"`{name}` is not defined when its check comes (code cell {check.cell}) but later (code cell "
            f"{definitions[-1][0].cell}): move the check below the definition, then run all cells from the top"
        )
    if name in run.defined and check.cell:
        return f"`{name}` is not defined when its check comes (code cell {check.cell}): move the check to the end"
    return f"`{name}` is not defined: no cell defines it"


def _failed(definition: Ended) -> bool:
    return bool(definition[1].error or definition[1].stopped)


def _failure(step: Step, ending: Ending) -> str:
    return f"{step.place} {ending.stopped or f'stopped with {ending.error}'}"


def _cause(words: str, step: Step, steps: Sequence[Step], run: Run) -> str:
    """Why a name was missing where a step said these words: the cell that was to define it stopped. Else ""."""
    found = _root(words, steps.index(step), steps, run)
    if found is None:
        return ""
    name, earlier, ending = found
    if ending.error.startswith(UNWRITTEN):
        return f"`{name}` is missing, because {earlier.place} is not answered yet"
    return f"`{name}` is missing, because {_ended(_failure(earlier, ending))} Repair it first."


def _root(words: str, before: int, steps: Sequence[Step], run: Run) -> tuple[str, Step, Ending] | None:
    """The missing name and the cell that left it out, or the cell before that left that one without a name."""
    missing = MISSING_NAME.search(words)
    for index in reversed(range(before if missing else 0)):
        step, ending = steps[index], run.endings.get(index)
        if ending and _failed((step, ending)) and missing and missing[1] in defines(step.source):
            return _root(ending.error, index, steps, run) or (missing[1], step, ending)
    return None


def causes(exercises: Sequence[str], steps: Sequence[Step], run: Run) -> tuple[str, ...]:
    """The cells that stopped before an exercise that is unsolved, and left out names that it may need."""
    return tuple(
        f"{_sentence(_failure(step, ending))} Repair it first: its names are missing in what follows."
        for step, ending in _leaving_gaps(exercises, steps, run)
    )


def _leaving_gaps(exercises: Sequence[str], steps: Sequence[Step], run: Run) -> list[Ended]:
    solved = {steps[index].exercise for index, ending in run.endings.items() if ending.passed}
    last = max((index for index, step in enumerate(steps) if step.exercise and step.exercise not in solved), default=0)
    return [
        (steps[index], ending)
        for index, ending in sorted(run.endings.items())
        if index < last
        and ending.missing
        and not defines(steps[index].source) & set(exercises)  # else it is the matter of that exercise
        and not _root(ending.error, index, steps, run)
    ]


def notes(exercises: Sequence[str], steps: Sequence[Step], run: Run) -> tuple[str, ...]:
    """What else happened while the notebook ran that is not the matter of one exercise."""
    told = _leaving_gaps(exercises, steps, run)
    ended = [(steps[index], ending) for index, ending in sorted(run.endings.items())]
    ended = [one for one in ended if one not in told]
    said = [_stop(step, ending, exercises) for step, ending in ended if ending.stopped]
    said += [
        _sentence(_failure(step, ending))
        for step, ending in ended
        if ending.error and step.source and not defines(step.source) & set(exercises)
    ]
    if run.exhausted:
        said.append(f"The time is used up: {run.exhausted}.")
    if run.cut:
        said.append(f"It printed much; only the first {KEPT_OUTPUT // 1000} kB are kept. This costs no points.")
    if run.left_behind:
        count = f"{run.left_behind} process{'es' if run.left_behind > 1 else ''}"
        said.append(f"{count} that it had started {'were' if run.left_behind > 1 else 'was'} ended with it.")
    return tuple(said)


def _stop(step: Step, ending: Ending, exercises: Sequence[str]) -> str:
    lost = [step.exercise] if step.exercise else [name for name in exercises if name in defines(step.source)]
    names = ", ".join(f"`{name}`" for name in lost)
    loss = f" No points for what it defines: {names}." if lost and not step.exercise else ""
    return _sentence(_failure(step, ending)) + loss


def _sentence(words: str) -> str:
    return _ended(words[0].upper() + words[1:])


def _ended(words: str) -> str:
    return words if words.endswith(("?", ".", "!")) else f"{words}."

"""What each exercise got, and why, in a sentence that a learner can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmcourse.exercises.grading.steps import Step, defines
from mmcourse.exercises.grading.supervise import KEPT_OUTPUT, Ending, Run
from mmcourse.exercises.laws import UNANSWERED

Ended = tuple[Step, Ending]


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
    """One notebook. trouble: why it could not be graded;  notes: what happened while it ran."""

    chapter: str
    notebook: str
    scores: tuple[Score, ...]
    submission: str = ""
    trouble: str = ""
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
        return Score(name, 0, _undefined(name, step, _definitions(name, steps, run), run))
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


def _undefined(name: str, check: Step, definitions: Sequence[Ended], run: Run) -> str:
    """Why a name did not exist when its check came."""
    failed = [definition for definition in definitions if _failed(definition)]
    if failed and failed[-1][1].error.startswith("NotImplementedError"):
        return UNANSWERED
    if failed:
        return f"`{name}` is not defined: {_failure(*failed[-1])}"
    if definitions and check.cell:
        return (
            f"`{name}` is not defined when its check comes (cell {check.cell}) but later (cell "
            f"{definitions[-1][0].cell}): move the check below the definition, then run all cells from the top"
        )
    if name in run.defined and check.cell:
        return f"`{name}` is not defined when its check comes (cell {check.cell}): move the check to the end"
    return f"`{name}` is not defined: no cell defines it"


def _failed(definition: Ended) -> bool:
    return bool(definition[1].error or definition[1].stopped)


def _failure(step: Step, ending: Ending) -> str:
    return f"{step.place} {ending.stopped or f'stopped with {ending.error}'}"


def notes(exercises: Sequence[str], steps: Sequence[Step], run: Run) -> tuple[str, ...]:
    """What happened while the notebook ran that is not the matter of one exercise."""
    ended = [(steps[index], ending) for index, ending in sorted(run.endings.items())]
    said = [_stop(step, ending, exercises) for step, ending in ended if ending.stopped]
    said += [
        _sentence(_failure(step, ending))
        for step, ending in ended
        if ending.error and step.source and not defines(step.source) & set(exercises)
    ]
    if run.exhausted:
        said.append(f"The time is used up: {run.exhausted}.")
    if run.cut:
        said.append(f"It printed more than {KEPT_OUTPUT // 1000} kB; the rest was thrown away.")
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
    return words[0].upper() + words[1:] + ("" if words.endswith(("?", ".", "!")) else ".")

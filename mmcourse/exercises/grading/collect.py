"""Which notebooks are graded: some of one checkout, or those of many. Several at a time, each in its own process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmcourse.exercises.checking import chapters, exercises_of
from mmcourse.exercises.grading import supervise
from mmcourse.exercises.grading.notebook import NotebookError, UnknownChapterError, chapter_of, listed, read
from mmcourse.exercises.grading.scores import Grade, causes, notes, nothing, scored
from mmcourse.exercises.grading.steps import plan
from mmcourse.exercises.grading.supervise import Cancelled, Limits

NOT_HANDED_IN = "not handed in"


class NothingToGrade(Exception):
    """No notebook under the names that were asked for; the message says what there is."""


@dataclass(frozen=True)
class Task:
    """A notebook to grade, as one of a chapter. inside: the folder it must lie in."""

    path: Path
    chapter: str
    submission: str = ""
    inside: Path | None = None


# -------------------------------------------------------------------------------------------------- one checkout


def tasks_for(wanted: Sequence[str], my: Path) -> list[Task]:
    """Chapters, notebooks and folders of them as tasks; for nothing, the folder `my`. Raises NothingToGrade."""
    if wanted:
        return [task for what in wanted for task in _tasks(what, my)]
    found = _tasks_in(my)
    if not found:
        raise NothingToGrade(f"no exercises in {my}; `make lab` makes your copies there")
    return found


def _tasks(what: str, my: Path) -> list[Task]:
    known, path = chapters(), Path(what)
    if what in known:
        if not (my / f"{what}.ipynb").exists():
            raise NothingToGrade(f"{my / f'{what}.ipynb'} does not exist; `make lab` makes your copy of the exercises")
        return [Task(my / f"{what}.ipynb", what)]
    if not path.exists():
        raise NothingToGrade(f"{what}: neither a chapter with exercises ({listed(known)}) nor a file")
    if not path.is_dir():
        return [_task(path)]
    found = _tasks_in(path)
    if not found:
        raise NothingToGrade(
            f"no notebook in {path} belongs to a chapter ({listed(known)}); `--all {path}` grades its sub-folders"
        )
    return found


def _task(path: Path) -> Task:
    """A file as a notebook of the chapter that it shows, else of the one that it is named after."""
    try:
        return Task(path, chapter_of(path, read(path), chapters()))
    except UnknownChapterError as error:
        raise NothingToGrade(str(error)) from error
    except NotebookError as error:
        if path.stem not in chapters():
            raise NothingToGrade(f"{path}: {error}") from error
        return Task(path, path.stem)  # grading says what is wrong with it


def _tasks_in(folder: Path) -> list[Task]:
    """The notebooks of a folder that belong to chapters; notes of one's own may lie beside them."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        with suppress(NothingToGrade):
            found.append(_task(path))
    return found


# -------------------------------------------------------------------------------------------------- many checkouts


def tasks_of_all(folder: Path, wanted: Sequence[str]) -> list[Task]:
    """The notebooks my/<chapter>.ipynb of every sub-folder: each submission with each chapter that anybody handed in.

    wanted: the chapters, where it is not to be those. Raises NothingToGrade.
    """
    unknown = [chapter for chapter in wanted if chapter not in chapters()]
    if unknown:
        raise NothingToGrade(f"no exercises for {listed(unknown)}; there are: {listed(chapters())}")
    if not folder.is_dir():
        raise NothingToGrade(f"{folder} is not a folder")
    submissions = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not submissions:
        raise NothingToGrade(f"{folder} has no sub-folders; each submission is one")
    here = [chapter for chapter in chapters() if any(_handed_in(path, chapter) for path in submissions)]
    return [
        Task(path / "my" / f"{chapter}.ipynb", chapter, path.name, inside=path)
        for path in submissions
        for chapter in (list(dict.fromkeys(wanted)) or here or chapters())
    ]


def _handed_in(submission: Path, chapter: str) -> bool:
    return (submission / "my" / f"{chapter}.ipynb").exists()


# -------------------------------------------------------------------------------------------------- grading


def grade_all(tasks: Sequence[Task], limits: Limits, jobs: int) -> list[Grade]:
    """Grade notebooks, `jobs` at a time; the order is that of the tasks. Ctrl+C ends all of them."""
    cancelled = threading.Event()
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        waiting = [pool.submit(_grade_safely, task, limits, cancelled) for task in tasks]
        try:
            return [one.result() for one in waiting]
        except BaseException:
            cancelled.set()
            pool.shutdown(cancel_futures=True)
            raise


def _grade_safely(task: Task, limits: Limits, cancelled: threading.Event) -> Grade:
    """One submission harms no other, even where it meets a fault of ours."""
    try:
        return grade(task, limits, cancelled)
    except Cancelled:
        raise
    except Exception as error:
        return _without(task, f"a fault of the grader, please report it: {type(error).__name__}: {error}")


def grade(task: Task, limits: Limits, cancelled: threading.Event | None = None) -> Grade:
    """Grade one notebook. A file that cannot be one gets no points and a sentence; raises Cancelled."""
    try:
        notebook = read(_inside(task))
    except NotebookError as error:
        return _without(task, str(error))
    exercises = exercises_of(task.chapter)
    steps = plan(notebook.sources, task.chapter, exercises)
    run = supervise.run(steps, task.chapter, exercises, limits, (cancelled or threading.Event()).is_set)
    return Grade(
        chapter=task.chapter,
        notebook=str(task.path),
        submission=task.submission,
        scores=scored(exercises, steps, run),
        trouble=run.trouble,
        causes=causes(exercises, steps, run),
        notes=notes(exercises, steps, run),
        output=run.output,
        seconds=round(run.seconds, 1),
    )


def _inside(task: Task) -> Path:
    """The path, if it is there and no link leads out of the submission. Raises NotebookError."""
    if not task.path.exists():
        raise NotebookError(NOT_HANDED_IN)
    if task.inside is not None and not task.path.resolve().is_relative_to(task.inside.resolve()):
        raise NotebookError("a link that leads out of the submission")
    return task.path


def _without(task: Task, trouble: str) -> Grade:
    scores = nothing(exercises_of(task.chapter), trouble)
    return Grade(task.chapter, str(task.path), scores, submission=task.submission, trouble=trouble)

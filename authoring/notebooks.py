"""Bring the notebooks up to their sources: `python -m authoring.notebooks [lesson …]`.

A lesson runs again when its code, a file of the repository that it read, or the lock file changed. Where only words
changed, the notebook is converted and keeps its outputs. A chapter's solutions are run like a lesson; the exercises
that learners fill in are made with them, from the same source.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from authoring.claims import write_claims
from authoring.convert import content_hash, read_notebook, read_source, to_source, to_text
from authoring.costs import hang_limit, record_costs
from authoring.cover import write_cover
from authoring.execute import Executed, execute_all
from authoring.exercise_checks import stored_faults
from authoring.files import write_atomically
from authoring.key import edited, sign, why_stale, with_stored_outputs
from authoring.lessons import (
    chosen,
    exercises_names,
    is_exercises,
    make_notebooks,
    notebook_path,
    source_name,
    source_path,
    ways_out,
)
from authoring.start_page import write_start_page


def bring_back(root: Path, lesson: str, force: bool) -> str | None:
    """Take edits made in the .ipynb over into the .py. Returns what was done; raises SystemExit where both changed."""
    stored, source = read_notebook(root, lesson), read_source(root, lesson)
    if stored is None or not edited(stored) or content_hash(stored) == content_hash(source):
        return None
    if content_hash(source) != stored.metadata.get("mmcourse", {}).get("content") and not force:
        theirs, ours = make_notebooks(lesson, "--from-ipynb", "--force"), make_notebooks(lesson, "--force")
        raise SystemExit(
            f"{lesson}: both the .py and the .ipynb were edited since the last `make notebooks`. "
            f"Keep one: {theirs} takes the .ipynb, {ours} the .py."
        )
    write_atomically(source_path(root, lesson), to_source(stored))
    return f"{lesson}: edits brought back into notebooks/{lesson}.py"


def convert(root: Path, lesson: str) -> bool:
    """Write the notebook with the outputs it has, if they are those of the source. Returns False if it must run."""
    made = with_stored_outputs(root, read_source(root, lesson), read_notebook(root, lesson))
    if made is None:
        return False
    if store(root, lesson, made):
        print(f"{lesson}: converted, outputs kept", flush=True)
        print_faults(root, lesson)
    return True


def texts(root: Path, lesson: str, notebook: NotebookNode) -> dict[Path, str]:
    """{file: text} of a notebook; solutions come with the exercises from which their answers are taken out."""
    made = {notebook_path(root, lesson): to_text(notebook)}
    name = source_name(lesson)
    return made | ({notebook_path(root, name): to_text(read_source(root, name))} if is_exercises(name) else {})


def store(root: Path, lesson: str, notebook: NotebookNode) -> bool:
    """Write a notebook and what is made with it. Returns False where nothing changed."""
    changed = [write_atomically(path, text) for path, text in texts(root, lesson, notebook).items()]
    return any(changed)


def protect(root: Path, lesson: str) -> None:
    """Stop before edits made in JupyterLab are written over."""
    stored = read_notebook(root, lesson)
    if stored is None or "mmcourse" not in stored.metadata or not edited(stored):
        return
    if content_hash(stored) != content_hash(read_source(root, lesson)):
        raise SystemExit(f"{lesson}: the .ipynb was edited since the last `make notebooks`. {ways_out(lesson)}")


def refuse_lone_markers(root: Path) -> None:
    """Stop before an answer whose end is not marked is written into what learners get."""
    for name in exercises_names(root):
        try:
            read_source(root, name)
        except ValueError as error:
            raise SystemExit(f"make notebooks: {error}; no notebook was written") from None


def run(root: Path, lessons: list[str], jobs: int) -> list[str]:
    """Execute lessons and store what they gave. Returns the names of those that failed; their notebooks stay."""
    limits = {lesson: hang_limit(root, lesson) for lesson in lessons}
    measured: dict[str, tuple[float, float]] = {}
    failed: list[str] = []
    for count, (lesson, result) in enumerate(execute_all(root, limits, jobs), start=1):
        begin = f"[{count}/{len(lessons)}] {lesson}:"
        if isinstance(result, Executed):
            store(root, lesson, sign(root, nbformat.from_dict(result.notebook), result.reads))
            measured[lesson] = (result.cpu_seconds, result.peak_mb)
            print(f"{begin} {result.cpu_seconds:g} s of processor time, {result.peak_mb:g} MB", flush=True)
            print_faults(root, lesson)
        else:
            failed.append(lesson)
            print(f"{begin} FAILED, its notebook stays as it was\n    {result}", flush=True)
    record_costs(root, measured)
    return failed


def print_faults(root: Path, lesson: str) -> None:
    """Say now what `make test` would find in a notebook that was just stored."""
    for fault in stored_faults(root, lesson):
        print(f"    {fault}", flush=True)


def holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def outdated(root: Path, lessons: list[str]) -> dict[str, str]:
    """{lesson: why its .ipynb is not, to the byte, what its source and its outputs make}"""
    stale = {}
    for lesson in lessons:
        fresh, stored = read_source(root, lesson), read_notebook(root, lesson)
        reasons = why_stale(root, fresh, stored)
        made = with_stored_outputs(root, fresh, stored)
        if made and any(not holds(path, text) for path, text in texts(root, lesson, made).items()):
            reasons = ["words, tags or layout changed"]
        if reasons:
            stale[lesson] = ", ".join(reasons)
    return stale


def main(root: Path, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make notebooks", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("lessons", nargs="*", help="chapter/lesson; all where none is named")
    parser.add_argument("--from-ipynb", action="store_true", help="first bring edits made in JupyterLab into the .py")
    parser.add_argument("--force", action="store_true", help="execute even what did not change")
    parser.add_argument(
        "--check", action="store_true", help="only say what is not up to date; ends with 1 if anything is"
    )
    parser.add_argument("--jobs", type=int, default=2, help="lessons at a time (2)")
    options = parser.parse_args(arguments)
    lessons = chosen(root, options.lessons)
    refuse_lone_markers(root)
    if options.check:
        stale = outdated(root, lessons)
        print("".join(f"{lesson}: {why}; run `make notebooks`\n" for lesson, why in stale.items()), end="")
        return 1 if stale else 0
    if not options.force:
        blank = [source_name(lesson) for lesson in lessons if is_exercises(source_name(lesson))]
        for name in [*blank, *([] if options.from_ipynb else lessons)]:
            protect(root, name)
    if options.from_ipynb:
        done = [bring_back(root, lesson, options.force) for lesson in lessons]
        print("\n".join(filter(None, done)) or "no edits to bring back", flush=True)
        refuse_lone_markers(root)
    rerun = options.force and not options.from_ipynb
    to_run = [lesson for lesson in lessons if rerun or not convert(root, lesson)]
    print(f"{len(lessons) - len(to_run)} up to date, {len(to_run)} to execute", flush=True)
    for lesson, why in {} if rerun else outdated(root, to_run).items():
        print(f"{lesson}: {why}", flush=True)
    failed = run(root, to_run, options.jobs) if to_run else []
    write_claims(root)
    write_cover(root)
    write_start_page(root)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], sys.argv[1:]))

"""The command `mmcourse`."""

import argparse
import csv
import math
import sys
from contextlib import suppress
from pathlib import Path

import mmcourse

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
EXERCISES = ("exercises", "solutions")  # notebooks of a chapter that are no lessons


def title(source: Path) -> str:
    """A lesson's title: the first heading of its source."""
    lines = source.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix("# # ") for line in lines if line.startswith("# # ")), source.stem)


def lesson_lines(notebooks: Path) -> list[str]:
    """A heading, then one line a lesson: name, measured processor time and memory, title. Nothing without lessons."""
    costs = {}
    if (notebooks / "costs.csv").is_file():
        with (notebooks / "costs.csv").open(encoding="utf-8", newline="") as rows:
            costs = {
                row["lesson"]: f"{float(row['cpu_seconds']):6.0f} s {row['peak_mb']:>6} MB"
                for row in csv.DictReader(rows)
            }
    sources = sorted(source for source in notebooks.glob("*/*.py") if source.stem not in EXERCISES)
    names = [f"{source.parent.name}/{source.stem}" for source in sources]
    if not names:
        return []
    width = max(map(len, ["lesson", *names]))
    return [
        f"{'lesson':<{width}}  {'CPU time':>8} {'memory':>9}  title",
        *(
            f"{name:<{width}}  {costs.get(name, 'not measured'):>18}  {title(source)}"
            for name, source in zip(names, sources, strict=True)
        ),
    ]


def exercise_lines(my: Path) -> list[str]:
    """One line a chapter with exercises: how many are solved by the outputs of its my/ notebook, and which are not.

    Below them, where there is such a notebook, of when that is.
    """
    from mmcourse.exercises.checking import chapters, exercises_of
    from mmcourse.exercises.standing import solved_in

    lines, last = [], []
    for chapter in chapters():
        names = exercises_of(chapter)
        notebook = my / f"{chapter}.ipynb"
        if not notebook.exists():
            lines.append(f"{chapter}: {len(names)} exercises; no copy yet: `make lab` makes it")
            continue
        solved = solved_in(notebook)
        if solved is None:
            file = f"{my.name}/{notebook.name}"
            lines.append(f"{chapter}: {len(names)} exercises; {file} cannot be read, `make grade` says why")
            continue
        last = ["This is the state at the last saved run of the checks; `make grade` runs them anew."]
        open_ones = [name for name in names if f"{chapter}/{name}" not in solved]
        rest = f"; open: {', '.join(open_ones)}" if open_ones else ""
        lines.append(f"{chapter}: {len(names) - len(open_ones)} of {len(names)} exercises solved{rest}")
    return [*lines, *last]


def my_folder() -> Path:
    """Where the learner's notebooks are: the folder `my` of the current folder, else of the checkout."""
    here = Path.cwd() / "my"
    return here if here.is_dir() else ROOT / "my"


def show_list() -> int:
    lines = lesson_lines(NOTEBOOKS)
    if not lines:
        print(
            "mmcourse: no lessons here; they come with a clone of the repository, not with the package", file=sys.stderr
        )
        return 1
    print("\n".join([*lines, "", *exercise_lines(my_folder())]))
    return 0


def _add_grading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="*", metavar="WHAT", help="a chapter, a notebook or a folder (nothing: my/)")
    parser.add_argument("--all", type=Path, metavar="DIR", help="grade every sub-folder of DIR as one submission")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a test report")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each exercise")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append Markdown, for $GITHUB_STEP_SUMMARY")
    parser.add_argument("--seconds", type=positive_number, default=300.0, help="for one notebook (300)")
    parser.add_argument("--memory", type=positive_number, default=2000.0, help="MB that a notebook may take (2000)")
    parser.add_argument("--jobs", type=count, default=2, help="notebooks at a time (2)")


def _add_data(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="the collections, with size, licence and how much of each is here")
    fetching = actions.add_parser(
        "fetch",
        help="download a collection, or what is missing of it",
        description="Download a collection, or what is missing of it; every file is held to its checksum. Ends with 0 "
        "if all is here, 1 if not.",
    )
    fetching.add_argument("name", metavar="NAME", help="as `mmcourse data list` writes it")
    fetching.add_argument(
        "--from", dest="place", type=Path, metavar="PLACE", help="a folder or an archive with its files: no download"
    )
    fetching.add_argument("--jobs", type=count, default=4, help="files at a time (4)")


def positive_number(given: str) -> float:
    with suppress(ValueError):
        if 0 < float(given) < math.inf:
            return float(given)
    raise argparse.ArgumentTypeError(f"a number above 0 is wanted, got {given!r}")


def count(given: str) -> int:
    with suppress(ValueError):
        if int(given) > 0:
            return int(given)
    raise argparse.ArgumentTypeError(f"a whole number above 0 is wanted, got {given!r}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mmcourse", description="The course on multimodal large models.")
    parser.add_argument("--version", action="version", version=f"mmcourse {mmcourse.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the lessons, with what running each costs, and your exercises")
    grading = commands.add_parser(
        "grade",
        help="run your exercises and hold them to the official checks",
        description="Run notebooks of exercises, each in a process of its own with limits, and hold the answers to "
        "the official checks. Ends with 0 if all is solved, 1 if something is not, 2 if nothing could be graded.",
    )
    _add_grading(grading)
    data = commands.add_parser(
        "data",
        help="optional collections: what there is, and the download of one",
        description="Collections of real data that some experiments can use. No lesson needs them.",
    )
    _add_data(data)
    options = parser.parse_args(arguments)
    if options.command == "list":
        return show_list()
    if options.command == "data":
        from mmcourse.data.command import run

        return run(options)
    from mmcourse.exercises.grading.command import grade

    return grade(options, my_folder())


if __name__ == "__main__":
    sys.exit(main())

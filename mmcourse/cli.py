"""The command `mmcourse`."""

import argparse
import csv
import math
import sys
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
    """One line a lesson: name, measured processor time and memory, title."""
    costs = {}
    if (notebooks / "costs.csv").is_file():
        with (notebooks / "costs.csv").open(encoding="utf-8", newline="") as rows:
            costs = {
                row["lesson"]: f"{float(row['cpu_seconds']):4.0f} s {row['peak_mb']:>5} MB"
                for row in csv.DictReader(rows)
            }
    sources = sorted(source for source in notebooks.glob("*/*.py") if source.stem not in EXERCISES)
    names = [f"{source.parent.name}/{source.stem}" for source in sources]
    width = max(map(len, names), default=0)
    return [
        f"{name:<{width}}  {costs.get(name, 'not measured'):>15}  {title(source)}"
        for name, source in zip(names, sources, strict=True)
    ]


def exercise_lines(my: Path) -> list[str]:
    """One line a chapter with exercises: how many are solved by the outputs of its my/ notebook, and which are not."""
    from mmcourse.exercises.checking import chapters, exercises_of
    from mmcourse.exercises.standing import solved_in

    lines = []
    for chapter in chapters():
        names = exercises_of(chapter)
        solved = solved_in(my / f"{chapter}.ipynb")
        open_ones = [name for name in names if f"{chapter}/{name}" not in solved]
        rest = f"; open: {', '.join(open_ones)}" if open_ones else ""
        lines.append(f"{chapter}: {len(names) - len(open_ones)} of {len(names)} exercises solved{rest}")
    return lines


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
    parser.add_argument("what", nargs="*", metavar="WHAT", help="a chapter or a notebook (nothing: all of my/)")
    parser.add_argument("--all", type=Path, metavar="DIR", help="grade every sub-folder of DIR as one submission")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a test report")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each exercise")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append Markdown, for $GITHUB_STEP_SUMMARY")
    parser.add_argument("--seconds", type=positive_number, default=300.0, help="for one notebook (300)")
    parser.add_argument("--memory", type=positive_number, default=2000.0, help="MB that a notebook may take (2000)")
    parser.add_argument("--jobs", type=count, default=2, help="notebooks at a time (2)")


def positive_number(given: str) -> float:
    if not 0 < float(given) < math.inf:
        raise argparse.ArgumentTypeError(f"got {given}, wanted a number above 0")
    return float(given)


def count(given: str) -> int:
    if int(given) < 1:
        raise argparse.ArgumentTypeError(f"got {given}, wanted at least 1")
    return int(given)


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
    options = parser.parse_args(arguments)
    if options.command == "list":
        return show_list()
    from mmcourse.exercises.grading.command import grade

    return grade(options, my_folder())


if __name__ == "__main__":
    sys.exit(main())

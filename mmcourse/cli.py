"""The command `mmcourse`."""

import argparse
import csv
import sys
from pathlib import Path

import mmcourse

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


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
    sources = sorted(notebooks.glob("*/*.py"))
    names = [f"{source.parent.name}/{source.stem}" for source in sources]
    width = max(map(len, names), default=0)
    return [
        f"{name:<{width}}  {costs.get(name, 'not measured'):>15}  {title(source)}"
        for name, source in zip(names, sources, strict=True)
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mmcourse", description="The course on multimodal large models.")
    parser.add_argument("--version", action="version", version=f"mmcourse {mmcourse.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the lessons, with what running each costs")
    parser.parse_args(arguments)
    lines = lesson_lines(NOTEBOOKS)
    if not lines:
        print(
            "mmcourse: no lessons here; they come with a clone of the repository, not with the package", file=sys.stderr
        )
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())

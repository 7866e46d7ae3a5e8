"""What running a lesson, or solutions, costs, as measured when the outputs were stored: `notebooks/costs.csv`.

`{lesson-cost} chapter/lesson` is the line under a lesson's title, `{lesson-costs}` the table of all of them.
"""

from __future__ import annotations

import csv
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
COSTS = "notebooks/costs.csv"


def read_costs(root: Path) -> dict[str, dict[str, float]]:
    """{lesson: {"cpu_seconds", "peak_mb", "budget_seconds"}}, empty where nothing has been measured yet."""
    path = root / COSTS
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as rows:
        return {row.pop("lesson"): {name: float(cell) for name, cell in row.items()} for row in csv.DictReader(rows)}


def seconds(cost: dict[str, float]) -> str:
    return f"{max(1, round(cost['cpu_seconds']))} s"


def memory(cost: dict[str, float]) -> str:
    return f"{cost['peak_mb'] / 1000:.1f} GB"


def is_solutions(name: str) -> bool:
    return name.endswith("/solutions")


def link(name: str) -> str:
    """A link to the page of a notebook; solutions stand folded on the page of their exercises."""
    if is_solutions(name):
        return f"[](/notebooks/{name.removesuffix('solutions')}exercises.ipynb), solved"
    return f"[](/notebooks/{name}.ipynb)"


class LessonCost(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir) / COSTS))
        cost = read_costs(Path(self.env.srcdir)).get(self.arguments[0])
        if cost is None:
            message = "%s has no line for %s; run `make notebooks`"
            logger.warning(message, COSTS, self.arguments[0], location=self.get_location(), type="coursebook")
            return []
        solved = " with the solutions" if is_solutions(self.arguments[0]) else ""
        what = f"{seconds(cost)} of processor time and {memory(cost)} of memory{solved}"
        text = f"**Cost.** {what}, [measured](/book/costs.md)."
        return self.parse_text_to_nodes(text)


class LessonCosts(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / COSTS))
        costs = read_costs(root)
        lines = ["| Lesson | Processor time | Memory |", "|---|---:|---:|"]
        lines += [
            f"| {link(name)} | {seconds(costs[name])} | {memory(costs[name])} |"
            for name in sorted(costs, key=is_solutions)
        ]
        return self.parse_text_to_nodes("\n".join(lines)) if costs else []


def setup(app: Sphinx) -> None:
    app.add_directive("lesson-cost", LessonCost)
    app.add_directive("lesson-costs", LessonCosts)

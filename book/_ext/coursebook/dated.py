"""The dated tables of the chapter on concepts, each from one YAML file that says at its head what its fields mean.

`{models-table} 2020 2022` shows the models of those years, `{runs-table}` what training runs read and computed, and
`{timeline} pairs` one era of the timeline.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursebook.bibliography import BIBLIOGRAPHY, link_to, read_works
from coursebook.records import escaped, table

Row = dict[str, Any]
FOLDER, BIBLIOGRAPHY_PAGE = "book/concepts", "book/bibliography.md"
NO_DIAGRAM = {"encoder-decoder": "Encoder and decoder", "not published": "Not published"}


def number(value: float) -> str:
    """Three digits at most, and no exponent: 0.4275 -> 0.428, 72.0 -> 72."""
    return f"{float(f'{value:.3g}'):f}".rstrip("0").rstrip(".")


def sizes(row: Row) -> str:
    """`2, 8, 72 billion`, with what the numbers leave out."""
    billions = row["billions"]
    text = billions if isinstance(billions, str) else f"{', '.join(map(number, billions))} billion"
    return f"{text} ({row['about']})" if "about" in row else text


def power(value: float) -> str:
    """3.14e23 -> a formula with a power of ten."""
    digits, exponent = f"{value:.2e}".split("e")
    return rf"${digits} \times 10^{{{int(exponent)}}}$"


def rule(row: Row) -> float:
    """Floating-point operations by the rule of thumb 6 N D (Kaplan et al., 2020) for N parameters and D tokens."""
    return 6 * row["billions"] * 1e9 * row["tokens"]


class Dated(SphinxDirective):
    """A directive that renders rows of one file, each with the work that it rests on."""

    file_name: str
    table_class: str

    def read(self) -> list[Row]:
        root = Path(self.env.srcdir)
        path = root / FOLDER / self.file_name
        for each in (path, root / BIBLIOGRAPHY):
            self.env.note_dependency(str(each))
        self.works = read_works(root)
        return yaml.safe_load(path.read_text(encoding="utf-8"))

    def work(self, key: str) -> str:
        return link_to(key, self.works)

    def shown(self, head: list[str], rows: list[list[str]]) -> list[nodes.Node]:
        """A table whose first column names the rows, for screen readers as for the eye."""
        made = self.parse_text_to_nodes(table(head, rows))
        for found in (node for top in made for node in top.findall(nodes.table)):
            found["classes"].append(self.table_class)
            next(found.findall(nodes.colspec))["stub"] = 1
        return made


class ModelsTable(Dated):
    file_name, table_class = "models.yml", "models"
    required_arguments = 2
    HEAD: ClassVar = ["Model", "Date", "From", "In → out", "Built from", "Parameters", "Weights, licence", "Languages"]

    def run(self) -> list[nodes.Node]:
        first, last = map(int, self.arguments)
        rows = [row for row in self.read() if first <= int(row["date"][:4]) <= last]
        return self.shown(self.HEAD, [self.cells(row) for row in rows])

    def cells(self, row: Row) -> list[str]:
        name = NO_DIAGRAM.get(row["family"]) or f"[](/{FOLDER}/architectures.md#{row['family']})"
        built = name if row["parts"] == row["family"] else f"{name}: {escaped(row['parts'])}"
        licence = "" if row["licence"] in ("none", row["openness"]) else f"; {escaped(row['licence'])}"
        return [
            f"[{escaped(row['name'])}](/{BIBLIOGRAPHY_PAGE}#{row['source']})",
            row["date"],
            f"{escaped(row['organisation'])}, {row['country']}",
            f"{', '.join(row['in'])} → {', '.join(row['out'])}",
            built,
            escaped(sizes(row)),
            f"{row['openness']}{licence}",
            escaped(row["languages"]),
        ]


class RunsTable(Dated):
    file_name, table_class = "runs.yml", "runs"

    def run(self) -> list[nodes.Node]:
        head = ["Model", "Parameters", "Read in training", "Computed, as stated", "By the rule $6ND$"]
        return self.shown(head, [self.cells(row) for row in self.read()])

    def cells(self, row: Row) -> list[str]:
        stated = row.get("computed", "—")
        return [
            f"[{escaped(row['name'])}](/{BIBLIOGRAPHY_PAGE}#{row['source']})",
            f"{number(row['billions'])} billion" if "billions" in row else "—",
            escaped(row["read"]),
            power(stated) if isinstance(stated, float) else escaped(stated),
            power(rule(row)) if "tokens" in row and "billions" in row else "—",
        ]


class Timeline(Dated):
    file_name, table_class = "timeline.yml", "timeline"
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        rows = [row for row in self.read() if row["era"] == self.arguments[0]]
        return self.shown(["Year", "What happened", "Source"], [self.cells(row) for row in rows])

    def cells(self, row: Row) -> list[str]:
        return [str(row["year"]), escaped(row["what"]), "; ".join(map(self.work, row["sources"]))]


def setup(app: Sphinx) -> None:
    app.add_directive("models-table", ModelsTable)
    app.add_directive("runs-table", RunsTable)
    app.add_directive("timeline", Timeline)

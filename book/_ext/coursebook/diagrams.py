"""`{diagram} two-towers`: a diagram of `book/concepts/architectures.yml` as a numbered figure.

authoring/diagrams.py draws it.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
SOURCE, FOLDER = "book/concepts/architectures.yml", "book/concepts/diagrams"


class Diagram(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name, root = self.arguments[0], Path(self.env.srcdir)
        self.env.note_dependency(str(root / SOURCE))
        rows = {row["name"]: row for row in yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))}
        if name not in rows or not (root / FOLDER / f"{name}.svg").is_file():
            message = "diagram: no %s; drawn are: %s (python -m authoring.diagrams)"
            drawn = ", ".join(sorted(path.stem for path in (root / FOLDER).glob("*.svg"))) or "none"
            logger.warning(message, name, drawn, location=self.get_location(), type="coursebook")
            return []
        figure = nodes.figure("", nodes.image("", uri=f"/{FOLDER}/{name}.svg", alt=rows[name]["alt"].strip()))
        figure["classes"] += ["lesson-figure", "diagram"]
        caption, messages = self.parse_inline(rows[name]["caption"])
        figure += nodes.caption("", "", *caption)
        self.set_source_info(figure)
        return [figure, *messages]


def setup(app: Sphinx) -> None:
    app.add_directive("diagram", Diagram)

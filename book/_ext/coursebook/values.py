"""Numbers that a lesson stored.

The role {value}`fusion/weighted_sum:fused-gain|.2f` writes the number in prose, with a Python format. The directive
`{lesson-number} fusion/weighted_sum:fused-gain` writes the line of a claim, with its bound, or of an exact number.
"""

from __future__ import annotations

import math
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from coursebook.stored import Number, StoredError, look_up

logger = logging.getLogger(__name__)
DEFAULT_FORMAT = ".3g"


def written(number: Number, form: str = DEFAULT_FORMAT) -> str:
    """Format a number with a Python format such as `.2f` or `.0%`; a negative one gets a true minus sign."""
    if not math.isfinite(number.value):
        raise StoredError(f"the stored number is {number.value}")
    return format(number.value, form).replace("-", "−")


class Value(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        address, _, form = self.text.partition("|")
        try:
            lesson, number = look_up(Path(self.env.srcdir), address.strip(), "numbers")
            text = written(number, form.strip() or DEFAULT_FORMAT)
        except (StoredError, ValueError) as error:
            logger.warning("value: %s", error, location=self.get_location(), type="coursebook")
            return [nodes.problematic(self.rawtext, self.rawtext)], []
        self.env.note_dependency(str(lesson.path))
        return [nodes.inline(self.rawtext, text, classes=["lesson-value"])], []


class LessonNumber(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        try:
            lesson, number = look_up(Path(self.env.srcdir), self.arguments[0], "numbers")
        except StoredError as error:
            logger.warning("lesson-number: %s", error, location=self.get_location(), type="coursebook")
            return []
        self.env.note_dependency(str(lesson.path))
        if not number.is_claim:
            return [nodes.paragraph("", number.line, classes=["lesson-exact"])]
        said, _, bound = number.line.rpartition(" (bound: ")
        quiet = nodes.inline("", f" (bound: {bound}", classes=["claim-bound"])
        return [nodes.paragraph("", said, quiet, classes=["lesson-claim"])]


def setup(app: Sphinx) -> None:
    app.add_role("value", Value())
    app.add_directive("lesson-number", LessonNumber)

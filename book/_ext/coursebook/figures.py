"""`{lesson-figure}`: a figure that a lesson drew, numbered, with its caption and alternative text.

```{lesson-figure} fusion/weighted_sum:norm-ratio
:caption: Only where the lesson's own caption does not fit.
:name: a-label
```
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from coursebook.stored import Figure, StoredError, look_up

logger = logging.getLogger(__name__)


class LessonFigure(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar = {"caption": directives.unchanged_required, "name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        address = self.arguments[0]
        try:
            lesson, stored = look_up(Path(self.env.srcdir), address, "figures")
        except StoredError as error:
            logger.warning("lesson-figure: %s", error, location=self.get_location(), type="coursebook")
            return []
        self.env.note_dependency(str(lesson.path))
        figure = nodes.figure("", nodes.image("", uri=self.write(address, stored), alt=stored.alt))
        figure["classes"].append("lesson-figure")
        caption, messages = self.parse_inline(self.options.get("caption", stored.caption))
        figure += nodes.caption("", "", *caption)
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure, *messages]

    def write(self, address: str, stored: Figure) -> str:
        """Put the image beside the built book, where Sphinx collects it. Returns its place as Sphinx names it."""
        path = Path(self.env.app.outdir).parent / "lesson_figures" / file_name(address, stored.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored.image)
        return "/" + Path(os.path.relpath(path, self.env.srcdir)).as_posix()


def file_name(address: str, suffix: str) -> str:
    """`fusion/weighted_sum:norm-ratio` -> `fusion-weighted_sum-norm-ratio.png`."""
    return address.replace("/", "-").replace(":", "-") + suffix


def setup(app: Sphinx) -> None:
    app.add_directive("lesson-figure", LessonFigure)

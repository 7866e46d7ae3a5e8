"""The role {lesson}`concepts/modalities Modalities`: a link to a lesson that stands, until then its name, "to come"."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole


class Lesson(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name, _, words = self.text.partition(" ")
        page = f"notebooks/{name}"
        words = words.strip() or name
        if page not in self.env.found_docs:
            return [nodes.inline(self.rawtext, f"{words} (to come)", classes=["lesson-to-come"])], []
        link = addnodes.pending_xref(
            self.rawtext, nodes.inline("", words), refdomain="std", reftype="doc", refexplicit=True,
            reftarget=f"/{page}", refdoc=self.env.docname, refwarn=True,
        )  # fmt: skip
        self.set_source_info(link)
        return [link], []


def setup(app: Sphinx) -> None:
    app.add_role("lesson", Lesson())

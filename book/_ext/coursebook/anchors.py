"""Every id on a page can be linked to as `page.md#id`, as on the web; MyST alone knows only the headings."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def add_anchors(app: Sphinx, doctree: nodes.document) -> None:
    known = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for anchor, node in doctree.ids.items():
        known.setdefault(anchor, (0, anchor, node.get("linked_as", anchor)))


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", add_anchors)

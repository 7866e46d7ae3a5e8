"""Header buttons: a notebook can be launched and downloaded, a page of prose has no use for its source."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def choose_buttons(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    buttons = context["header_buttons"]
    if not page.startswith("notebooks/"):
        buttons[:] = [button for button in buttons if button["label"] != "download-buttons"]
    for button in buttons:
        if button["label"] == "source-repository-button":
            button["icon"] = "fas fa-code-branch"  # GitHub's own mark would need one more font on every page


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", choose_buttons, priority=600)  # the theme adds its buttons at 501

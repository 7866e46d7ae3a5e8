"""index.html, which leads on to the first page: with a title, and a link where redirects are off."""

from __future__ import annotations

from html import escape
from pathlib import Path

from sphinx.application import Sphinx

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={first}">
<title>{title}</title>
<link rel="icon" href="data:,">
</head>
<body><main><h1>{title}</h1><p><a href="{first}">To the first page</a></p></main></body>
</html>
"""


def write_front_page(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    page = PAGE.format(first=f"{app.config.root_doc}.html", title=escape(app.config.html_title))
    (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", write_front_page, priority=400)  # sphinx-external-toc writes a bare one at 500

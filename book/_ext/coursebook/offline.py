"""No page asks another host for anything: MathJax comes from the package sphinx-mathjax-offline.

Only the pieces that `mathjax3_config` in _config.yml loads are copied, with the TeX extensions that load on demand.
"""

from __future__ import annotations

from importlib.metadata import files
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset

PIECES = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml/fonts",
    "a11y/assistive-mml.js",
)


def mathjax_folder() -> Path:
    """The installed MathJax. The package's name has hyphens, so it is found by its list of files, not by import."""
    for entry in files("sphinx-mathjax-offline") or []:
        if entry.name == "startup.js":
            return Path(str(entry.locate())).parent
    raise ExtensionError("sphinx-mathjax-offline holds no startup.js; its version changed: see coursebook/offline.py")


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    source = mathjax_folder()
    target = Path(app.outdir) / "_static" / "mathjax"
    for piece in PIECES:
        folder = target / piece if (source / piece).is_dir() else (target / piece).parent
        folder.mkdir(parents=True, exist_ok=True)
        copy_asset(source / piece, folder)


def has_formula(doctree: nodes.document | None) -> bool:
    return doctree is not None and any(isinstance(node, (nodes.math, nodes.math_block)) for node in doctree.findall())


def drop_mathjax(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """A page without a formula does without MathJax; Sphinx adds it to every page that has one below it."""
    if not has_formula(doctree):
        mathjax = app.config.mathjax_path
        context["script_files"] = [
            script for script in context["script_files"] if not str(script.filename).endswith(mathjax)
        ]


def setup(app: Sphinx) -> None:
    app.connect("build-finished", copy_mathjax)
    app.connect("html-page-context", drop_mathjax, priority=600)  # Sphinx adds MathJax at 500

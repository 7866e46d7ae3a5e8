"""Faults of the theme, mended in the finished pages by exact replacement.

A text that is no longer found is an error: the theme changed, and the mend must be looked at again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


@dataclass(frozen=True)
class Mend:
    why: str
    pattern: str
    replacement: str
    everywhere: bool = True  # False: only where a lesson gives the theme the occasion


MENDS: tuple[Mend, ...] = (
    Mend(
        "the icons come from the web font; drawing them again by script costs half a megabyte a page",
        r'<script src="[^"]*/fontawesome/[^"]*/js/all\.min\.js[^"]*"></script>',
        "",
    ),
    Mend(
        "icon fonts are fetched ahead: refused with an error where the book is read from files; two hold no "
        "icon that is used (buttons.py sees to that)",
        r'<link rel="preload" as="font"[^>]*/fontawesome/[^>]*/>',
        "",
    ),
    Mend(
        "a screen reader has no name for the arrow that opens a chapter's pages",
        r'<summary><span class="toctree-toggle"',
        '<summary aria-label="Pages of this chapter"><span class="toctree-toggle"',
    ),
    Mend(
        "the left column belongs to no landmark, so that a screen reader cannot jump to it",
        r'<div class="bd-sidebar-primary bd-sidebar">',
        '<div class="bd-sidebar-primary bd-sidebar" role="complementary" aria-label="Book">',
    ),
    Mend(
        "the button of the search is called by another name than the one it shows",
        r'(<button class="btn search-button-field search-button__button" title="Search") aria-label="Search"',
        r"\1",
    ),
    Mend(
        "a table that is wider than the page scrolls, but not by the keyboard",
        r'<div class="pst-scrollable-table-container">',
        '<div class="pst-scrollable-table-container" tabindex="0">',
        everywhere=False,
    ),
    Mend(
        "what opens a hidden cell is called by another name than the one it shows",
        r'<summary aria-label="Toggle hidden content">',
        "<summary>",
        everywhere=False,
    ),
)


def mend(text: str, mends: tuple[Mend, ...] = MENDS) -> tuple[str, set[str]]:
    """Apply every mend to a page; returns the page and the patterns that were found in it."""
    found = set()
    for each in mends:
        text, count = re.subn(each.pattern, each.replacement, text)
        if count:
            found.add(each.pattern)
    return text, found


def mend_pages(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    found: set[str] = set()
    for page in Path(app.outdir).rglob("*.html"):
        text, here = mend(page.read_text(encoding="utf-8"))
        found |= here
        page.write_text(text, encoding="utf-8")
    for each in MENDS:
        if each.everywhere and each.pattern not in found:
            raise ExtensionError(f"theme_mends.py: no page holds {each.pattern!r} ({each.why})")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", mend_pages)

"""The built book as its tests see it: pages, their parsed HTML, and the files that a page loads."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

CSS_ADDRESS = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
COMPRESSED = {".html", ".css", ".js", ".svg", ".json"}  # what a web server sends packed


@cache
def weight(file: Path) -> int:
    """Bytes that a web server sends for a file."""
    data = file.read_bytes()
    return len(gzip.compress(data, 6)) if file.suffix in COMPRESSED else len(data)


@dataclass(frozen=True)
class Page:
    html: Path  # folder of the book
    name: str  # book/fusion/index.html

    @property
    def path(self) -> Path:
        return self.html / self.name

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.path.read_text(encoding="utf-8"), "html.parser")

    @property
    def article(self) -> Tag:
        """What somebody wrote: the page without the theme's frame. The search page is all frame."""
        return self.soup.select_one("article.bd-article") or self.soup.new_tag("article")

    @cached_property
    def ids(self) -> set[str]:
        return {tag["id"] for tag in self.soup.select("[id]")}

    @property
    def is_lesson(self) -> bool:
        return self.name.startswith("notebooks/")

    @property
    def has_formula(self) -> bool:
        return self.article.select_one(".math") is not None

    def target(self, address: str) -> tuple[Path, str]:
        """(file, anchor) that a relative address on this page leads to."""
        parts = urlsplit(address)
        file = (self.path.parent / unquote(parts.path)).resolve() if parts.path else self.path
        return file, unquote(parts.fragment)

    def loaded(self) -> Iterator[str]:
        """Every address that a browser fetches to show this page, as written in its HTML."""
        for tag in self.soup.find_all(True):
            if tag.has_attr("src"):
                yield tag["src"]
            if tag.name == "link" and not {"search", "prev", "next", "index", "canonical"} & set(tag.get("rel", [])):
                yield tag["href"]
            for part in tag.get("srcset", "").split(","):
                if part.strip():
                    yield part.split()[0]
            for text in (tag.get("style", ""), tag.string or "" if tag.name == "style" else ""):
                yield from css_addresses(text)


def css_addresses(text: str) -> Iterator[str]:
    for found in CSS_ADDRESS.finditer(text):
        yield found[1] or found[2]


def is_foreign(address: str) -> bool:
    """True where fetching an address leaves the book: another host, or the root of whatever host it is put on."""
    return bool(urlsplit(address).scheme not in ("", "data") or address.startswith("/"))

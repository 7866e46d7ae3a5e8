"""The book, built once for all tests of a run and shared by pytest-xdist's workers."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from authoring import book
from tests.book.project import Build, build_project
from tests.book.site import Page

sys.path.insert(0, str(book.ROOT / "book" / "_ext"))  # the tests import the book's extension
LONGEST_BUILD = 300  # seconds


def once(folder: Path, work: Callable[[Path], object]) -> None:
    """Do `work(folder)` in one process only; the others wait for it, and fail with its message where it fails."""
    done, failed = folder.with_suffix(".done"), folder.with_suffix(".failed")
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        limit = time.monotonic() + LONGEST_BUILD
        while not (done.exists() or failed.exists()):
            assert time.monotonic() < limit, "another worker has been building the book for too long"
            time.sleep(0.2)
    else:
        try:
            work(folder)
            done.touch()
        except Exception as error:
            failed.write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    if failed.exists():
        pytest.fail(f"the book was not built:\n{failed.read_text(encoding='utf-8')}", pytrace=False)


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built book."""
    base = tmp_path_factory.getbasetemp()
    shared = base if base.name.startswith("pytest-") else base.parent  # a worker's own folder lies in the run's
    once(shared / "book-of-this-run", lambda folder: book.make(book.ROOT, folder))
    return shared / "book-of-this-run" / "html"


@pytest.fixture(scope="session")
def pages(html: Path) -> list[Page]:
    """Every page of the book, the search page with it; index.html only leads on to the first."""
    names = sorted(path.relative_to(html).as_posix() for path in html.rglob("*.html"))
    return [Page(html, name) for name in names if not name.startswith("_static/") and name != "index.html"]


@pytest.fixture(scope="session")
def readable(pages: list[Page]) -> list[Page]:
    """The pages that somebody wrote."""
    return [page for page in pages if page.name != "search.html"]


@pytest.fixture(scope="session")
def lessons(pages: list[Page]) -> list[Page]:
    found = [page for page in pages if page.is_lesson]
    assert found, "the book holds no lesson"
    return found


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Build a project of one page, index.md, beside whatever the test put into tmp_path."""
    return functools.partial(build_project, tmp_path)

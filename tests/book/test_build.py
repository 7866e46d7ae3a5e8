"""`python -m authoring.book`: warnings stop it, the last good book stays, nothing is built twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from authoring import book
from tests.faults import require_none

CONFIG = """
title: small
only_build_toc_files: true
execute: {execute_notebooks: "off"}
repository: {url: https://github.com/OWNER/small}
sphinx:
  local_extensions: {coursebook: book/_ext}
  config:
    html_show_sourcelink: false
"""
CONTENTS = (
    "format: jb-book\nroot: book/index\nchapters:\n  - file: book/page\n    sections:\n      - file: book/below\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book of three pages in a folder with a space and letters beyond ASCII in its name."""
    root = tmp_path / "ein Büchlein 书"
    root.mkdir()
    (root / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (root / "_toc.yml").write_text(CONTENTS, encoding="utf-8")
    shutil.copytree(book.ROOT / "book" / "_ext", root / "book" / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("index", "page", "below"):
        (root / "book" / f"{name}.md").write_text(f"# Page {name}\n\nText.\n", encoding="utf-8")
    return root


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def mtimes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_book_is_built_once_and_again_only_after_a_change(root: Path, output: Path):
    assert book.make(root, output)
    before = mtimes(output)
    assert "Page page" in (output / "html" / "book" / "page.html").read_text(encoding="utf-8")
    assert not book.make(root, output)
    assert mtimes(output) == before
    assert not (output / "next").exists()

    # A warning names the page and the line; the last good book stays, byte for byte.
    (root / "book" / "page.md").write_text("# Page\n\n{value}`fusion/none:key`\n", encoding="utf-8")
    with pytest.raises(book.BookError, match=r"^  book/page\.md:3: value: there is no lesson 'fusion/none'") as caught:
        book.make(root, output)
    assert str(root) not in str(caught.value)
    kept = {path: time for path, time in mtimes(output).items() if path.is_relative_to(output / "html")}
    assert kept == {path: time for path, time in before.items() if path.is_relative_to(output / "html")}

    # Mended, it is built anew; the page that went is gone.
    (root / "book" / "page.md").rename(root / "book" / "moved.md")
    (root / "book" / "moved.md").write_text("# Mended\n", encoding="utf-8")
    (root / "_toc.yml").write_text(CONTENTS.replace("book/page", "book/moved"), encoding="utf-8")
    assert book.make(root, output)
    assert (output / "html" / "book" / "moved.html").exists()
    assert not (output / "html" / "book" / "page.html").exists()
    assert sorted(path.name for path in output.iterdir()) == ["html", "html.fingerprint"]


def test_a_page_that_no_contents_list_stops_the_build(root: Path, output: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("book/deep/forgotten.md", "book/_ext/README.md", "notebooks/a/b.ipynb", "notebooks/a/solutions.ipynb"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("# A page\n", encoding="utf-8")
    monkeypatch.setattr(book, "render", lambda root, folder: pytest.fail("rendered without them"))
    with pytest.raises(book.BookError) as caught:
        book.make(root, output)
    assert str(caught.value).splitlines() == [
        "  book/deep/forgotten.md is not in _toc.yml; add under its chapter: `- file: book/deep/forgotten`",
        "  notebooks/a/b.ipynb is not in _toc.yml; add under its chapter: `- file: notebooks/a/b`",
    ]


def test_a_page_that_is_listed_and_not_there_is_one_fault(root: Path, output: Path):
    (root / "_toc.yml").write_text(f"{CONTENTS}  - file: notebooks/a/gates\n  - file: book/a/new\n", encoding="utf-8")
    with pytest.raises(book.BookError) as caught:
        book.make(root, output)
    assert str(caught.value).splitlines() == [
        '  _toc.yml lists notebooks/a/gates, which is not there: run `make notebooks ARGS="a/gates"`',
        "  _toc.yml lists book/a/new, which is not there: write it",
    ]


def test_every_page_of_the_course_is_listed_and_there():
    require_none({"_toc.yml": [*book.not_listed(book.ROOT), *book.not_there(book.ROOT)]})


def test_a_missing_html_folder_is_built_again(root: Path, output: Path, monkeypatch: pytest.MonkeyPatch):
    (output / "html").mkdir(parents=True)
    (output / "html.fingerprint").write_text(book.fingerprint(root), encoding="utf-8")
    rendered = []

    def render(root: Path, folder: Path) -> Path:
        rendered.append(folder)
        (folder / "html").mkdir(parents=True)
        return folder / "html"

    monkeypatch.setattr(book, "render", render)
    assert book.make(root, output)
    assert len(rendered) == 1


@pytest.mark.parametrize(
    "name", ["_config.yml", "_toc.yml", "book/page.md", "book/_ext/coursebook/boxes.py", "notebooks/a/b.ipynb"]
)
def test_every_source_counts(root: Path, name: str):
    before = book.fingerprint(root)
    assert before == book.fingerprint(root)
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n")
    assert book.fingerprint(root) != before


def test_a_moved_page_counts(root: Path):
    before = book.fingerprint(root)
    (root / "book" / "deeper").mkdir()
    (root / "book" / "page.md").rename(root / "book" / "deeper" / "page.md")
    assert book.fingerprint(root) != before


def test_faults_are_told_by_page_and_line():
    root = Path("/somewhere/my course")
    log = (
        f"{root}/book/a.md:12: WARNING: local id not found [myst.xref_missing]\n"
        "some other line\n"
        f"{root}/notebooks/b.ipynb:30002: WARNING: value: unknown\n"
        f"{root}/book/c.md: ERROR: Unexpected indentation.\n"
        "WARNING: unknown config value 'x' in override, ignoring\n"
    )
    assert book.faults(log, root) == [
        "book/a.md:12: local id not found [myst.xref_missing]",
        "notebooks/b.ipynb: value: unknown",
        "book/c.md: Unexpected indentation.",
        "_config.yml or _toc.yml: unknown config value 'x' in override, ignoring",
    ]


def test_a_crash_is_told_without_its_traceback():
    log = "Extension error (coursebook.theme_mends):\nno page holds 'x'\nTraceback (most recent call last)\n  File y\n"
    assert book.faults(log, Path("/r")) == ["Extension error (coursebook.theme_mends):", "no page holds 'x'"]


def test_the_command_says_where_the_book_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(book.ROOT)
    monkeypatch.setattr(book, "make", lambda root, output: True)
    assert book.main([]) == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "open _build/html/index.html in a browser, or: python3 -m http.server -d" in said.replace("\\", "/")


def test_the_command_fails_with_the_faults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    def make(root: Path, output: Path) -> bool:
        raise book.BookError("  book/a.md:3: wrong")

    monkeypatch.setattr(book, "make", make)
    assert book.main(["--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "make book: the book was not built.\n  book/a.md:3: wrong\n"
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").touch()
    assert book.main(["--output", str(tmp_path)]) == 1
    assert "The last good one stays." in capsys.readouterr().err

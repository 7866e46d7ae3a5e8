"""Build the book from the stored outputs of the lessons: `python -m authoring.book`.

Every warning is an error. The book is built beside the last good one and takes its place only when it is whole; where
no source changed since, nothing is done. Needs no framework: only what requirements-book.lock installs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from authoring.lessons import SOLUTIONS, make_notebooks

ROOT = Path(__file__).resolve().parents[1]
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"  # the package has no __main__
OPTIONS = ("-W", "-n", "--keep-going", "--all", "-q")
COLOUR = re.compile(r"\x1b\[[\d;]*m")  # Jupyter Book writes it to files too, whatever NO_COLOR says
FAULT = re.compile(r"^(?:(?P<page>.+?)(?::(?P<line>\d+))?: )?(?:WARNING|ERROR|CRITICAL|SEVERE): (?P<what>.+)$", re.M)


class BookError(Exception):
    """A book that could not be built; the message says which pages are at fault and why."""


def sources(root: Path) -> Iterator[Path]:
    """Every file that the book is made from, in a fixed order."""
    yield from (root / "_config.yml", root / "_toc.yml", Path(__file__).resolve())
    for pattern in ("book/**/*", "notebooks/**/*.ipynb", "notebooks/costs.csv", "benchmarks/results.json"):
        yield from sorted(path for path in root.glob(pattern) if path.is_file() and "__pycache__" not in path.parts)


def listed(root: Path) -> list[str]:
    """The pages of the table of contents, in its order, without their suffixes."""
    return re.findall(r"\b(?:file|root): (\S+)", (root / "_toc.yml").read_text(encoding="utf-8"))


def not_listed(root: Path) -> Iterator[str]:
    """Pages and notebooks that are in no table of contents: nobody would see or check them."""
    pages = [path for path in root.glob("book/**/*.md") if not path.relative_to(root).parts[1].startswith("_")]
    # Solutions stand folded on the page of their exercises.
    notebooks = [path for path in root.glob("notebooks/*/*.ipynb") if path.stem != SOLUTIONS]
    known = set(listed(root))
    for path in sorted([*pages, *notebooks]):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name not in known:
            yield f"{path.relative_to(root).as_posix()} is not in _toc.yml; add under its chapter: `- file: {name}`"


def not_there(root: Path) -> Iterator[str]:
    """Entries of the table of contents without a page: every link to them would be a fault of its own."""
    for name in listed(root):
        if not any((root / f"{name}{suffix}").is_file() for suffix in (".md", ".ipynb")):
            cure = (
                f"run {make_notebooks(name.removeprefix('notebooks/'))}"
                if name.startswith("notebooks/")
                else "write it"
            )
            yield f"_toc.yml lists {name}, which is not there: {cure}"


def fingerprint(root: Path) -> str:
    """One number for all sources, the Python and the packages that make the book."""
    digest = hashlib.sha256(sys.version.encode())
    for package in sorted(f"{each.name}=={each.version}" for each in metadata.distributions()):
        digest.update(package.encode())
    for path in sources(root):
        digest.update(f"\0{os.path.relpath(path, root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def faults(log: str, root: Path) -> list[str]:
    """`page:line: what is wrong` for each warning of a build's log, else the last lines before its traceback."""
    log = COLOUR.sub("", log)
    found = []
    for fault in FAULT.finditer(log):
        page = (fault["page"] or "_config.yml or _toc.yml").removeprefix(f"{root}{os.sep}")
        # Line numbers of a notebook count cells that the book adds: they would mislead.
        line = f":{fault['line']}" if fault["line"] and not page.endswith(".ipynb") else ""
        found.append(f"{page}{line}: {fault['what']}")
    return found or log.partition("Traceback (most recent call last)")[0].strip().splitlines()[-20:]


def render(root: Path, folder: Path) -> Path:
    """Build all pages below `folder`; returns the folder of the HTML. Raises BookError."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(root), "--path-output", str(folder), *OPTIONS]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, check=False)
    if done.returncode != 0:
        raise BookError("\n".join(f"  {line}" for line in faults(done.stderr or done.stdout, root)))
    return folder / "_build" / "html"


def make(root: Path, output: Path) -> bool:
    """Bring `output`/html up to date; returns False where it was so. Raises BookError, and the old one stays."""
    html, stamp = output / "html", output / "html.fingerprint"
    now = fingerprint(root)
    if (html / "index.html").is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == now:
        return False
    if missing := [*not_listed(root), *not_there(root)]:
        raise BookError("\n".join(f"  {fault}" for fault in missing))
    new = render(root, output / "next")
    old = output / "last"
    shutil.rmtree(old, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    if html.exists():
        html.rename(old)
    new.rename(html)
    stamp.write_text(now, encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(output / "next")
    return True


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m authoring.book", description="Build the book.")
    parser.add_argument("--output", type=Path, default=ROOT / "_build", help="folder that holds the book (_build)")
    output = parser.parse_args(arguments).output.resolve()
    started = time.monotonic()
    try:
        built = make(ROOT, output)
    except BookError as error:
        kept = " The last good one stays." if (output / "html" / "index.html").is_file() else ""
        print(f"make book: the book was not built.{kept}\n{error}", file=sys.stderr)
        return 1
    state = f"built in {time.monotonic() - started:.0f} s" if built else "nothing changed"
    html = shown(output / "html")
    print(f'Book ({state}): open {html}{os.sep}index.html in a browser, or: python3 -m http.server -d "{html}"')
    return 0


if __name__ == "__main__":
    sys.exit(main())

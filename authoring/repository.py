"""The repository's address: `python -m authoring.repository URL` sets it in _config.yml and in what is made from it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from authoring.files import write_atomically
from authoring.lessons import executed_names, source_path

ADDRESS = re.compile(r"https://github\.com/([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)/([A-Za-z0-9._-]+)")
PLACES = ("_config.yml", "pyproject.toml", "README.md", "CITATION.cff")
# The forms in which an address stands in a file: GitHub itself, the buttons of Colab and Binder, the published book.
FORMS = ("github.com/{owner}/{name}", "/github/{owner}/{name}", "/gh/{owner}/{name}", "{owner}.github.io/{name}")
COLAB_CELL = re.compile(r'^# %% tags=\["colab"\]\n.*?(?=^# %%|\Z)', re.MULTILINE | re.DOTALL)
EXTRAS = re.compile(r"-m mmcourse\.colab((?: [a-z]+)*)")
COLAB_TEMPLATE = """\
# On Colab, install the course's package beside the torch, TensorFlow and NumPy that are there. Elsewhere, nothing.
import sys

if "google.colab" in sys.modules:
    print("Installing the course's package")
    %pip install --quiet --no-deps git+{url}
    !{{sys.executable}} -m mmcourse.colab{extras}"""


def current_url(root: Path) -> str:
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def checked(url: str) -> str:
    """The address without a trailing slash or `.git`. Raises SystemExit unless it is https://github.com/OWNER/NAME."""
    short = url.strip().rstrip("/").removesuffix(".git")
    if not ADDRESS.fullmatch(short):
        raise SystemExit(
            f"make repository: got {url!r}, wanted https://github.com/OWNER/NAME: "
            "the buttons of Colab and Binder open notebooks from GitHub"
        )
    return short


def colab_cell(url: str, extras: str = "") -> str:
    """The second cell of every lesson. extras: those of pyproject.toml that the lesson needs there, " speech"."""
    return COLAB_TEMPLATE.format(url=url, extras=extras)


def extras_of(cell: str) -> str:
    """The extras that a Colab cell names; they are the lesson's own and stay when the address changes."""
    found = EXTRAS.search(cell)
    return found[1] if found else ""


def with_colab_cell(source: str, url: str) -> str:
    """A lesson's source with its Colab cell made anew; magics are comments there, so that it is valid Python."""
    match = COLAB_CELL.search(source)
    if match is None:
        return source
    lines = colab_cell(url, extras_of(match[0])).splitlines()
    lines = [re.sub(r"^( *)([%!])", r"\1# \2", line) for line in lines]
    return source[: match.start()] + "\n".join(['# %% tags=["colab"]', *lines, "", ""]) + source[match.end() :]


def moved(text: str, old: str, new: str) -> str:
    """Text with every form of the old address replaced."""
    (old_owner, old_name), (owner, name) = (address.split("/")[-2:] for address in (checked(old), checked(new)))
    for form in FORMS:
        found = re.escape(form.format(owner=old_owner, name=old_name))
        text = re.sub(rf"{found}(?![\w-])", form.format(owner=owner, name=name), text)
    return text


def set_url(root: Path, url: str) -> list[Path]:
    """Set the address everywhere; returns the files that changed."""
    new, old = checked(url), current_url(root)
    texts = {root / place: moved((root / place).read_text(encoding="utf-8"), old, new) for place in PLACES}
    for lesson in executed_names(root):
        path = source_path(root, lesson)
        texts[path] = with_colab_cell(path.read_text(encoding="utf-8"), new)
    return [path for path, text in texts.items() if write_atomically(path, text)]


def disagreements(root: Path) -> Iterator[str]:
    """Places that lack the address of _config.yml, or name another owner's repository of the same name."""
    url = current_url(root)
    match = ADDRESS.fullmatch(url)
    if match is None:
        yield f"_config.yml: repository.url: got {url!r}, wanted https://github.com/OWNER/NAME"
        return
    owner, name = match.groups()
    for place in PLACES:
        text = (root / place).read_text(encoding="utf-8")
        if url not in text:
            yield f"{place} does not name {url}; `make repository URL={url}` cannot help, write it once"
        for form in FORMS:
            other = re.escape(form.format(owner="\1", name=name)).replace("\1", r"([\w-]+)")
            for found in re.findall(rf"{other}(?![\w-])", text):
                if found != owner:
                    yield f"{place} names the owner {found}, _config.yml names {owner}: run `make repository URL={url}`"


def main(root: Path, arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("give one address: `make repository URL=https://github.com/you/mmcourse`")
    from authoring.notebooks import convert

    changed = set_url(root, arguments[0])
    for path in changed:
        print(path.relative_to(root).as_posix())
    print(f"the repository is {current_url(root)}" + ("" if changed else ", as before"))
    for lesson in executed_names(root):
        if not convert(root, lesson):
            print(f"{lesson}: its outputs are not those of its source, run `make notebooks`")


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[1], sys.argv[1:])

"""Pins of Colab's own versions: `python -m authoring.colab_versions FREEZE` prints one requirement a line.

Colab publishes `pip freeze` of its machines. Of that list only what the package and its framework extras name is
kept, so that the weekly run meets the versions that a reader on Colab has and nothing else is forced.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("torch", "tensorflow")


def wanted_names(project: dict) -> set[str]:
    """Canonical names of the package's dependencies and of its framework extras."""
    lines = list(project["dependencies"])
    for extra in EXTRAS:
        lines += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def pins(freeze: str, names: set[str]) -> list[str]:
    """The lines `name==version` of a freeze whose name is wanted; local version suffixes (+cu124) are dropped.

    A package that Colab installs from an address (`torch @ https://…/torch-2.6.0+cu124-cp312…whl`) is pinned to the
    version in the file's name.
    """
    found = {}
    for line in freeze.splitlines():
        try:
            requirement = Requirement(line.strip())
        except InvalidRequirement:
            continue
        name = canonicalize_name(requirement.name)
        if name not in names:
            continue
        version = str(requirement.specifier).removeprefix("==")
        if requirement.url is not None:
            match = re.search(r"/[^/]+?-(\d[^-]*)-[^/]*\.whl", requirement.url.replace("%2B", "+"))
            version = match[1] if match else ""
        if version:
            found[name] = f"{name}=={version.split('+')[0]}"
    return [found[name] for name in sorted(found)]


def main(arguments: list[str]) -> None:
    root = Path(__file__).resolve().parents[1]
    names = wanted_names(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"])
    lines = pins(Path(arguments[0]).read_text(encoding="utf-8"), names)
    if not lines:
        raise SystemExit(f"{arguments[0]} pins none of {', '.join(sorted(names))}: is it the output of pip freeze?")
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Everything in the package that is no code reaches who installs it."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mmcourse"


def test_every_file_of_the_package_is_code_or_named_as_its_data():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {
        path for pattern in project["tool"]["setuptools"]["package-data"]["mmcourse"] for path in PACKAGE.glob(pattern)
    }
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in files if path.suffix != ".py"} == named
    assert {"spoken_digits.flac", "spoken_digits.json", "free_spoken_digits.txt"} <= {path.name for path in named}

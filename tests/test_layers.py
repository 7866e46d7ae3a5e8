"""Imports go downward: a module knows only what lies in layers below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mmcourse"
# From below. What stands side by side does not know each other.
LAYERS = (
    {"errors", "lazy", "frameworks"},
    {"__init__"},
    {"checks"},
    {"data", "encoders", "information"},
    {"alignment", "fusion"},
    {"decoders"},
    {"parity"},
    {"training"},
    {"recording"},
    {"lesson", "colab"},
    {"exercises"},
    {"cli"},
)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module or name without "mmcourse.") of each import from the package, wherever it stands in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name.removeprefix("mmcourse.")) for name in names if name.startswith("mmcourse."))


def layer(part: str) -> int | None:
    return next((number for number, parts in enumerate(LAYERS) if part in parts), None)


def faults(package: Path) -> Iterator[str]:
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        part = name.with_suffix("").parts[0]
        own = layer(part)
        if own is None:
            yield f"mmcourse/{name.as_posix()}: {part} is in none of LAYERS of tests/test_layers.py"
            continue
        for line, module in imported(path):
            other = module.partition(".")[0]
            below = layer(other)
            known = other == part or (below is not None and below < own)
            if not known:
                yield f"mmcourse/{name.as_posix()}:{line}: {part} imports {module}, which is not below it"


def test_imports_go_downward() -> None:
    found = list(faults(PACKAGE))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("file", "code", "said"),
    [
        ("data/x.py", "from mmcourse.training import fit", "mmcourse/data/x.py:1: data imports training.fit"),
        ("data/x.py", "def f():\n    import mmcourse.fusion.numpy", "mmcourse/data/x.py:2: data imports fusion.numpy"),
        ("encoders/torch/x.py", "from mmcourse.fusion.torch import GatedFusion", "encoders imports fusion.torch.Gated"),
        ("encoders/x.py", "from mmcourse import alignment", "encoders imports alignment"),
        ("lesson.py", "from mmcourse.exercises import check", "lesson imports exercises.check"),
        ("novelty/x.py", "", "novelty is in none of LAYERS"),
        ("training/fit.py", "from mmcourse import nosuch", "training imports nosuch"),
        ("encoders/x.py", "from mmcourse.checks import Spec\nfrom mmcourse import checks", ""),
        ("training/fit.py", "import torch\nfrom mmcourse import parity\nfrom mmcourse.training import seeds", ""),
    ],
)
def test_an_import_upward_is_named(tmp_path: Path, file: str, code: str, said: str) -> None:
    path = tmp_path / "mmcourse" / file
    path.parent.mkdir(parents=True)
    path.write_text(code, encoding="utf-8")
    found = list(faults(tmp_path / "mmcourse"))
    assert len(found) == bool(said)
    assert said in "".join(found)

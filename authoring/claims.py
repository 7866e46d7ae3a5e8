"""mmcourse/claims.json: the measured number behind each claim, for the reader's "your run, ours"."""

from __future__ import annotations

import json
from pathlib import Path

from nbformat import NotebookNode

from authoring.convert import code_cells, read_notebook
from authoring.files import write_atomically
from authoring.lessons import executed_names, source_name
from mmcourse.lesson import CLAIM_TYPE


def claims_path(root: Path) -> Path:
    return root / "mmcourse" / "claims.json"


def records(notebook: NotebookNode, kinds: tuple[str, ...] = (CLAIM_TYPE,)) -> list[dict]:
    """What claim() stored in a notebook, in order."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output.data[kind] for output in outputs for kind in kinds if kind in output.get("data", {})]


def collected_claims(root: Path) -> dict[str, dict[str, float]]:
    """{lesson: {key: value}} of all stored notebooks."""
    found = {}
    for lesson in executed_names(root):
        notebook = read_notebook(root, lesson)
        values = {record["key"]: record["value"] for record in records(notebook)} if notebook else {}
        if values:
            found[source_name(lesson)] = values  # the name that its cells give to setup
    return found


def claims_text(root: Path) -> str:
    return json.dumps(collected_claims(root), indent=1, sort_keys=True) + "\n"


def write_claims(root: Path) -> None:
    write_atomically(claims_path(root), claims_text(root))

"""When are stored outputs still those of their lesson? Hashes of everything that could change them say, one by one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from authoring.convert import carry_outputs, code_cells, content_hash, tags
from authoring.fingerprint import changed_files, combined, file_hashes, without_comments

LOCK = "requirements.lock"


def code_hash(notebook: NotebookNode) -> str:
    """The Colab cell does nothing here, so a new address of the repository makes no outputs stale."""
    code = [without_comments(cell.source) for cell in code_cells(notebook) if "colab" not in tags(cell)]
    return combined(code)


def outputs_hash(notebook: NotebookNode) -> str:
    return combined([json.dumps([(c.outputs, c.execution_count) for c in code_cells(notebook)], sort_keys=True)])


def sign(root: Path, notebook: NotebookNode, reads: Iterable[str]) -> NotebookNode:
    """Write into an executed notebook's metadata what its outputs rest on: cells, files read, lock; returns it."""
    notebook.metadata.setdefault("mmcourse", {}).update(
        code=code_hash(notebook),
        content=content_hash(notebook),
        outputs=outputs_hash(notebook),
        reads=file_hashes(root, {*reads, LOCK}),
    )
    return notebook


def edited(notebook: NotebookNode) -> bool:
    """Whether the cells of a stored notebook are others than when it was written."""
    return content_hash(notebook) != notebook.metadata.get("mmcourse", {}).get("content")


def why_stale(root: Path, fresh: NotebookNode, stored: NotebookNode | None) -> list[str]:
    """Why stored outputs are not those of the source `fresh`; nothing where they are."""
    if stored is None:
        return ["it never ran"]
    ours = stored.metadata.get("mmcourse", {})
    if not isinstance(ours.get("reads"), Mapping):
        return ["its outputs do not say on which files they rest"]
    reasons = []
    if code_hash(fresh) != ours.get("code") or len(code_cells(fresh)) != len(code_cells(stored)):
        reasons.append("its code changed")
    if outputs_hash(stored) != ours.get("outputs"):
        reasons.append("a stored output was edited")
    return reasons + [f"{file} changed" for file in changed_files(root, ours["reads"])]


def with_stored_outputs(root: Path, fresh: NotebookNode, stored: NotebookNode | None) -> NotebookNode | None:
    """`fresh` with the stored outputs where they are still those of its code; else None, and it must run."""
    if stored is None or why_stale(root, fresh, stored):
        return None
    return sign(root, carry_outputs(stored, copy.deepcopy(fresh)), stored.metadata["mmcourse"]["reads"])

"""When are stored outputs still those of their lesson? A key over everything that could change them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from nbformat import NotebookNode

from authoring.convert import carry_outputs, code_cells, content_hash, tags
from authoring.fingerprint import combined, without_comments

LOCK = "requirements.lock"


def notebook_key(root: Path, notebook: NotebookNode, reads: list[str]) -> str:
    """The key of an executed notebook: its code, the files it read, the lock, and the outputs themselves.

    The Colab cell does nothing here, so a new address of the repository makes no outputs stale.
    """
    code = [without_comments(cell.source) for cell in code_cells(notebook) if "colab" not in tags(cell)]
    outputs = json.dumps([(cell.outputs, cell.execution_count) for cell in code_cells(notebook)], sort_keys=True)
    return combined(root, [*code, outputs], [*sorted(reads), LOCK])


def sign(root: Path, notebook: NotebookNode, reads: list[str]) -> NotebookNode:
    """Write key, files read and the hash of the cells into the notebook's metadata; returns it."""
    notebook.metadata.setdefault("mmcourse", {}).update(
        content=content_hash(notebook), key=notebook_key(root, notebook, reads), reads=sorted(reads)
    )
    return notebook


def with_stored_outputs(root: Path, fresh: NotebookNode, stored: NotebookNode | None) -> NotebookNode | None:
    """`fresh` with the stored outputs where they are still those of its code; else None, and it must run."""
    ours = stored.metadata.get("mmcourse") if stored else None
    if not stored or not ours or len(code_cells(fresh)) != len(code_cells(stored)):
        return None
    made = carry_outputs(stored, copy.deepcopy(fresh))
    return sign(root, made, ours["reads"]) if notebook_key(root, made, ours["reads"]) == ours["key"] else None

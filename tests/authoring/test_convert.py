"""Source and notebook: one normal form, and back."""

from __future__ import annotations

from pathlib import Path

import nbformat

from authoring.convert import content, content_hash, normalise, read_source, to_source, to_text
from authoring.lessons import source_path


def lesson_from(root: Path, text: str) -> nbformat.NotebookNode:
    path = source_path(root, "a/b")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_source(root, "a/b")


TEXT = (
    '# %% [markdown]\n# # Title\n#\n# Ünïcode 课 $x$\n\n# %% tags=["hide-input"]\nx = 1\n\n\ndef f():\n    return x\n'
)


def test_ids_come_from_path_and_position_alone(tmp_path: Path) -> None:
    assert [cell.id for cell in lesson_from(tmp_path, TEXT).cells] == ["a-b-0", "a-b-1"]
    assert to_text(read_source(tmp_path, "a/b")) == to_text(read_source(tmp_path, "a/b"))


def test_source_to_notebook_and_back_keeps_types_sources_and_tags(tmp_path: Path) -> None:
    notebook = lesson_from(tmp_path, TEXT)
    again = lesson_from(tmp_path, to_source(notebook))
    assert content(again) == content(notebook)
    assert [tags for _, _, tags in content(again)] == [[], ["hide-input"]]
    assert to_source(again) == to_source(notebook)


def test_magics_are_comments_in_the_source_only(tmp_path: Path) -> None:
    text = "# %%\nif colab:\n    print()\n    # %pip install x\n    # !{sys.executable} -m y\n"
    cell = lesson_from(tmp_path, text).cells[0]
    assert "\n    %pip install x\n    !{sys.executable} -m y" in cell.source
    assert "# %pip install x\n    # !{sys.executable} -m y" in to_source(read_source(tmp_path, "a/b"))


def test_the_normal_form_drops_what_differs_between_runs(tmp_path: Path) -> None:
    clean = to_text(lesson_from(tmp_path, TEXT))
    notebook = read_source(tmp_path, "a/b")
    notebook.metadata["papermill"] = {"duration": 1.0}
    notebook.metadata["language_info"]["version"] = "3.99"
    notebook.cells[1].metadata["execution"] = {"iopub.status.busy": "now"}
    notebook.cells[1].metadata["papermill"] = {"duration": 1.0}
    notebook.cells[1].id = "random"
    assert to_text(normalise(notebook, "a/b")) == clean


def test_pieces_of_one_stream_are_joined(tmp_path: Path) -> None:
    notebook = lesson_from(tmp_path, TEXT)
    pieces = [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")]
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in pieces]
    outputs = normalise(notebook, "a/b").cells[1].outputs
    assert [(output.name, output.text) for output in outputs] == [("stdout", "ab"), ("stderr", "c"), ("stdout", "d")]


def test_a_changed_tag_changes_the_hash_of_the_content(tmp_path: Path) -> None:
    before = content_hash(lesson_from(tmp_path, TEXT))
    assert content_hash(lesson_from(tmp_path, TEXT.replace("hide-input", "hide-output"))) != before

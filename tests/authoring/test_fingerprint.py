"""What makes a stored result stale, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from authoring.fingerprint import changed_files, combined, file_hashes, without_comments

CODE = '''import a  # why

# a comment
def f(x):

    """Text with # no comment

    and an empty line."""
    y = f"{x}#"   # trailing
    return y
'''
MEANT = '''import a
def f(x):
    """Text with # no comment

    and an empty line."""
    y = f"{x}#"
    return y'''


def test_comments_and_blank_lines_do_not_count_and_strings_do() -> None:
    assert without_comments(CODE) == MEANT
    assert without_comments(MEANT) == MEANT


def test_docstrings_of_a_module_do_not_count_and_other_strings_do() -> None:
    code = '"""Doc."""  # why\n\nx = """a\nb"""\n\nclass A:\n    """Doc.\n\n    More."""\n    y = ("b"\n         "c")\n'
    meant = 'x = """a\nb"""\nclass A:\n    y = ("b"\n         "c")'
    assert without_comments(code, docstrings=False) == meant
    assert without_comments('f("a")\n"b" + c\n"d"', docstrings=False) == 'f("a")\n"b" + c'
    assert without_comments('"d"') == '"d"'
    computing = 'rf\'{f()}\'\nb\'d\'\nf"""{g()}\n"""'
    assert without_comments(computing, docstrings=False) == computing.replace("b'd'\n", "")


def test_a_blank_line_inside_a_string_counts() -> None:
    assert without_comments('x = """a\n\nb"""') != without_comments('x = """a\nb"""')


def test_indentation_counts() -> None:
    assert without_comments("if x:\n    y\n    z") != without_comments("if x:\n    y\nz")


@pytest.mark.parametrize("broken", ["%pip install x # y", "def (", "x = '''"])
def test_what_is_not_python_counts_as_it_stands(broken: str) -> None:
    assert without_comments(broken).startswith(broken.split(" #")[0])


@pytest.mark.parametrize(
    ("name", "before", "after", "same"),
    [
        ("m.py", "x = 1", "x = 1  # one\n\n", True),
        ("m.py", "x = 1", "x = 2", False),
        ("m.csv", "a,b", "a,b\n", False),
    ],
)
def test_a_file_counts_by_its_meaning(tmp_path: Path, name: str, before: str, after: str, same: bool) -> None:
    (tmp_path / name).write_text(before, encoding="utf-8")
    first = file_hashes(tmp_path, [name])
    (tmp_path / name).write_text(after, encoding="utf-8")
    assert changed_files(tmp_path, first) == ([] if same else [name])


def test_a_file_that_vanishes_counts(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1", encoding="utf-8")
    first = file_hashes(tmp_path, ["m.py"])
    (tmp_path / "m.py").unlink()
    assert changed_files(tmp_path, first) == ["m.py"]


def test_the_border_between_two_cells_counts() -> None:
    assert combined(["a", "b"]) != combined(["a\nb"])

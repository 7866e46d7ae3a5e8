"""`make repository`: one address, everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from authoring import notebooks
from authoring.convert import read_source
from authoring.repository import colab_cell, current_url, disagreements, main, set_url

ROOT = Path(__file__).resolve().parents[2]
NEW = "https://github.com/some-body/my.course"


def test_the_address_agrees_everywhere_in_this_repository() -> None:
    assert list(disagreements(ROOT)) == []


def test_every_form_of_the_address_is_set_and_nothing_else(empty: Path) -> None:
    set_url(empty, NEW)
    readme = (empty / "README.md").read_text(encoding="utf-8")
    assert readme == (
        f"[clone]({NEW}.git) [Colab](https://colab.research.google.com/github/some-body/my.course/blob/main/x) "
        "[Binder](https://mybinder.org/v2/gh/some-body/my.course/HEAD) [book](https://some-body.github.io/my.course/) "
        "[another](https://github.com/OWNER/mmcourse-data)\n"
    )
    assert current_url(empty) == NEW
    assert "# the one place" in (empty / "_config.yml").read_text(encoding="utf-8")
    assert list(disagreements(empty)) == []


def test_setting_it_again_changes_nothing(empty: Path) -> None:
    assert set_url(empty, NEW)
    assert set_url(empty, f"{NEW}/") == []
    assert set_url(empty, f"{NEW}.git") == []


def test_lessons_get_the_address_and_keep_outputs_and_extras(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebooks, "run", lambda *_: pytest.fail("a lesson ran"))
    source = repository / "notebooks" / "trial" / "mean.py"
    source.write_text(source.read_text(encoding="utf-8").replace("-m mmcourse.colab", "-m mmcourse.colab speech"))
    main(repository, [NEW])
    assert read_source(repository, "trial/mean").cells[1].source == colab_cell(NEW, " speech")
    assert "trial/mean: converted, outputs kept" in capsys.readouterr().out
    assert notebooks.main(repository, ["--check"]) == 0


@pytest.mark.parametrize(
    "url",
    [
        "github.com/a/b",
        "http://github.com/a/b",
        "https://gitlab.com/a/b",
        "https://github.com/a",
        "https://github.com/a/b/c",
        "https://github.com/-a/b",
        "",
    ],
)
def test_a_bad_address_is_refused(empty: Path, url: str) -> None:
    with pytest.raises(SystemExit, match="OWNER/NAME"):
        set_url(empty, url)


@pytest.mark.parametrize(
    ("place", "before", "after", "named"),
    [
        ("CITATION.cff", "OWNER", "OTHER", "CITATION.cff does not name https://github.com/OWNER/mmcourse"),
        ("README.md", "/gh/OWNER", "/gh/OTHER", "README.md names the owner OTHER"),
        ("README.md", "OWNER.github.io", "OTHER.github.io", "README.md names the owner OTHER"),
        ("_config.yml", "https://github.com/OWNER", "https://example.org/OWNER", "_config.yml: repository.url: got"),
    ],
)
def test_a_place_that_disagrees_is_named(empty: Path, place: str, before: str, after: str, named: str) -> None:
    path = empty / place
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    assert named in "\n".join(disagreements(empty))

"""A small repository of its own for each test, at a path with a space and letters that are not ASCII."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from authoring import new_lesson, notebooks
from authoring.convert import HEADER
from authoring.repository import with_colab_cell

ROOT = Path(__file__).resolve().parents[2]
URL = "https://github.com/OWNER/mmcourse"
LESSON = "trial/mean"
FILES = {
    "_config.yml": f"repository:\n  url: {URL}  # the one place\n",
    "_toc.yml": (
        "root: book/index\nparts:\n  - caption: Course\n    chapters:\n"
        "      - file: book/trial/index\n        sections:\n          - file: book/trial/first\n"
        "  - caption: Records\n    chapters:\n      - file: book/credits\n"
    ),
    "README.md": f"[clone]({URL}.git) [Colab](https://colab.research.google.com/github/OWNER/mmcourse/blob/main/x) "
    "[Binder](https://mybinder.org/v2/gh/OWNER/mmcourse/HEAD) [book](https://OWNER.github.io/mmcourse/) "
    "[another](https://github.com/OWNER/mmcourse-data)\n",
    "CITATION.cff": f"repository-code: {URL}\n",
    "pyproject.toml": f'[project.urls]\nRepository = "{URL}"\n\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
    "requirements.lock": "numpy==1.0\n",
}

SOLUTIONS = "trial/solutions"
EXERCISES_SOURCE = '''# %% [markdown]
# # Exercises: trial
#
# Do small sums.
#
# **Before this:** the lesson [Mean](mean.ipynb#the-experiment) and [the works](../../book/bibliography.md).

# %% tags=["colab"]

# %%
from mmcourse.exercises import check, progress
from mmcourse.lesson import setup

setup("trial/exercises")

# %% [markdown]
# ## 1. Twice

# %%
def doubled(number):
    """Twice the number."""
    ### BEGIN SOLUTION
    twice_as_much = 2 * number
    return twice_as_much
    ### END SOLUTION


# %%
check("trial/doubled", doubled)

# %% [markdown]
# ## 2. Half
#
# What is half of seven?

# %%
### BEGIN SOLUTION
half_of_seven = 7 / 2
### END SOLUTION

# %%
check("trial/half_of_seven", half_of_seven)

# %%
print("twice four is", doubled(4))

# %%
progress("trial")
'''
LAWS = """from mmcourse.exercises.laws import Law, exercise


@exercise("trial")
def doubled(answer, rng):
    number = float(rng.integers(1, 9))
    yield Law("it is twice the number", answer.number(number) == 2 * number, "Add it to itself.")


@exercise("trial")
def half_of_seven(answer, rng):
    yield Law("twice the answer is seven", 2 * answer.value == 7, "Divide by 2.")
"""


def _make_repository(folder: Path) -> Path:
    """A repository with the real package and the real authoring tools and nothing else; no git history."""
    root = folder / "mein Kürs 课"
    for package in ("authoring", "mmcourse"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "claims.json"))
    shutil.copy(ROOT / "conftest.py", root)
    for name, text in FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    (root / "notebooks").mkdir()
    (root / "experiments").mkdir()
    return root


@pytest.fixture(scope="session")
def make_repository() -> Callable[[Path], Path]:
    """make_repository(folder) -> root of a repository without lessons."""
    return _make_repository


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A repository without lessons."""
    return _make_repository(tmp_path)


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose one lesson is the skeleton, executed. Shared: copy it before changing it."""
    root = _make_repository(tmp_path_factory.mktemp("executed"))
    new_lesson.main(root, [LESSON])
    assert notebooks.main(root, []) == 0
    return root


@pytest.fixture
def repository(executed: Path, tmp_path: Path) -> Path:
    """A copy of `executed` that a test may change."""
    return Path(shutil.copytree(executed, tmp_path / executed.name))


@pytest.fixture(scope="session")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of one chapter with two exercises and no lesson, its solutions executed. Copy before changing it."""
    root = _make_repository(tmp_path_factory.mktemp("solved"))
    (root / "notebooks" / "trial").mkdir()
    text = HEADER + with_colab_cell(EXERCISES_SOURCE, URL)
    (root / "notebooks" / "trial" / "exercises.py").write_text(text, encoding="utf-8")
    (root / "mmcourse" / "exercises" / "chapters" / "trial.py").write_text(LAWS, encoding="utf-8")
    assert notebooks.main(root, []) == 0
    return root


@pytest.fixture
def course(solved: Path, tmp_path: Path) -> Path:
    """A copy of `solved` that a test may change."""
    return Path(shutil.copytree(solved, tmp_path / solved.name))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MMCOURSE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def _never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(root: Path, lessons: list[str], jobs: int) -> list[str]:
        raise AssertionError(f"would execute {lessons}")

    monkeypatch.setattr(notebooks, "run", refuse)

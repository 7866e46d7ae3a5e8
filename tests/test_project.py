"""The project's own files agree: one source of dependencies, one version, one range of Pythons, valid workflows."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import mmcourse
import tasks
from authoring import colab_versions, environment, lock
from authoring.checks import LONGEST_CELL, LONGEST_LINE
from authoring.costs import LARGEST_BUDGET, LARGEST_MEMORY, MEDIAN
from mmcourse import lesson
from mmcourse.exercises.checking import CHECK_TYPE
from mmcourse.exercises.grading import supervise
from mmcourse.lesson import CLAIM_TYPE, EXACT_TYPE
from tests.registries.evidence import STORED_TYPES

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_OURS = {
    "my",  # a learner's own notebooks
    ".git",
    ".venv",
    "_build",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
}


def pins(name):
    """{package: versions} of a lock; a package can have one version for each marker."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            version = str(requirement.specifier).removeprefix("==")
            found.setdefault(canonicalize_name(requirement.name), set()).add(version)
    return found


def our_files(*suffixes):
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and path.suffix in suffixes and not NOT_OURS & set(path.relative_to(ROOT).parts):
            yield path


def test_the_lock_pins_every_requirement_within_its_range():
    locked = pins("requirements.lock")
    for line in PROJECT["dependencies"] + [line for extra in EXTRAS.values() for line in extra]:
        requirement = Requirement(line)
        versions = locked[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), (line, versions)


def test_the_locks_are_portable():
    for name in tasks.LOCKS.values():
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "+" not in text, "a local version suffix such as +cpu is not on the package index"
        assert "://" not in text
        assert not [line for line in text.splitlines() if lock.CUDA_PACKAGE.match(line)]


def test_the_books_lock_is_a_part_of_the_whole():
    whole = pins("requirements.lock")
    for package, versions in pins("requirements-book.lock").items():
        assert versions <= whole[package], package
    assert not {"torch", "keras", "numpy", "tensorflow-cpu"} & set(pins("requirements-book.lock"))


def test_conda_users_get_the_same_python_and_the_same_extras():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python = next(entry for entry in environment["dependencies"] if str(entry).startswith("python"))
    assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(PROJECT["requires-python"])
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == [f"-e .[{','.join(EXTRAS)}]"]


def test_the_range_of_pythons_is_the_same_everywhere():
    allowed = SpecifierSet(PROJECT["requires-python"])
    minors = [f"3.{minor}" for minor in range(5, 30) if allowed.contains(f"3.{minor}")]
    oldest, newest = (".".join(map(str, version)) for version in tasks.SUPPORTED)
    assert [oldest, newest] == [minors[0], minors[-1]]
    classifiers = [line.split(" :: ")[-1] for line in PROJECT["classifiers"] if ":: Python :: 3." in line]
    assert classifiers == minors
    tests = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    assert tests["jobs"]["everything"]["strategy"]["matrix"]["python"] == minors
    assert all(version in (ROOT / "README.md").read_text(encoding="utf-8") for version in minors)


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["version"] == mmcourse.__version__ == citation["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_workflows_are_valid():
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    assert workflows
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, *map(str, workflows)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_call_tasks_that_exist():
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        for task in re.findall(r"(?:make|tasks\.py) ([a-z]+)", path.read_text(encoding="utf-8")):
            assert task in tasks.TASKS, f"{path.name}: {task}"


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_only_tasks_and_files_that_exist(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for task in re.findall(r"(?:`|^ *)(?:make|python3? tasks\.py) ([a-z]+)", text, flags=re.MULTILINE):
        assert task in {*tasks.TASKS, "help"}, task
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target


def test_the_types_of_what_is_stored_are_written_alike(monkeypatch):
    """The book's extension and the registers read notebooks without the package."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    from coursebook import stored

    assert (stored.CLAIM, stored.EXACT, stored.CHECK) == (CLAIM_TYPE, EXACT_TYPE, CHECK_TYPE)
    assert STORED_TYPES == {CLAIM_TYPE: "claim", EXACT_TYPE: "exact"}


def test_processes_that_compute_agree_on_their_environment(monkeypatch, tmp_path):
    """Tasks, kernels, benchmarks and grading set some variables each; where two set one, they set it alike."""
    from benchmarks.__main__ import use_one_thread

    for name in [*tasks.STEADY, *lesson.THREADS, "CUDA_VISIBLE_DEVICES", "MMCOURSE_DEVICE"]:
        monkeypatch.delenv(name, raising=False)
    grading = supervise.environment(tmp_path, "token")
    kernel, task = environment.kernel_environment(ROOT), tasks.steady()
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", {})
        use_one_thread()
        benchmark = dict(os.environ)
    loose = {"TF_CPP_MIN_LOG_LEVEL", "PYTHONPATH"}  # what is printed where nobody reads it; what else is there
    for name in {*grading, *kernel, *task, *benchmark} - loose:
        values = {each[name] for each in (grading, kernel, task, benchmark) if name in each}
        assert len(values) == 1, (name, values)
    assert set(lesson.THREADS) <= kernel.keys() & task.keys() & benchmark.keys()


def test_contributing_says_the_limits_that_are_enforced():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for words in (
        f"over {LONGEST_CELL} lines",
        f"over {LONGEST_LINE}:",
        f"At most {LARGEST_BUDGET:g} CPU seconds and {LARGEST_MEMORY / 1000:g} GB",
        f"a median of {MEDIAN:g}",
    ):
        assert words in text, words


def test_pre_commit_needs_only_the_environment_and_looks_at_what_can_make_notebooks_stale():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert all(hook["entry"].startswith(".venv/bin/python -m ") for hook in hooks)
    [files] = [hook["files"] for hook in hooks if hook["id"] == "notebooks"]
    for path in ("notebooks/a/b.py", "mmcourse/checks/__init__.py", "experiments/a.json", "requirements.lock"):
        assert re.search(files, path), path
    assert not re.search(files, "tests/test_project.py")
    assert "`.venv/bin/pre-commit install`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_no_file_names_a_place_of_one_machine():
    places = re.compile(r"(?<![\w.~])/(?:work|home|root|Users)/[\w.]+")
    for path in our_files(
        ".py", ".md", ".yml", ".yaml", ".toml", ".cff", ".ipynb", ".json", ".csv", ".cfg", ".lock", ".bib"
    ):
        found = places.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.relative_to(ROOT)}: {found and found[0]}"


def test_nothing_is_left_for_later_in_the_code():
    marks = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|raise NotImplemented" r"Error")
    for path in our_files(".py", ".yml", ".toml"):
        found = marks.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.relative_to(ROOT)}: {found and found[0]}"


FREEZE = """
numpy==2.0.2
torch @ https://download.example.org/whl/cu124/torch-2.6.0%2Bcu124-cp312-cp312-linux_x86_64.whl
tensorflow==2.18.0
keras==3.8.0
google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz
requests==2.32.3
-e git+https://example.org/x.git#egg=x
"""


def test_colab_pins_are_versions_of_what_the_package_names_and_nothing_else():
    names = colab_versions.wanted_names(PROJECT)
    assert colab_versions.pins(FREEZE, names) == ["keras==3.8.0", "numpy==2.0.2", "tensorflow==2.18.0", "torch==2.6.0"]

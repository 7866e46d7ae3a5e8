"""tasks.py: one line that says what to do when an installation cannot go on, and nothing done twice."""

import subprocess
import sys
from pathlib import Path

import pytest

import tasks

MAKE_ENVIRONMENT = tasks.make_environment


def run(*arguments, cwd=tasks.ROOT, python=sys.executable):
    return subprocess.run([python, "tasks.py", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_help_lists_every_task_with_one_line():
    shown = run("help").stdout
    for name in tasks.TASKS:
        assert f"  {name} " in shown
    assert run().stdout == shown


def test_an_unknown_task_is_refused_with_the_list():
    done = run("bok")
    assert done.returncode == 2
    assert "There is no task 'bok'" in done.stderr
    assert "  book " in done.stderr


def test_the_makefile_offers_the_same_tasks():
    makefile = (tasks.ROOT / "Makefile").read_text(encoding="utf-8")
    plain = next(line for line in makefile.splitlines() if line.startswith("TASKS :=")).split()[2:]
    assert set(plain) | {"lesson", "repository"} == set(tasks.TASKS) | {"help"}


def test_a_failed_install_names_the_step_the_cause_and_the_way_on():
    with pytest.raises(tasks.TaskError) as caught:
        tasks.pip_install(
            Path(sys.executable), "PyTorch", ["--no-index", "--find-links", ".", "no-such-package-anywhere"]
        )
    message = str(caught.value)
    assert message.startswith("installing PyTorch failed")
    assert "no-such-package-anywhere" in message
    assert "run `make {task}` again" in message


def test_a_failed_task_ends_with_one_clear_line_and_code_1(monkeypatch, capsys):
    def fails(arguments):
        raise tasks.TaskError("the disk is full. Then run `make {task}` again.")

    monkeypatch.setitem(tasks.TASKS, "book", fails)
    assert tasks.main(["book"]) == 1
    assert capsys.readouterr().err == "make book: the disk is full. Then run `make book` again.\n"


def test_an_unsupported_python_is_refused_before_anything_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(tasks, "SUPPORTED", ((3, 1), (3, 2)))
    with pytest.raises(tasks.TaskError, match=r"the course needs 3\.1 to 3\.2"):
        tasks.make_environment()
    assert not (tmp_path / ".venv").exists()


def test_an_environment_that_cannot_be_made_says_which_package_is_missing(monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("a file stands where a folder should be")
    monkeypatch.setattr(tasks, "ENVIRONMENT", tmp_path / "taken" / ".venv")
    with pytest.raises(tasks.TaskError, match="python3-venv"):
        tasks.make_environment()


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    """The pip calls of `install`, recorded instead of made, in an environment that is said to stand."""
    calls = []
    environment = tmp_path / "with space é" / ".venv"
    environment.mkdir(parents=True)
    monkeypatch.setattr(tasks, "ENVIRONMENT", environment)
    monkeypatch.setattr(tasks, "make_environment", lambda: (3, 11))
    monkeypatch.setattr(tasks, "environment_python", lambda: Path(sys.executable))
    monkeypatch.setattr(tasks, "pip_install", lambda python, step, arguments: calls.append((step, arguments)))
    monkeypatch.delenv("MMCOURSE_TORCH_INDEX", raising=False)
    return calls


def test_a_second_install_does_nothing_until_the_lock_changes(recorded, monkeypatch, tmp_path):
    tasks.install("everything")
    first = len(recorded)
    tasks.install("everything")
    assert len(recorded) == first > 0
    monkeypatch.setattr(tasks, "fingerprint", lambda what, version: "another lock")
    tasks.install("everything")
    assert len(recorded) == 2 * first


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("line-length = 120", "line-length = 100", True),
        ('"numpy>=1.26"', '"numpy>=2"', False),
        ('"setuptools>=77"', '"setuptools>=78"', False),
        ('torch = ["torch>=2.6,<2.14"]', 'torch = ["torch"]', False),
        ('include = ["mmcourse*"]', 'include = ["other*"]', False),
    ],
)
def test_only_what_is_installed_asks_for_an_installation(monkeypatch, tmp_path, before, after, same):
    text = (tasks.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert before in text
    monkeypatch.setattr(tasks, "ROOT", tmp_path)
    (tmp_path / "requirements.lock").touch()
    found = []
    for version in (text, text.replace(before, after)):
        (tmp_path / "pyproject.toml").write_text(version, encoding="utf-8")
        found.append(tasks.fingerprint("everything", (3, 11)))
    assert (found[0] == found[1]) is same


def test_the_environment_s_python_is_asked_once(recorded, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "make_environment", MAKE_ENVIRONMENT)
    monkeypatch.setattr(tasks, "version_of", lambda python: asked.append(python) or (3, 11))
    tasks.install("everything")
    assert len(asked) == 1


def test_an_interrupted_install_is_taken_up_again(recorded, monkeypatch):
    def breaks(python, step, arguments):
        raise tasks.TaskError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "pip_install", breaks)
        with pytest.raises(tasks.TaskError):
            tasks.install("book")
    tasks.install("book")
    assert [step for step, _ in recorded] == ["what reading needs"]


def test_torch_comes_first_and_from_the_index_that_is_named(recorded, monkeypatch):
    tasks.install("everything")
    step, arguments = recorded[0]
    assert step == "PyTorch"
    assert arguments[-1].startswith("torch==")
    assert "--index-url" not in arguments
    monkeypatch.setenv("MMCOURSE_TORCH_INDEX", "https://example.org/cpu")
    tasks.install("everything")
    assert recorded[3][1][:2] == ["--index-url", "https://example.org/cpu"]


def test_grade_hands_its_arguments_and_the_answer_on(monkeypatch):
    called = []
    monkeypatch.setattr(tasks, "install", lambda what: "python")
    monkeypatch.setattr(tasks, "run_in", lambda *given, **environment: called.append((given, environment)) or 1)
    assert tasks.main(["grade", "fusion", "--json", "marks.json"]) == 1
    [((python, arguments), environment)] = called
    assert (python, arguments) == ("python", ["-m", "mmcourse.cli", "grade", "fusion", "--json", "marks.json"])
    assert environment["OMP_NUM_THREADS"] == "1"


def test_the_gpu_is_hidden_unless_it_is_asked_for(monkeypatch):
    monkeypatch.delenv("MMCOURSE_DEVICE", raising=False)
    assert tasks.steady()["CUDA_VISIBLE_DEVICES"] == ""
    monkeypatch.setenv("MMCOURSE_DEVICE", "cuda")
    assert "CUDA_VISIBLE_DEVICES" not in tasks.steady()

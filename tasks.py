"""Every task of the course behind one command: `python3 tasks.py TASK`, or `make TASK` where make is at hand.

Standard library only: this file runs before anything is installed. It makes the environment `.venv` beside it, fills it
from a lock file, and hands the task over to that environment's Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SUPPORTED = ((3, 11), (3, 13))  # requires-python of pyproject.toml; a test holds the two together
LOCKS = {"book": "requirements-book.lock", "everything": "requirements.lock"}


class TaskError(Exception):
    """A task that cannot go on; its message says what to do."""


# ----------------------------------------------------------------------------------------------- the environment


def environment_python() -> Path:
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def version_of(python: Path) -> tuple[int, int] | None:
    """The version of an interpreter, or None where it does not start (a moved or half-made environment)."""
    try:
        done = subprocess.run(
            [python, "-c", "import pip, sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else None  # type: ignore[return-value]


def supported(version: tuple[int, int]) -> bool:
    return SUPPORTED[0] <= version <= SUPPORTED[1]


def make_environment() -> tuple[int, int]:
    """Make `.venv` with the Python that runs this file, unless a working one of a supported version stands there.

    Returns its version. Raises TaskError.
    """
    found = version_of(environment_python())
    if found is not None and supported(found):
        return found
    here = sys.version_info[:2]
    if not supported(here):
        wanted = " to ".join(".".join(map(str, version)) for version in SUPPORTED)
        raise TaskError(
            f"Python {here[0]}.{here[1]} came, the course needs {wanted}. Run `make {{task}} PYTHON=python3.11`, "
            "or `python3.11 tasks.py {task}`, with an interpreter that you have."
        )
    print("Making the environment .venv", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise TaskError(
            f"the environment .venv could not be made: {last_line(done.stdout + done.stderr)}\n"
            "On Debian and Ubuntu: `apt-get install python3-venv` (as root). Then run `make {task}` again."
        )
    return here[0], here[1]


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def pinned(package: str) -> str:
    """The exact requirement of one package in the full lock, without its marker."""
    lock = (ROOT / LOCKS["everything"]).read_text(encoding="utf-8")
    match = re.search(rf"^{re.escape(package)}==\S+", lock, flags=re.MULTILINE)
    if match is None:
        raise TaskError(f"{LOCKS['everything']} does not pin {package}. Run `make lock`.")
    return match[0]


def installation_steps(what: str) -> list[tuple[str, list[str]]]:
    """The pip calls that fill the environment: (what the step installs, arguments of `pip install`)."""
    lock = str(ROOT / LOCKS[what])
    if what == "book":
        return [("what reading needs", ["--no-deps", "-r", lock])]
    # torch first and alone: which build a machine gets, CPU or CUDA, is that machine's choice (README, "GPU and CPU").
    torch = ["-c", lock, pinned("torch")]
    index = os.environ.get("MMCOURSE_TORCH_INDEX", "").strip()
    if index:
        torch = ["--index-url", index, "--no-deps", pinned("torch")]
    return [
        ("PyTorch", torch),
        ("everything else", ["--no-deps", "-r", lock]),
        ("the package mmcourse", ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]),
    ]


def fingerprint(what: str, version: tuple[int, int]) -> str:
    """What the environment holds is known by its lock, the package's project, its Python and its place."""
    project = "".join(installed_sections((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    digest = hashlib.sha256((ROOT / LOCKS[what]).read_bytes() + project.encode())
    digest.update(f"{version}{ROOT}{os.environ.get('MMCOURSE_TORCH_INDEX', '')}".encode())
    return digest.hexdigest()


def installed_sections(pyproject: str) -> list[str]:
    """The tables of pyproject.toml that say what is installed, as text: a Python before 3.11 has no tomllib."""
    tables = re.split(r"^(?=\[)", pyproject, flags=re.MULTILINE)
    return [table for table in tables if re.match(r"\[(project|build-system|tool\.setuptools)\b", table)]


def install(what: str) -> Path:
    """Bring `.venv` to what a lock says; a second call finds its stamp and does nothing. Returns its Python."""
    version = make_environment()
    python = environment_python()
    stamp = ENVIRONMENT / f"{what}.stamp"
    wanted = fingerprint(what, version)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    stamp.unlink(missing_ok=True)
    for step, arguments in installation_steps(what):
        pip_install(python, step, arguments)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def pip_install(python: Path, step: str, arguments: list[str]) -> None:
    """One `pip install` with a counter of the packages seen in place of pip's own many lines."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    tail: list[str] = []
    packages = 0
    live = sys.stdout.isatty()
    print(f"Installing {step} (once; this can take minutes)", end="" if live else "\n", flush=True)
    merged = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with subprocess.Popen(command, **merged) as pip:
        for line in pip.stdout:
            tail = [*tail[-30:], line.rstrip()]
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                packages += 1
                if live:
                    print(f"\rInstalling {step}: {packages} packages looked up ", end="", flush=True)
    if live:
        print()
    if pip.returncode != 0:
        errors = [line for line in tail if line.lstrip().startswith("ERROR")] or tail[-3:]
        said = "".join(f"    {line}\n" for line in errors)
        raise TaskError(
            f"installing {step} failed (pip ended with {pip.returncode}):\n{said}"
            "Check that the package registry can be reached and that the disk has room, then run `make {task}` again: "
            "what is installed stays."
        )


# ---------------------------------------------------------------------------------------------------- the tasks


def run_in(python: Path, arguments: list[str], **extra: str) -> int:
    """Run the environment's Python from the repository's root; returns its exit code."""
    path = str(python.parent) + os.pathsep + os.environ.get("PATH", "")
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(ENVIRONMENT), **extra}
    environment.pop("PYTHONHOME", None)
    return subprocess.run([str(python), *arguments], cwd=ROOT, env=environment, check=False).returncode


# One thread a process: two kernels share two cores, and sums come out in one order. No task asks a model hub.
STEADY = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # TensorFlow's other kernels, and no word about them
    "HF_HUB_OFFLINE": "1",
}


def steady() -> dict[str, str]:
    """STEADY, and the GPU hidden unless it is asked for: stored outputs are compared on the CPU."""
    hidden = {} if os.environ.get("MMCOURSE_DEVICE", "").startswith("cuda") else {"CUDA_VISIBLE_DEVICES": ""}
    return {**STEADY, **hidden}


def book(arguments: list[str]) -> int:
    """Render the book from stored outputs and say where it is."""
    return run_in(install("book"), ["-m", "authoring.book", *arguments])


def test(arguments: list[str]) -> int:
    """Run every check: lint, types, units, lessons, book; a part: `make test ARGS=tests/fusion`."""
    python = install("everything")
    spread = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    return run_in(python, ["-m", "pytest", *spread, "--nbval", *arguments], **steady())


# JupyterLab in `.venv`: Markdown opens as it reads, and nothing asks another host for news.
LAB_SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def lab(arguments: list[str]) -> int:
    """Open JupyterLab at a page that links every lesson and exercise; the exercises are your copies, in my/."""
    python = install("everything")
    run_in(python, ["-m", "authoring.my"])
    settings = ENVIRONMENT / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(LAB_SETTINGS, indent=1), encoding="utf-8")
    return run_in(python, ["-m", "jupyterlab", "--LabApp.default_url=/lab/tree/notebooks/start_here.md", *arguments])


def grade(arguments: list[str]) -> int:
    """Check the exercises in my/: `make grade`, or one chapter, `make grade ARGS=fusion`."""
    return run_in(install("everything"), ["-m", "mmcourse.cli", "grade", *arguments], **steady())


def notebooks(arguments: list[str]) -> int:
    """Execute again the lessons and solutions whose code, package or data changed; one: ARGS=chapter/lesson."""
    return run_in(install("everything"), ["-m", "authoring.notebooks", *arguments], **steady())


def experiments(arguments: list[str]) -> int:
    """Run the experiments whose stored results are missing or older than their script (minutes)."""
    return run_in(install("everything"), ["-m", "authoring.experiments", *arguments], **steady())


def bench(arguments: list[str]) -> int:
    """Measure ratios against peers in one run."""
    return run_in(install("everything"), ["-m", "benchmarks", *arguments], **steady())


def lesson(arguments: list[str]) -> int:
    """Write a skeleton: `make lesson NAME=chapter/lesson`."""
    if len(arguments) != 1:
        raise TaskError("give one name, chapter/lesson: `make lesson NAME=fusion/gates`")
    return run_in(install("everything"), ["-m", "authoring.new_lesson", *arguments])


def repository(arguments: list[str]) -> int:
    """Set the repository's address everywhere: `make repository URL=https://github.com/you/mmcourse`."""
    if len(arguments) != 1:
        raise TaskError("give one address: `make repository URL=https://github.com/you/mmcourse`")
    return run_in(install("everything"), ["-m", "authoring.repository", *arguments])


def lock(arguments: list[str]) -> int:
    """Make the lock files from pyproject.toml; with ARGS=--upgrade all pins are drawn anew."""
    return run_in(install("everything"), ["-m", "authoring.lock", *arguments])


def clean(arguments: list[str]) -> int:
    """Remove the built book; with ARGS=--all the environment too."""
    for place in [ROOT / "_build", *([ENVIRONMENT] if "--all" in arguments else [])]:
        shutil.rmtree(place, ignore_errors=True)
    return 0


TASKS: dict[str, Callable[[list[str]], int]] = {
    task.__name__: task
    for task in (book, test, lab, grade, notebooks, experiments, bench, lesson, repository, lock, clean)
}


def summary() -> str:
    lines = [f"  {name:<12} {(task.__doc__ or '').splitlines()[0]}" for name, task in TASKS.items()]
    return "Tasks (make TASK, or python3 tasks.py TASK):\n" + "\n".join(lines)


def main(arguments: list[str]) -> int:
    task, *rest = arguments or ["help"]
    if task in ("help", "-h", "--help"):
        print(summary())
        return 0
    if task not in TASKS:
        print(f"There is no task {task!r}.\n{summary()}", file=sys.stderr)
        return 2
    try:
        return TASKS[task](rest)
    except TaskError as error:
        print(f"make {task}: {str(error).replace('{task}', task)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

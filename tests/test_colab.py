"""The first cell of every lesson, as on Colab: frameworks are there, the package is not. No network is asked.

A new environment borrows the packages of this one, a module stands in for google.colab, and the cell installs the
package from a copy of the repository that needs one package more than there is.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from authoring.checks import EXPERIMENT, Lesson
from authoring.claims import claims_path
from authoring.lessons import executed_names
from authoring.repository import colab_cell, current_url
from mmcourse.exercises.checking import chapters, exercises_of

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("torch", "tensorflow-cpu" if sys.platform == "linux" else "tensorflow", "keras", "numpy")
SESSION = """
import json, sys, types
from importlib import metadata, util

cells, imports, kept, experiments, answer = json.loads(sys.stdin.read())
before = {name: metadata.version(name) for name in kept}
assert util.find_spec("mmcourse") is None, "the package is there already"
sys.modules["google.colab"] = types.ModuleType("google.colab")

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
with capture_output() as said:
    for cell in cells:
        shell.run_cell(cell).raise_error()
print(said.stdout, said.stderr, file=sys.stderr)
for line in imports:
    exec(line)
from mmcourse import lesson
from mmcourse.exercises.checking import chapters, examine, exercises_of
answers = {}
exec(answer, answers)
print(json.dumps({
    "before": before,
    "after": {name: metadata.version(name) for name in kept},
    "place": lesson.__file__,
    "points": {name: len(lesson.experiment(name)) for name in experiments},
    "exercises": {chapter: exercises_of(chapter) for chapter in chapters()},
    "graded": [examine("fusion/interaction", answers[name]).text() for name in ("interaction", "wrong")],
    "said": said.stdout,
}))
"""


ANSWER = """
import numpy as np

def interaction(model, image, text):
    return np.diff(np.diff([[model(i[None], t[None])[0] for t in text] for i in image], axis=0), axis=1)[0, 0]

def wrong(model, image, text):
    return 2 * interaction(model, image, text)
"""


def make_wheel(folder: Path, name: str, requires: str = "", version: str = "1.0") -> None:
    """A wheel of a package without content."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in [*files.items(), (f"{about}/RECORD", f"{record}{about}/RECORD,,\n")]:
            wheel.writestr(path, text)


class Machine:
    """An environment that has what Colab has, and nothing of mmcourse."""

    def __init__(self, folder: Path) -> None:
        self.wheels, self.environment, self.source = folder / "wheels", folder / "environment", folder / "a repository"
        self.wheels.mkdir()
        venv.create(self.environment, symlinks=os.name != "nt")
        self.python = self.environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        place = self.call("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        # A borrowed folder's own .pth files are not read, so that this environment's editable mmcourse is not seen.
        Path(place, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def call(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        environment |= {
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": self.wheels.as_uri(),
            "PIP_NO_BUILD_ISOLATION": "false",  # pip's way to say: build with the setuptools that is here
            "PIP_NO_INDEX": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [str(self.python), *arguments]
        return subprocess.run(
            command,
            input=text,
            env=environment,
            cwd=self.wheels,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def copy_repository(self) -> str:
        """A repository that needs mmcourse-probe besides; returns its address."""
        self.source.mkdir()
        for name in ("mmcourse", "experiments"):
            shutil.copytree(ROOT / name, self.source / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in [ROOT / "pyproject.toml", ROOT / "README.md", *ROOT.glob("LICENSE*")]:
            shutil.copy(path, self.source)
        project = self.source / "pyproject.toml"
        text = project.read_text(encoding="utf-8")
        text = text.replace("\ndependencies = [\n", '\ndependencies = [\n    "mmcourse-probe>=1",\n')
        text = text.replace(
            "\n[project.optional-dependencies]\n", '\n[project.optional-dependencies]\nold = ["mmcourse-old"]\n'
        )
        project.write_text(text, encoding="utf-8")
        if shutil.which("git") is None:
            return str(self.source)
        who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
        for step in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "copy"]):
            subprocess.run(["git", *step], cwd=self.source, check=True)
        return self.source.as_uri()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("colab"))
    make_wheel(machine.wheels, "mmcourse_probe")
    make_wheel(machine.wheels, "mmcourse_old", "Requires-Dist: numpy<2\n")
    # What a careless installation would take in place of the NumPy that is there: new enough for mmcourse, old enough.
    make_wheel(machine.wheels, "numpy", version="1.99")
    return machine


@pytest.fixture(scope="module")
def session(machine: Machine) -> dict:
    """What a reader's session on Colab found after the first cells of all lessons."""
    address = machine.copy_repository()
    given = f"git+{current_url(ROOT)}"
    lessons = [Lesson(ROOT, name) for name in executed_names(ROOT)]
    cells = {lesson.source.cells[1].source for lesson in lessons}
    assert all(cell.count(given) == 1 for cell in cells)
    cells = {cell.replace(given, f"git+{address}" if shutil.which("git") else address) for cell in cells}
    code = [source for lesson in lessons for _, source in lesson.code()]
    imports = {
        ast.unparse(node)
        for source in code
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    stored = sorted(path.stem for path in (ROOT / "experiments").glob("*.json"))
    assert {name for source in code for name in EXPERIMENT.findall(source)} <= set(stored)
    done = machine.call("-c", SESSION, text=json.dumps([sorted(cells), sorted(imports), KEPT, stored, ANSWER]))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_cell_installs_the_package_and_what_is_missing(session: dict, machine: Machine) -> None:
    assert machine.environment.resolve() in Path(session["place"]).resolve().parents
    assert "mmcourse: ready, added mmcourse_probe 1.0" in session["said"]


def test_the_frameworks_that_are_there_stay_as_they_are(session: dict) -> None:
    assert session["after"] == session["before"] == {name: metadata.version(name) for name in KEPT}


def test_our_numbers_travel_with_the_package(session: dict) -> None:
    assert Path(session["place"]).with_name("claims.json").read_bytes() == claims_path(ROOT).read_bytes()


def test_stored_experiments_travel_with_the_package(session: dict) -> None:
    stored = {path.stem for path in (ROOT / "experiments").glob("*.json")}
    assert set(session["points"]) == stored
    assert all(count > 0 for count in session["points"].values())


def test_exercises_grade_themselves_there(session: dict) -> None:
    assert session["exercises"] == {chapter: list(exercises_of(chapter)) for chapter in chapters()}
    right, wrong = session["graded"]
    assert right.startswith("fusion/interaction: passed")
    assert "✗ for a model with a product" in wrong


@pytest.mark.usefixtures("session")
def test_a_second_call_says_that_nothing_is_missing(machine: Machine) -> None:
    done = machine.call("-m", "mmcourse.colab")
    assert done.stdout == "mmcourse: ready, nothing was missing\n"


@pytest.mark.usefixtures("session")
def test_what_would_replace_a_framework_is_refused(machine: Machine) -> None:
    done = machine.call("-m", "mmcourse.colab", "old")
    assert done.returncode == 1
    assert "mmcourse: mmcourse[old] cannot be completed beside" in done.stderr
    assert f"numpy=={metadata.version('numpy')}" in done.stderr
    assert "numpy<2" in done.stderr
    after = machine.call("-c", "import numpy; print(numpy.__version__)")
    assert after.stdout.strip() == metadata.version("numpy")


def test_elsewhere_the_cell_does_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    InteractiveShell.instance().run_cell(colab_cell("https://github.com/nobody/nothing")).raise_error()
    assert capsys.readouterr().out == ""

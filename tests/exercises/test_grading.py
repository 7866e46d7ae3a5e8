"""Whatever a notebook does costs that exercise or cell its points, with a sentence, in bounded time, and nothing else.

Each test runs a notebook of the chapter `toy` (double, total, five); `graded` sees to it that nothing is left over: no
file beside the notebook changed, the temporary folder is empty, no process of the notebook lives.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from mmcourse.exercises import chapters
from mmcourse.exercises.grading.child import Interruption
from mmcourse.exercises.grading.collect import Task, grade
from mmcourse.exercises.grading.scores import Grade
from mmcourse.exercises.grading.supervise import Cancelled, Limits
from tests.exercises.grading import SOLVED, TOY, answers, check, save, tree

pytestmark = pytest.mark.timeout(120)
SLOWEST_START = 15.0  # seconds for imports on a busy machine
Graded = Callable[..., Grade]
posix = pytest.mark.skipif(sys.platform == "win32", reason="a way of POSIX systems")


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graded]:
    """Grade a notebook made of cells; then nothing but the grade may be left of it."""
    monkeypatch.setattr(chapters, "__path__", [*chapters.__path__, str(TOY)])
    temporary, checkout = tmp_path / "temporary", tmp_path / "checkout"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def run(cells: list[str], seconds: float = 30.0, share: float = 0.05, memory: float = 2000.0) -> Grade:
        path = save(checkout / "my" / "toy.ipynb", cells)
        before = tree(checkout)
        started = time.monotonic()
        result = grade(Task(path, "toy"), Limits(seconds, memory, share))
        assert time.monotonic() - started < SLOWEST_START + seconds + 5
        assert tree(checkout) == before
        return result

    yield run
    assert list(temporary.iterdir()) == []
    assert living(temporary) == []


UNWRITTEN = f"raise {NotImplementedError.__name__}()"


def living(temporary: Path) -> list[psutil.Process]:
    """Processes whose home lies in the folder in which this test's notebooks ran."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("HOME", "").startswith(str(temporary)):
                found.append(process)
    return found


def points(result: Grade) -> dict[str, int]:
    return {score.exercise: score.points for score in result.scores}


def sentence(result: Grade, exercise: str) -> str:
    return next(score.sentence for score in result.scores if score.exercise == exercise)


def only_lost(result: Grade, *exercises: str) -> bool:
    return points(result) == {name: int(name not in exercises) for name in SOLVED}


# ---------------------------------------------------------------------------------------------- answers, as they come


def test_a_solved_notebook_gets_all_points(graded: Graded) -> None:
    result = graded(answers())
    assert only_lost(result)
    assert result.solved
    assert sentence(result, "double") == "solved: 2 laws hold"
    assert result.notes == ()


def test_a_blank_notebook_gets_none_and_is_told_so_kindly(graded: Graded) -> None:
    stub = "def {}(numbers):\n    # YOUR CODE HERE\n    " + UNWRITTEN
    value = "five = ...  # how many?\n# YOUR CODE HERE\n" + UNWRITTEN
    result = graded(answers(double=stub.format("double"), total=stub.format("total"), five=value))
    assert only_lost(result, *SOLVED)
    assert sentence(result, "double") == "not answered yet"
    value_alone = f"# YOUR CODE HERE\n{UNWRITTEN}\nfive = 5"
    assert sentence(graded(answers(five=value_alone)), "five") == "not answered yet"


def test_a_wrong_answer_is_told_the_law_that_it_breaks_its_case_and_a_hint(graded: Graded) -> None:
    result = graded(answers(five="five = 4"))
    assert only_lost(result, "five")
    score = result.scores[2]
    assert (score.law, score.hint, score.seen) == ("the number of fingers", "Count again.", "Got 4.")
    assert score.sentence == "broken: the number of fingers. Hint: Count again."


def test_a_notebook_that_is_graded_twice_gets_the_same(graded: Graded) -> None:
    wrong = answers(double="def double(numbers): return numbers")
    first, second = graded(wrong).scores[0], graded(wrong).scores[0]
    assert first == second
    assert first.held == ("it is a number",)
    assert first.seen.startswith("Got [")


def test_a_missing_cell_costs_its_exercise(graded: Graded) -> None:
    result = graded(answers(double=""))
    assert only_lost(result, "double")
    assert sentence(result, "double") == "`double` is not defined: no cell defines it"


def test_an_exercise_counts_without_a_check_of_its_own(graded: Graded) -> None:
    assert graded([SOLVED["double"], SOLVED["five"]]).points == 2


def test_cells_out_of_order_are_named(graded: Graded) -> None:
    result = graded([check("double"), SOLVED["total"], check("total"), SOLVED["double"], SOLVED["five"]])
    assert only_lost(result, "double")
    assert sentence(result, "double") == (
        "`double` is not defined when its check comes (code cell 1) but later (code cell 4): move the check below the "
        "definition, then run all cells from the top"
    )


def test_a_cell_that_stops_is_named_with_its_error(graded: Graded) -> None:
    result = graded(answers(double="width = height\ndef double(numbers):\n    return 2 * numbers"))
    assert only_lost(result, "double")
    wanted = "`double` is not defined: code cell 2 stopped with NameError: name 'height' is not defined"
    assert sentence(result, "double") == wanted


def test_a_syntax_error_costs_its_cell_alone(graded: Graded) -> None:
    result = graded(answers(total="def total(numbers:\n    return 0"))
    assert only_lost(result, "total")
    assert sentence(result, "total") == (
        "`total` is not defined: code cell 4 stopped with a SyntaxError in line 1: '(' was never closed; the line is "
        "`def total(numbers:`"
    )


def test_a_syntax_error_elsewhere_is_not_placed_in_the_cell(graded: Graded) -> None:
    cells = [
        "if True:\nprint()",
        "x = 1\nfor x in [1]\n    pass",
        "eval('1 +')",
        "open('helper.py', 'w').write('x = = 1')\nimport helper",
        "%%time\nx = = 1",
        "class Odd(SyntaxError):\n    def __str__(self): raise ValueError\nraise Odd(3)",
    ]
    assert [note.partition(" stopped with ")[2] for note in graded([*answers(), *cells]).notes] == [
        "an IndentationError in line 2: expected an indented block after 'if' statement on line 1; the line is "
        "`print()`.",
        "a SyntaxError in line 2: expected ':'; the line is `for x in [1]`.",
        "a SyntaxError: invalid syntax; the line is `1 +`.",
        "SyntaxError: invalid syntax (helper.py, line 1).",
        "a SyntaxError: invalid syntax; the line is `x = = 1`.",
        "Odd.",
    ]


def test_a_failed_cell_that_defines_no_exercise_is_noted(graded: Graded) -> None:
    result = graded(["import no_such_package", *answers()])
    assert result.solved
    assert result.notes == ("Code cell 1 stopped with ModuleNotFoundError: No module named 'no_such_package'.",)


def test_a_failed_import_is_named_first_and_in_each_answer_that_misses_it(graded: Graded) -> None:
    cells = answers(
        double="def double(numbers): return np.add(numbers, numbers)",
        total="ready = np.ones(3)\ndef total(numbers): return numbers.sum()",
        five="def hand(): return 5\nfive = hand() + 0 * ready.sum()",
    )
    result = graded([cells[0], "import no_such_package\nimport numpy as np", *cells[1:]])
    assert result.points == 0
    failure = "ode cell 2 stopped with ModuleNotFoundError: No module named 'no_such_package'."
    assert result.causes == (f"C{failure} Repair it first: its names are missing in what follows.",)
    assert {score.sentence for score in result.scores} == {f"`np` is missing, because c{failure} Repair it first."}
    assert {score.hint for score in result.scores} == {""}
    assert result.notes == ()


def test_an_answer_that_misses_another_says_which(graded: Graded) -> None:
    total = "def total(numbers): return double(numbers).sum() / 2"
    broken = graded(answers(double="def double(numbers:", total=total))
    assert sentence(broken, "total").startswith("`double` is missing, because code cell 2 stopped with a SyntaxError")
    assert broken.causes == ()  # it is the matter of the exercise `double`, which says so
    unwritten = graded(answers(double=f"{UNWRITTEN}\ndouble = None", total=total))
    assert sentence(unwritten, "total") == "`double` is missing, because code cell 2 is not answered yet"


def test_a_cell_that_was_stopped_is_named_first_too(graded: Graded) -> None:
    cells = ["import time\ntime.sleep(60)\nhand = 5", *answers(five="five = hand")]
    result = graded(cells)
    assert only_lost(result, "five")
    failure = "ode cell 1 was stopped after 1.5 s: does a loop never end?"
    assert result.causes == (f"C{failure} Repair it first: its names are missing in what follows.",)
    assert sentence(result, "five") == f"`hand` is missing, because c{failure} Repair it first."
    assert result.notes == ()


def test_a_failed_cell_that_nothing_unsolved_follows_is_a_note(graded: Graded) -> None:
    result = graded([*answers(five="five = 4"), "six = seven", "five"])
    assert result.causes == ()
    assert result.notes == ("Code cell 8 stopped with NameError: name 'seven' is not defined.",)


def test_an_old_answer_whose_new_version_failed_says_both(graded: Graded) -> None:
    result = graded([*answers(five="five = 4")[:-1], "five = fingers", check("five")])
    assert sentence(result, "five").startswith("broken: the number of fingers.")
    assert sentence(result, "five").endswith("; code cell 7 stopped with NameError: name 'fingers' is not defined")


def test_the_best_of_several_checks_counts(graded: Graded) -> None:
    assert graded([*answers(), "five = None", check("five")]).solved


def test_what_works_in_a_notebook_works_here(graded: Graded) -> None:
    magics = [
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "import asyncio\nawait asyncio.sleep(0)\ndisplay('shown')\n!echo from the shell",
        "from pathlib import Path\nPath('mine').mkdir()\nPath('mine/notes.txt').write_text('kept')",
        "import shutil, tempfile\nshutil.rmtree('mine')\nwith tempfile.TemporaryDirectory() as t: Path(t, 'a').touch()",
        "import os\nfrom multiprocessing import Pool\nwith Pool(1) as pool: assert pool.map(abs, [-1]) == [1]",
    ]
    result = graded([*magics, *answers()], share=1.0)
    assert result.notes == ()
    assert result.solved
    assert "from the shell" in result.output


# ---------------------------------------------------------------------------------------------- too long


def test_an_endless_loop_in_a_cell_costs_what_the_cell_defines(graded: Graded) -> None:
    result = graded(answers(double="while True:\n    pass\ndef double(numbers):\n    return 2 * numbers"))
    assert only_lost(result, "double")
    assert (
        sentence(result, "double")
        == "`double` is not defined: code cell 2 was stopped after 1.5 s: does a loop never end?"
    )
    assert result.notes == (
        "Code cell 2 was stopped after 1.5 s: does a loop never end? No points for what it defines: `double`.",
    )


def test_an_endless_loop_in_an_answer_costs_its_exercise(graded: Graded) -> None:
    result = graded(answers(double="def double(numbers):\n    while True:\n        pass"))
    assert only_lost(result, "double")
    assert (
        sentence(result, "double")
        == "the check of `double` (code cell 3) was stopped after 1.5 s: does a loop never end?"
    )


def test_a_loop_that_catches_the_interrupt_is_ended_and_the_rest_runs_again(graded: Graded) -> None:
    stubborn = "while True:\n    try:\n        while True: sum([1])\n    except BaseException: pass\ndouble = None"
    result = graded(answers(double=stubborn))
    assert only_lost(result, "double")
    assert "code cell 2 was stopped after 1.5 s" in sentence(result, "double")


@posix
def test_an_answer_that_ignores_the_signal_is_ended_and_the_rest_is_graded(graded: Graded) -> None:
    deaf = "import signal\ndef double(numbers):\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass"
    result = graded(answers(double=deaf))
    assert only_lost(result, "double")


def test_when_the_time_of_the_notebook_is_used_up_the_rest_is_not_reached(graded: Graded) -> None:
    result = graded(answers(total="import time\ntime.sleep(60)"), seconds=2, share=1.0)
    assert points(result) == {"double": 1, "total": 0, "five": 0}
    assert sentence(result, "five") == "not reached: the 2 s ran out in code cell 4"
    assert "The time is used up: the 2 s ran out in code cell 4." in result.notes


def test_ctrl_c_ends_the_notebook_at_once(graded: Graded, tmp_path: Path) -> None:
    path = save(tmp_path / "checkout" / "my" / "toy.ipynb", ["while True: pass"])
    cancelled = threading.Event()
    threading.Timer(1.0, cancelled.set).start()
    with pytest.raises(Cancelled):
        grade(Task(path, "toy"), Limits(), cancelled)


# ---------------------------------------------------------------------------------------------- gone


def test_leaving_ends_only_the_cell(graded: Graded) -> None:
    result = graded(["import sys\nsys.exit(0)", "exit()", *answers(five="raise SystemExit\nfive = 5")])
    assert only_lost(result, "five")
    assert sentence(result, "five") == "`five` is not defined: code cell 8 stopped with SystemExit"
    assert result.notes == ("Code cell 1 stopped with SystemExit: 0.", "Code cell 2 stopped with SystemExit: exit().")


def test_an_answer_that_exits_is_a_wrong_answer(graded: Graded) -> None:
    result = graded(answers(double="import sys\ndef double(numbers): sys.exit(0)"))
    assert only_lost(result, "double")
    assert sentence(result, "double").startswith("broken: it runs to its end")


def test_os_exit_costs_its_cell_and_the_rest_runs_again(graded: Graded) -> None:
    result = graded(answers(five="import os\nfive = 5\nos._exit(0)"))
    assert only_lost(result, "five")
    assert sentence(result, "five") == (
        "`five` is not defined: code cell 6 ended the whole Python process (exit code 0): `os._exit` has no place in a "
        "notebook"
    )


def test_os_exit_in_an_answer_costs_its_exercise(graded: Graded) -> None:
    result = graded(answers(double="import os\ndef double(numbers): os._exit(0)"))
    assert only_lost(result, "double")
    assert "the check of `double` (code cell 3) ended the whole Python process" in sentence(result, "double")


@posix
def test_a_crash_is_named_by_its_signal(graded: Graded) -> None:
    result = graded(answers(total="import ctypes\nctypes.string_at(0)"))
    assert only_lost(result, "total")
    assert any("SIGSEGV" in remark for remark in result.remarks)


def test_a_deep_recursion_is_a_wrong_answer(graded: Graded) -> None:
    result = graded(answers(double="def double(numbers): return double(numbers)"))
    assert only_lost(result, "double")
    assert "RecursionError" in result.scores[0].seen


@posix
def test_a_cell_that_forks_is_counted_once(graded: Graded) -> None:
    cells = ["import os\nos.fork()", "with open('log', 'a') as log: log.write('x')"]
    late = "import time\ntime.sleep(0.5)\nwith open('log') as log: five = 5 if log.read() == 'x' else 0"
    assert graded([*cells, *answers(five=late)]).solved


# ---------------------------------------------------------------------------------------------- too much


def test_300_mb_may_be_held(graded: Graded) -> None:
    result = graded(answers(five="held = bytearray(b'x') * 300_000_000\nfive = 5"), memory=600, share=1.0)
    assert result.solved


def test_3_gb_are_stopped_and_cost_their_cell(graded: Graded) -> None:
    greedy = "held = []\nfor _ in range(300):\n    held.append(b'x' * 10_000_000)\nfive = 5"
    result = graded(answers(five=greedy), share=1.0)
    assert only_lost(result, "five")
    assert sentence(result, "five").endswith("code cell 6 was ended: it took more than 2 GB of memory")


def test_1_gb_of_output_is_cut_and_the_run_goes_on(graded: Graded) -> None:
    loud = "import os\nfor number in [1, 2] * 500: os.write(number, b'x' * 1_000_000)"
    result = graded(answers(five=f"{loud}\nprint('z' * 1_000_000)\nfive = 5"), share=1.0)
    assert result.solved
    assert len(result.output) <= 100_000
    assert result.notes == ("It printed much; only the first 100 kB are kept. This costs no points.",)


def test_bars_are_silent(graded: Graded) -> None:
    bars = (
        "from tqdm import tqdm\nfrom mmcourse.lesson import progress\nfrom mmcourse.training import fit\n"
        "from mmcourse.data import PairedData\nimport numpy, torch\n"
        "class Linear(torch.nn.Module):\n"
        "    def __init__(self): super().__init__(); self.layer = torch.nn.Linear(2, 2)\n"
        "    def forward(self, features, mask): return self.layer(features['image'])\n"
        "data = PairedData({'image': numpy.ones((4, 2))}, numpy.array([0, 1, 0, 1]), ('a', 'b'))\n"
        "fit(Linear(), data, epochs=2, seed=0)\nprint(list(tqdm([1])), list(progress([2])))"
    )
    result = graded([bars, *answers()], share=1.0)
    assert (result.notes, result.output) == ((), "[1] [2]\n")


def test_a_process_that_outlives_the_notebook_is_ended(graded: Graded) -> None:
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    leave = f"import subprocess, sys\nsubprocess.Popen({sleeper})\nfive = 5"
    result = graded(answers(five=leave))
    assert result.solved
    assert result.notes == ("1 process that it had started was ended with it.",)


@posix
def test_a_process_that_left_its_session_and_its_parents_is_ended(graded: Graded) -> None:
    program = "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(600)"
    leave = f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {program!r}])\ntime.sleep(0.5)"
    result = graded(answers(five=f"{leave}\nfive = 5"))
    assert result.solved
    assert result.notes == ("1 process that it had started was ended with it.",)


# ---------------------------------------------------------------------------------------------- simple tricks


def test_a_redefined_check_counts_for_nothing(graded: Graded) -> None:
    tricks = [
        "def check(*_): print('passed')",
        "import mmcourse.exercises, mmcourse.exercises.checking as checking, mmcourse.exercises.laws as laws\n"
        "mmcourse.exercises.check = checking.check = checking.examine = checking.find = check\n"
        "checking.Verdict.passed = True\nchecking.Verdict.sentence = lambda self: 'passed'\n"
        "laws.Law.__init__ = lambda self, *_: None\nlaws.Law.holds = True",
        "laws._registry['toy'].update(dict.fromkeys(laws._registry['toy'], None))\nlaws._registry.clear()",
        "import sys, mmcourse.exercises.chapters.toy as toy\nlaws.Answer.array = lambda self, *_, **__: None\n"
        "toy.double.__code__ = (lambda answer, rng: iter(())).__code__\nsys.modules['mmcourse.exercises.laws'] = None",
    ]
    wrong = answers(double="def double(numbers): return numbers", five="five = 6")
    result = graded([wrong[0], *tricks, *wrong[1:]])
    assert result.notes == ()
    assert only_lost(result, "double", "five")
    assert sentence(result, "five") == "broken: the number of fingers. Hint: Count again."


def test_patched_libraries_have_no_influence(graded: Graded) -> None:
    tricks = (
        "import builtins, json, json.encoder, sys, time, math, random\nimport numpy as np, numpy.testing\n"
        "np.allclose = np.isclose = np.array_equal = np.testing.assert_allclose = lambda *_, **__: True\n"
        "builtins.sum = builtins.abs = lambda *_: True\nbuiltins.print = lambda *_, **__: None\n"
        "json.dumps = json.encoder.JSONEncoder.encode = lambda *_, **__: '{\"passed\": true}'\n"
        "time.monotonic = time.time = lambda: 0.0\nmath.isclose = lambda *_: True\nrandom.random = None\n"
        "import io\nsys.stdout = sys.stderr = io.StringIO()"
    )
    wrong = answers(double="def double(numbers): return numbers", total="def total(numbers): return 0.0")
    result = graded([wrong[0], tricks, *wrong[1:]])
    assert result.notes == ()
    assert only_lost(result, "double", "total")


def test_what_a_learner_patched_is_theirs_again_after_a_check(graded: Graded) -> None:
    look = "five = 5 if np.allclose(1, 2) else 0"
    result = graded(["import numpy as np\nnp.allclose = lambda *_: True", *answers(five=look)])
    assert result.solved


def test_a_printed_score_is_only_print(graded: Graded) -> None:
    forged = (
        "import json, os, sys\nprint('fusion: 3 of 3 points')\nprint('said aloud', file=sys.stderr)\n"
        "for end in {'event': 'end', 'step': 6, 'passed': True}, {'event': 'done', 'defined': []}:\n"
        "    for number in range(1, 40):\n"
        "        try: os.write(number, (json.dumps(end) + '\\n').encode())\n        except OSError: pass\nfive = 6"
    )
    result = graded(answers(five=forged))
    assert only_lost(result, "five")
    assert "3 of 3 points" in result.output
    assert "said aloud" in result.output


@posix
def test_writing_elsewhere_is_refused_with_the_reason(graded: Graded, tmp_path: Path) -> None:
    prepare = f"import os, shutil, sqlite3\nfrom pathlib import Path\noutside = Path({str(tmp_path / 'checkout')!r})"
    writes = [
        "open(outside / 'new.txt', 'w')",
        "os.remove(outside / 'my' / 'toy.ipynb')",
        "os.rename(outside / 'my', outside / 'yours')",
        "os.rename(outside / 'my' / 'toy.ipynb', 'mine.ipynb')",
        "(outside / 'folder').mkdir()",
        "os.symlink('here', outside / 'link')",
        "os.link(outside / 'my' / 'toy.ipynb', outside / 'second.ipynb')",
        "os.symlink(outside, 'way'), open('way/new.txt', 'w')",
        "os.truncate(outside / 'my' / 'toy.ipynb', 0)",
        "os.chmod(outside / 'my' / 'toy.ipynb', 0)",
        "shutil.rmtree(outside / 'my')",
        "sqlite3.connect(str(outside / 'new.db'))",
        "os.chdir(outside), open('new.txt', 'a')",
    ]
    result = graded([prepare, *writes])
    refused = "stopped with PermissionError: while a notebook is graded it may write only into its working folder, not"
    missed = [write for write, note in zip(writes, result.notes, strict=True) if refused not in note]
    assert missed == []


def test_files_beside_the_notebook_have_no_influence(graded: Graded, tmp_path: Path) -> None:
    for name in ("numpy", "mmcourse", "json", "sitecustomize"):
        trap = tmp_path / "checkout" / "my" / f"{name}.py"
        trap.parent.mkdir(parents=True, exist_ok=True)
        trap.write_text("raise RuntimeError('taken from beside the notebook')")
    assert graded(["import numpy, json, mmcourse", *answers()]).solved


def test_secrets_of_the_environment_are_not_shown(graded: Graded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a secret")
    assert graded(answers(five="import os\nfive = 5 if 'GITHUB_TOKEN' not in os.environ else 0")).solved


def test_a_file_that_a_cell_writes_can_be_imported_but_shadows_no_library(graded: Graded) -> None:
    writes = "%%writefile helper.py\nfingers = 5"
    shadows = "for name in ['psutil', 'colorsys']: open(f'{name}.py', 'w').close()"
    uses = "import colorsys, psutil, helper\ncolorsys.rgb_to_hsv, psutil.Process\nfive = helper.fingers"
    assert graded([writes, shadows, *answers(five=uses)]).solved


@posix
def test_an_interrupt_reaches_only_code_of_the_learner() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    interruption = Interruption()

    def interrupted_code() -> None:
        with interruption:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted_code()
        with interruption:
            pass
        os.kill(os.getpid(), signal.SIGINT)  # too late: the answer has returned
        time.sleep(0.01)
    finally:
        signal.signal(signal.SIGINT, before)


@posix
@pytest.mark.parametrize(
    ("number", "code", "folders_left"),
    [(signal.SIGTERM, 130, 0), (signal.SIGINT, 130, 0), (9, -9, 1)],
    ids=["told to end", "interrupted", "killed"],
)
def test_the_notebook_ends_with_its_grader(tmp_path: Path, number: int, code: int, folders_left: int) -> None:
    path = save(tmp_path / "fusion.ipynb", ["while True:\n    try: sum([1])\n    except BaseException: pass"], "fusion")
    (tmp_path / "temporary").mkdir()
    grader = subprocess.Popen(
        [sys.executable, "-m", "mmcourse.cli", "grade", str(path)],
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    until = time.monotonic() + SLOWEST_START
    while not living(tmp_path) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    assert living(tmp_path)
    grader.send_signal(number)
    assert grader.wait(timeout=60) == code
    assert len(list((tmp_path / "temporary").iterdir())) == folders_left
    psutil.wait_procs(living(tmp_path), timeout=5)
    assert living(tmp_path) == []

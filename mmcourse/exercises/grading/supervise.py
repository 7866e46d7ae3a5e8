"""Run one notebook under limits on time, memory and output.

Too slow: first KeyboardInterrupt, two seconds later the end of the process. Too large, or gone by itself: the end.
After an end the notebook starts once more without the cell that caused it, as long as time is left, so that one cell
costs only its exercise.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import signal
import site
import stat
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psutil

from mmcourse.exercises import chapters
from mmcourse.exercises.grading.processes import MARK, end, family, proportional, resident
from mmcourse.exercises.grading.steps import Step, defines

ROOT = Path(__file__).resolve().parents[3]
POLL = 0.05  # seconds between two looks at the clock and at memory
FAMILY = 1.0  # seconds between two searches for processes
GRACE = 2.0  # seconds from KeyboardInterrupt to the end of the process
START = 120.0  # seconds that importing the official checks may take
KEPT_OUTPUT = 100_000  # bytes
LONGEST_RECORD = 1_000_000  # bytes
# What a notebook sees of the environment of who grades: nothing that could be a secret.
PASSED_ON = (
    "PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV",
    "CONDA_PREFIX", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE", "CUDA_VISIBLE_DEVICES", "MMCOURSE_DEVICE", "KERAS_BACKEND", "OMP_NUM_THREADS",
    "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
)  # fmt: skip
HOMES = (
    "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR", "IPYTHONDIR",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "KERAS_HOME",
    "TORCH_HOME", "HF_HOME", "JOBLIB_TEMP_FOLDER", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """seconds: for the whole notebook, not counting the first start;  share: of them, that one cell or check may take;
    memory: MB of growth over the start.
    """

    seconds: float = 300.0
    memory: float = 2000.0
    share: float = 0.4

    @property
    def step(self) -> float:
        """Seconds for one cell or check."""
        return self.share * self.seconds


@dataclass
class Ending:
    """How a step ended. error: what it raised;  stopped: why it was ended, "was stopped after 120 s: …";
    missing: the names that a cell was to define and did not.
    """

    error: str = ""
    stopped: str = ""
    missing: tuple[str, ...] = ()
    undefined: bool = False
    passed: bool = False
    held: tuple[str, ...] = ()
    sentence: str = ""
    law: str = ""
    hint: str = ""
    seen: str = ""


@dataclass
class Run:
    """What running a notebook showed. endings: by the position of the step; a step that is missing was not reached.

    defined: exercises whose names existed at the end;
    exhausted: where the time ran out;  trouble: why it could not go on;
    left_behind: processes that the notebook had started and that were ended with it.
    """

    endings: dict[int, Ending] = field(default_factory=dict)
    defined: frozenset[str] = frozenset()
    exhausted: str = ""
    trouble: str = ""
    output: str = ""
    cut: bool = False
    left_behind: int = 0
    seconds: float = 0.0


class Cancelled(Exception):
    """Grading was broken off (Ctrl+C): the rest need not be run."""


def run(
    steps: Sequence[Step],
    chapter: str,
    exercises: Sequence[str],
    limits: Limits,
    cancelled: Callable[[], bool] = lambda: False,
) -> Run:
    """Run a notebook, again after each hard stop. Raises Cancelled."""
    done = Run()
    started = time.monotonic()
    deadline: float | None = None
    again = True
    while again:
        left = [index for index in range(len(steps)) if _still_to_run(index, steps, done)]
        with Child(steps, left, chapter, exercises) as child:
            watch = Watch(child, steps, limits, done, cancelled)
            if not watch.until_ready():
                break
            deadline = deadline or time.monotonic() + limits.seconds
            again = watch.until_end(deadline)
        done.output, done.cut = child.output(), child.cut
    done.seconds = time.monotonic() - started
    return done


def _still_to_run(index: int, steps: Sequence[Step], done: Run) -> bool:
    """At a second start cells that came to their end run again, for their names; what was stopped or examined not."""
    return index not in done.endings or not (steps[index].exercise or done.endings[index].stopped)


class Child:
    """One start of the process: its folder, its pipes, its end. A context manager; afterwards nothing of it is left."""

    def __init__(self, steps: Sequence[Step], left: Sequence[int], chapter: str, exercises: Sequence[str]) -> None:
        self.token, self._key = secrets.token_hex(16), secrets.token_hex(16)
        self._job = {
            "key": self._key,
            "chapter": chapter,
            "exercises": list(exercises),
            "chapters": list(chapters.__path__),
            "steps": [
                {"index": i, "source": step.source, "defines": sorted(defines(step.source)), "exercise": step.exercise}
                for i, step in enumerate(steps)
                if i in left
            ],
        }
        self.records: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.before_start = ""  # what it said on the channel before it could speak in records
        self.cut = False
        self.known: list[psutil.Process] = []
        self._kept = bytearray()

    def __enter__(self) -> Child:
        self._folder = Path(tempfile.mkdtemp(prefix="mmcourse-grade-")).resolve()
        try:
            self._start()
        except BaseException:
            _remove(self._folder)
            raise
        return self

    def _start(self) -> None:
        work, home = self._folder / "work", self._folder / "home"
        work.mkdir()
        home.mkdir()
        self._job["folder"] = str(self._folder)
        new_group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            new_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-X", "utf8", "-m", "mmcourse.exercises.grading.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=work,
            env=environment(home, self.token),
            **new_group,
        )
        self.root = psutil.Process(self._process.pid)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._drain, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.order(json.dumps(self._job).encode() + b"\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self.root, self.token, self.known)
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(timeout=1.0)  # a process that would not go may hold a pipe open
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not any(reader.is_alive() for reader in self._readers):
                with suppress(OSError):  # a rest that nobody reads any more
                    pipe.close()
        _remove(self._folder)

    def order(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone; watching says so
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def interrupt(self) -> None:
        """KeyboardInterrupt in the child, as the stop button of a notebook gives it."""
        number: int = signal.SIGINT
        if sys.platform == "win32":
            number = signal.CTRL_BREAK_EVENT
        with suppress(OSError):
            self._process.send_signal(number)

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def look_around(self) -> None:
        self.known = family(self.root, self.token)

    def _drain(self, stream: IO[bytes]) -> None:
        while part := os.read(stream.fileno(), 1 << 16):
            room = KEPT_OUTPUT - len(self._kept)
            self._kept += part[:room]
            self.cut = self.cut or len(part) > room

    def _listen(self, stream: IO[bytes]) -> None:
        for line in iter(lambda: stream.readline(LONGEST_RECORD), b""):
            record = _parsed(line)
            if record.get("key") == self._key:
                self.records.put(record)
            elif len(self.before_start) < KEPT_OUTPUT:
                self.before_start += line.decode("utf-8", "replace")
        self.records.put(None)

    def output(self) -> str:
        return self._kept.decode("utf-8", "replace")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def environment(home: Path, token: str) -> dict[str, str]:
    """What the notebook's process sees: paths and threads of this one, homes of its own, no credentials."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    libraries = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    paths = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    paths += [str(ROOT)] if str(ROOT) not in libraries else []  # a checkout that is used without being installed
    return {
        "OMP_NUM_THREADS": "1",
        **passed_on,
        **dict.fromkeys(HOMES, str(home)),
        MARK: token,
        "HF_HUB_OFFLINE": "1",
        "MMCOURSE_STORED": "1",  # silences the bars of `fit` and of lessons, which set tqdm's `disable` themselves
        "MPLBACKEND": "Agg",
        "PIP_DRY_RUN": "1",  # `%pip install` in a notebook does not change the environment of who grades
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUSERBASE": site.getuserbase(),  # which Python else looks for under the new HOME
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TQDM_DISABLE": "1",
    }


class Watch:
    """One start, watched: which step runs since when, what it costs, how it ends."""

    def __init__(
        self, child: Child, steps: Sequence[Step], limits: Limits, done: Run, cancelled: Callable[[], bool]
    ) -> None:
        self._child, self._steps, self._limits, self._done, self._cancelled = child, steps, limits, done, cancelled
        self._step: int | None = None
        self._began = self._looked = 0.0
        self._interrupted: float | None = None
        self._too_slow = ""
        self._before = 0

    def until_ready(self) -> bool:
        """Wait for the official checks to be imported. False, with the trouble noted, where they cannot be."""
        until = time.monotonic() + START
        while time.monotonic() < until:
            record = self._next()
            if record is not None and record.get("event") == "ready":
                self._before = resident([self._child.root])
                self._child.order(b"g")
                return True
            if self._gone(record):
                said = self._child.before_start.strip().splitlines()
                self._done.trouble = f"the grader's own process did not start: {said[-1] if said else 'no message'}"
                return False
        self._done.trouble = f"the grader's own process did not start within {START:.0f} s"
        return False

    def until_end(self, deadline: float) -> bool:
        """Follow the records. True where the notebook is to be started again without the step that was ended."""
        while True:
            record = self._next()
            if record is not None:
                last = self._note(record)
                if last or self._out_of_time(deadline):
                    return False
            elif self._gone(record):
                return self._ended(_farewell(self._child.exit_code()), deadline)
            excess = self._excess_memory()
            if excess:
                return self._ended(excess, deadline)
            if self._will_not_stop(deadline):
                return self._ended(self._too_slow, deadline)

    def _next(self) -> dict[str, Any] | None:
        if self._cancelled():
            raise Cancelled
        try:
            return self._child.records.get(timeout=POLL)
        except queue.Empty:
            return None

    def _gone(self, record: dict[str, Any] | None) -> bool:
        return record is None and self._child.exit_code() is not None and self._child.records.empty()

    def _note(self, record: dict[str, Any]) -> bool:
        """Take in one record; True at the last."""
        event, step = record["event"], record.get("step")
        if event == "begin":
            self._step, self._began, self._interrupted = step, time.monotonic(), None
        elif event == "end":
            self._done.endings[record["step"]] = self._ending(record)
            self._step = None
        elif event == "done":
            self._done.defined = frozenset(record["defined"])
            self._child.look_around()
            self._done.left_behind += len(self._child.known) - 1
        return bool(event == "done")

    def _ending(self, record: dict[str, Any]) -> Ending:
        about = {name: record[name] for name in Ending.__dataclass_fields__ if name in record}
        about |= {name: tuple(about.get(name, ())) for name in ("held", "missing")}
        if self._interrupted is not None:
            return Ending(stopped=self._too_slow, missing=about["missing"])
        return Ending(**about)

    def _out_of_time(self, deadline: float) -> bool:
        """After the end of a step: True, noting where, if the seconds of the notebook are used up."""
        if self._step is None and time.monotonic() > deadline:
            reached = max(self._done.endings, default=0)
            self._done.exhausted = f"the {self._limits.seconds:.3g} s ran out in {self._steps[reached].place}"
        return bool(self._done.exhausted)

    def _will_not_stop(self, deadline: float) -> bool:
        """Interrupt a step that has had its time; True where that did not help."""
        now = time.monotonic()
        if self._interrupted is not None:
            return now > self._interrupted + GRACE
        allowed = min(self._limits.step, deadline - self._began)
        if self._step is not None and now > self._began + allowed:
            self._interrupted = now
            self._too_slow = f"was stopped after {allowed:.3g} s: does a loop never end?"
            self._child.interrupt()
        return False

    def _excess_memory(self) -> str:
        """What to say of a tree that has grown too large, else ""."""
        if time.monotonic() > self._looked + FAMILY:
            self._child.look_around()
            self._looked = time.monotonic()
        limit = self._before + self._limits.memory * 1e6
        tree = self._child.known or [self._child.root]
        if resident(tree) <= limit or proportional(tree) <= limit:
            return ""
        return f"was ended: it took more than {self._limits.memory / 1000:.3g} GB of memory"

    def _ended(self, why: str, deadline: float) -> bool:
        """Note a hard stop of the step that ran; True where a second start can still help."""
        if self._step is None:  # between two steps: as good as never
            self._done.trouble = f"the notebook {why}"
            return False
        missing = tuple(sorted(defines(self._steps[self._step].source)))
        self._done.endings[self._step] = Ending(stopped=why, missing=missing)
        self._step = None
        return not self._out_of_time(deadline)


def _farewell(code: int | None) -> str:
    """Why a process that went by itself has gone."""
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"crashed Python ({name}): a recursion without end, or a fault in compiled code?"
    return f"ended the whole Python process (exit code {code}): `os._exit` has no place in a notebook"


def _remove(folder: Path) -> None:
    """Remove a folder, whatever rights a notebook took away in it."""
    for inside, _, _ in os.walk(folder):
        Path(inside).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)  # what stays is left to the system, which empties its temporary folder

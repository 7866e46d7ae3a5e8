"""The process in which a learner's notebook runs; supervise starts it: `python -P -m mmcourse.exercises.grading.child`.

Standard input brings the job, then a byte to go on. Standard error, moved out of reach before anything else, takes the
records: one line of JSON each, with the key of the job, so that nothing a notebook prints is one. What the notebook
writes to either stream goes to standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from mmcourse.exercises.grading.official import Official

LONGEST_TEXT = 2000  # characters of a message or a counterexample
SEED = 0  # a notebook that is graded twice gets the same points


class Channel:
    """The way to the parent. Everything it needs is kept here, where no patched module reaches it."""

    def __init__(self) -> None:
        self._records, self._orders = os.dup(2), os.dup(0)
        os.dup2(1, 2)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._write, self._read = os.write, os.read
        self.job: dict[str, Any] = json.loads(self._line())
        self._key = self.job["key"]

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            part = self._read(self._orders, 65536)
            if not part:
                raise EOFError("the job ended early")
            line += part
        return line

    def send(self, event: str, **about: Any) -> None:
        left = memoryview((json.dumps({"key": self._key, "event": event, **about}) + "\n").encode())
        while left:
            left = left[self._write(self._records, left) :]

    def wait_to_go_on(self) -> None:
        self._read(self._orders, 1)

    def leave_with_the_parent(self) -> threading.Thread:
        """End this process when the parent is gone, even in an endless loop: then its end of the pipe closes."""
        leave = os._exit

        def watch() -> None:
            while self._read(self._orders, 1):
                pass
            leave(1)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return thread


class Interruption:
    """KeyboardInterrupt only while learners' code runs; anywhere else the signal has come too late and is ignored."""

    def __init__(self) -> None:
        self._open = False
        self._signals = [signal.SIGINT]
        if sys.platform == "win32":
            self._signals.append(signal.SIGBREAK)
        self._set = signal.signal

    def _raise(self, *_: object) -> None:
        if self._open:
            self._open = False
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        for number in self._signals:
            self._set(number, self._raise)  # each time: a notebook may have set its own
        self._open = True

    def __exit__(self, *_: object) -> None:
        self._open = False


def main() -> None:
    channel = Channel()
    job = channel.job
    run = _prepare(job, channel)
    channel.send("ready")
    channel.wait_to_go_on()
    parent = channel.leave_with_the_parent()
    run()
    parent.join()  # until the parent, who looks for processes left behind, ends this one


def _prepare(job: dict[str, Any], channel: Channel) -> Callable[[], None]:
    """Import the official checks and the shell, take the snapshot, close the fence: all before any learner's code."""
    from mmcourse.exercises import chapters, checking
    from mmcourse.exercises.grading.guard import keep_writes_inside
    from mmcourse.exercises.grading.official import Official

    chapters.__path__ = job["chapters"]
    import_module(f"{chapters.__name__}.{job['chapter']}")
    shell = _shell()
    runner = Runner(job, channel, shell, checking.examine, Official())
    keep_writes_inside(Path(job["folder"]))
    return runner.run


def _shell() -> InteractiveShell:
    """IPython without a terminal, a history or a kernel: magics, `display` and `await` work as in a notebook."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        def showtraceback(self, *_: Any, **__: Any) -> None:
            """The error is reported by its sentence; a trace of a deep recursion takes seconds to draw."""

        showsyntaxerror = showtraceback
        showindentationerror = showtraceback

        def enable_gui(self, gui: Any = None) -> None:
            """No windows: `%matplotlib inline` is enough of a wish."""

        def ask_exit(self) -> None:
            raise SystemExit("exit()")

    shell = Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    # IPython looks into the working folder before the libraries: a file that a notebook writes must not shadow one.
    sys.path[:] = [*filter(None, sys.path), ""]
    return shell


class Runner:
    """Runs the steps of a job and says how each ended."""

    def __init__(
        self,
        job: dict[str, Any],
        channel: Channel,
        shell: InteractiveShell,
        examine: Callable[..., Any],
        official: Official,
    ) -> None:
        self._job, self._channel, self._shell, self._examine, self._official = job, channel, shell, examine, official
        self._interruption = Interruption()
        self._own, self._pid, self._leave = os.getpid(), os.getpid, os._exit
        self._streams = (sys.stdout, sys.stderr)

    def run(self) -> None:
        for step in self._job["steps"]:
            self._send("begin", step=step["index"])
            about = self._check(step["exercise"]) if step["exercise"] else self._cell(step)
            if self._pid() != self._own:
                self._leave(0)  # a copy made by os.fork in the cell: it must not run and report the rest as well
            self._flush()
            self._send("end", step=step["index"], **about)
        names = [name for name in self._job["exercises"] if name in self._shell.user_ns]
        self._send("done", defined=names)

    def _cell(self, step: dict[str, Any]) -> dict[str, Any]:
        try:
            with self._interruption:
                result = self._shell.run_cell(step["source"], store_history=False)
            error = _first_error(result)
        except BaseException as raised:  # what is raised between the lines of IPython, an interrupt above all
            error = _words(raised)
        if not error:
            return {}
        return {"error": error, "missing": [name for name in step["defines"] if name not in self._shell.user_ns]}

    def _check(self, exercise: str) -> dict[str, Any]:
        """Examine an answer: official state around official code."""
        if exercise not in self._shell.user_ns:
            return {"undefined": True}
        answer = self._shell.user_ns[exercise]
        with self._official.restored():
            try:
                with self._interruption:
                    verdict = self._examine(f"{self._job['chapter']}/{exercise}", answer, seed=SEED)
            except BaseException as error:  # examine catches what answers raise: a stop, or a fault of the check
                return {"error": _words(error)}
            broken = verdict.broken
            return {
                "passed": broken is None,
                "held": list(verdict.held),
                "sentence": _clip(verdict.sentence()),
                "law": _clip(broken.states) if broken else "",
                "hint": _clip(broken.hint) if broken else "",
                "seen": _clip(broken.seen) if broken else "",
            }

    def _send(self, event: str, **about: Any) -> None:
        with self._official.restored():
            self._channel.send(event, **about)

    def _flush(self) -> None:
        for stream in self._streams:
            with suppress(OSError, ValueError):  # the notebook may have closed it
                stream.flush()


def _first_error(result: ExecutionResult) -> str:
    error = result.error_before_exec or result.error_in_exec
    return "" if error is None else _words(error)


def _words(error: BaseException) -> str:
    name = type(error).__name__
    try:
        message = str(error).strip()
        file = (error.filename or "") if isinstance(error, SyntaxError) else ""
        if isinstance(error, SyntaxError) and error.text and file.startswith("<"):
            # The number counts lines of the cell, but not where eval or a %%magic was given the text.
            place = f" in line {error.lineno}" if file.startswith("<ipython") else ""
            name = f"{'an' if name[0] in 'AEIOU' else 'a'} {name}{place}"
            message = f"{error.msg}; the line is `{error.text.strip()}`"
    except Exception:  # a learner's exception may fail to say what it is
        message = ""
    return _clip(f"{name}: {message}" if message else name)


def _clip(text: str) -> str:
    text = str(text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 2] + " …"


if __name__ == "__main__":
    main()

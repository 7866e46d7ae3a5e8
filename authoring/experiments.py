"""Sweeps too long for a lesson: `python -m authoring.experiments [name …]` runs experiments/NAME.py, stores NAME.json.

A script defines `CONFIG` (a dict), `points(CONFIG)` (a list of dicts, one for each run) and `run(point, CONFIG)` (a
dict of numbers). An interrupted experiment goes on where it stopped: finished points wait in NAME.json.part.

Results are computed again when their script changed. When only the package changed they stay, and one line says so: the
lesson that reads them computes one point live, which guards them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

from authoring.environment import kernel_environment
from authoring.files import write_atomically
from authoring.fingerprint import changed_files, file_hashes

Results = dict[str, Any]
BETWEEN_KEEPING = 5.0  # seconds; an experiment of a thousand short points would else spend its time writing
REPORTED = ("numpy", "torch", "tensorflow-cpu", "keras", "scikit-learn")


class ExperimentError(Exception):
    """An experiment that cannot run; the message names its script and the point."""


def experiment_names(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "experiments").glob("*.py"))


def results_path(root: Path, name: str) -> Path:
    return root / "experiments" / f"{name}.json"


def script_path(root: Path, name: str) -> Path:
    return root / "experiments" / f"{name}.py"


def load(root: Path, name: str) -> ModuleType:
    """The script as a module. Raises ExperimentError where a part of it is missing."""
    specification = importlib.util.spec_from_file_location(f"experiment_{name}", script_path(root, name))
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for part in ("CONFIG", "points", "run"):
        if not hasattr(module, part):
            raise ExperimentError(f"experiments/{name}.py defines no {part}")
    return module


@contextmanager
def told(root: Path, name: str, where: str) -> Iterator[None]:
    """An exception of the script as ExperimentError: its line in the script, the point, what it says."""
    try:
        yield
    except ExperimentError:
        raise
    except Exception as error:
        path = script_path(root, name)
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = lines[-1] if lines else getattr(error, "lineno", None)  # of a script that is no Python
        raise ExperimentError(f"experiments/{name}.py:{line}, {where}: {type(error).__name__}: {error}") from None


def plan(root: Path, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Configuration and points as JSON keeps them."""
    with told(root, name, "before the first point"):
        script = load(root, name)
        return json.loads(json.dumps([script.CONFIG, script.points(script.CONFIG)]))


def run_point(root: Path, name: str, settings: dict[str, Any]) -> tuple[dict[str, Any], float, list[str]]:
    """One point's record, its processor seconds and the modules of the repository that it used."""
    with told(root, name, f"at {settings}"):
        script = load(root, name)
        begun = time.process_time()
        result = script.run(settings, json.loads(json.dumps(script.CONFIG)))
        seconds = time.process_time() - begun
    numbers = {key: as_number(value, f"experiments/{name}.py at {settings}: {key}") for key, value in result.items()}
    if settings.keys() & numbers.keys():
        raise ExperimentError(
            f"experiments/{name}.py: settings and result both name {settings.keys() & numbers.keys()}"
        )
    return {"settings": settings, "result": numbers}, seconds, package_modules(root)


def package_modules(root: Path) -> list[str]:
    """The files of mmcourse with code that this process has imported, relative to the root."""
    loaded = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "mmcourse"]
    return [
        Path(file).resolve().relative_to(root.resolve()).as_posix() for file in loaded if file and not only_names(file)
    ]


def as_number(value: Any, what: str) -> float | int:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not math.isfinite(plain):
        raise ExperimentError(f"{what}: got {plain!r}, wanted a finite number")
    return plain


def script_hash(root: Path, name: str) -> str:
    """Hash of the script, comments, blank lines and docstrings left out."""
    [(_, script)] = file_hashes(root, [f"experiments/{name}.py"]).items()
    return script


def is_current(root: Path, name: str, results: Results) -> bool:
    """Whether stored results (whole or partial) are those of the script as it is now."""
    return results["script"] == script_hash(root, name)


def changed_modules(root: Path, results: Results) -> list[str]:
    """The files of the package that the results rest on and that are others now."""
    return [file for file in changed_files(root, results["modules"]) if not only_names(file)]


def only_names(file: str) -> bool:
    """Whether a file of the package only says where its names are: a new name changes no result."""
    return Path(file).name == "__init__.py"


def read_results(path: Path) -> Results | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def to_text(results: Results) -> str:
    """The text of NAME.json: one line for each point, so that a changed point is a changed line."""
    head = json.dumps({key: value for key, value in results.items() if key != "points"}, indent=1)
    points = ",\n".join(f"  {json.dumps(point)}" for point in results["points"])
    return f'{head.removesuffix(chr(10) + "}")},\n "points": [\n{points}\n ]\n}}\n'


def versions() -> dict[str, str]:
    installed = {distribution.name.lower() for distribution in metadata.distributions() if distribution.name}
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in REPORTED if name in installed
    }


def run_experiment(root: Path, name: str, jobs: int = 1) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Compute the missing points and store all; yields ("3/40", record, seconds) for each. Raises ExperimentError."""
    target = results_path(root, name)
    partial = target.with_name(f"{name}.json.part")
    os.environ.update(kernel_environment(root))  # inherited by the processes that compute
    # Fresh processes, so that the modules which an experiment loads are known and nothing leaks from one to the next.
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn")) as pool:
        config, points = pool.submit(plan, root, name).result()
        if not points or len({identity(point) for point in points}) < len(points):
            raise ExperimentError(f"experiments/{name}.py: points(CONFIG) is empty or names one point twice")
        results = read_results(partial)
        if results is None or not is_current(root, name, results) or changed_modules(root, results):
            results = {"cpu_seconds": 0, "modules": {}, "points": []}
        done = {identity(record["settings"]): record for record in results["points"]}
        modules, spent, kept_at = set(results["modules"]), results["cpu_seconds"], time.monotonic()
        todo = [point for point in points if identity(point) not in done]
        running: set[Future[tuple[dict[str, Any], float, list[str]]]] = set()

        def keep() -> None:
            made = {
                "config": config,
                "script": script_hash(root, name),
                "modules": file_hashes(root, modules),
                "versions": versions(),
                "cpu_seconds": round(spent, 3),
                "points": [done[identity(point)] for point in points if identity(point) in done],
            }
            write_atomically(partial, to_text(made))

        try:
            while todo or running:
                while todo and len(running) < jobs:
                    running.add(pool.submit(run_point, root, name, todo.pop(0)))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for record, seconds, loaded in (future.result() for future in finished):
                    done[identity(record["settings"])] = record
                    modules.update(loaded)
                    spent += seconds
                    yield f"{len(done)}/{len(points)}", record, seconds
                if time.monotonic() - kept_at > BETWEEN_KEEPING:
                    keep()
                    kept_at = time.monotonic()
        finally:
            if done:
                keep()
    partial.replace(target)


def identity(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)


def said_of_modules(name: str, changed: list[str]) -> str:
    again = f'; `make experiments ARGS="{name} --force"` computes again'
    return f"{', '.join(changed)} changed since{again}" if changed else "up to date"


def main(root: Path, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make experiments", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("names", nargs="*", help="experiments; all where none is named")
    parser.add_argument("--jobs", type=int, default=1, help="points at a time (1)")
    parser.add_argument("--force", action="store_true", help="compute again what did not change")
    options = parser.parse_args(arguments)
    known = experiment_names(root)
    for name in options.names:
        if name not in known:
            parser.error(f"there is no experiment {name!r}; there are: {', '.join(known) or 'none'}")
    for name in options.names or known:
        stored = read_results(results_path(root, name))
        if stored and is_current(root, name, stored) and not options.force:
            print(f"{name}: {said_of_modules(name, changed_modules(root, stored))}", flush=True)
            continue
        try:
            for count, record, seconds in run_experiment(root, name, options.jobs):
                numbers = " ".join(f"{key}={value:.4g}" for key, value in record["result"].items())
                settings = " ".join(f"{key}={value}" for key, value in record["settings"].items())
                print(f"{name} [{count}]: {settings} -> {numbers} ({seconds:.2g} s)", flush=True)
        except (ExperimentError, BrokenProcessPool) as error:
            killed = "a process that computed a point was killed (out of memory?)"
            said = error if isinstance(error, ExperimentError) else f"experiments/{name}.py: {killed}"
            print(f"make experiments: {said}. Finished points are kept; the same command goes on.", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"{name}: stopped; finished points are kept, the same command goes on", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], sys.argv[1:]))

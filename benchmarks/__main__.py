"""`python -m benchmarks [NAME ...]`: run all cases, or those of the named files, and report ratios."""

import argparse
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results.json"


def use_one_thread() -> None:
    """Tell every library that is loaded from now on; a case with more asks PyTorch for them. All compare on the CPU."""
    for library in ("OMP_NUM", "MKL_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ[f"{library}_THREADS"] = "1"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def discover(names: list[str]) -> Iterator[Any]:
    """Yield the cases of the named files, of all without names; a file has cases if it has a function of that name."""
    found = {
        module.name: import_module(f"benchmarks.{module.name}")
        for module in iter_modules([str(FOLDER)])
        if module.name[0] != "_"
    }
    files = {name: module.cases for name, module in found.items() if hasattr(module, "cases")}
    if unknown := sorted(set(names) - set(files)):
        raise SystemExit(f"{', '.join(unknown)}: no such file of cases; there is {', '.join(files)}")
    for name in names or files:
        yield from files[name]()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ratios of speed and memory against peers."
    )
    parser.add_argument("names", nargs="*", help="files of cases, all if none is named")
    parser.add_argument("--rounds", type=int, default=11, help="interleaved timings of each side, at least 7")
    options = parser.parse_args()
    if options.rounds < 7:
        parser.error("--rounds: a median wants at least 7")
    use_one_thread()

    from benchmarks import report, runner  # NumPy reads the number of threads when it is loaded

    results = []
    for case in discover(options.names):
        results.append(runner.run(case, options.rounds))
        print(report.line(results[-1]), flush=True)
    print(f"\nMedian of {options.rounds} interleaved rounds; CPU time with one thread, wall time with several.\n")
    print(report.table(results))
    if options.names:
        print("\nNot all files were run: benchmarks/results.json stays as it is.")
    else:
        report.write(RESULTS, results, rounds=options.rounds)


if __name__ == "__main__":
    main()

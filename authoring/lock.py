"""Make the lock files from pyproject.toml: `python -m authoring.lock [--upgrade]`.

Pins that still fit stay as they are, so that a new requirement moves nothing else; with --upgrade all are drawn anew.

`requirements.lock` pins everything, `requirements-book.lock` the part that rendering the book needs; the second is
resolved under the first, so that one environment can serve both. The pins are universal: markers in the file choose
between platforms and Python versions.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from authoring.files import write_atomically

HEADER = "# Exact pins, made from pyproject.toml by `make lock`. Do not edit.\n"
# torch itself pins the CUDA packages of its own build exactly, and its CPU build has none: they stay out of the lock.
CUDA_PACKAGE = re.compile(r"^(cuda|nvidia|triton)(-[a-z0-9-]+)?==")


def compile_pins(requirements: list[str], python: str, before: str = "", constraint: Path | None = None) -> str:
    """Resolve requirements to exact pins for every supported platform and Python; returns the lock's lines.

    before: text of an earlier lock, whose pins are kept where they still fit
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--python-version", python]
    command += ["--no-header", "--no-annotate", "--quiet"]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text(before, encoding="utf-8")
        command += ["--output-file", str(pins)]
        done = subprocess.run(command, input="\n".join(requirements), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"make lock: the requirements of pyproject.toml do not resolve:\n{done.stderr.strip()}")
        lines = pins.read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if not CUDA_PACKAGE.match(line))


def main(root: Path, upgrade: bool = False) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    oldest = re.search(r">=\s*([\d.]+)", project["requires-python"])
    if oldest is None:
        raise SystemExit("make lock: requires-python of pyproject.toml names no oldest version (>=)")
    everything = project["dependencies"] + [line for extra in extras.values() for line in extra]
    full = root / "requirements.lock"
    before = "" if upgrade or not full.is_file() else full.read_text(encoding="utf-8")
    write_atomically(full, HEADER + compile_pins(everything, oldest[1], before))
    reading = compile_pins(extras["book"], oldest[1], constraint=full)
    write_atomically(root / "requirements-book.lock", HEADER + reading)


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[1], upgrade="--upgrade" in sys.argv[1:])

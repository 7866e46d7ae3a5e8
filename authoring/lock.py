"""Make the lock files from pyproject.toml: `python -m authoring.lock`.

`requirements.lock` pins everything, `requirements-book.lock` the part that rendering the book needs; the second is
resolved under the first, so that one environment can serve both. The pins are universal: markers in the file choose
between platforms and Python versions.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from authoring.files import write_atomically

HEADER = "# Exact pins, made from pyproject.toml by `make lock`. Do not edit.\n"
# torch itself pins the CUDA packages of its own build exactly, and its CPU build has none: they stay out of the lock.
CUDA_PACKAGE = re.compile(r"^(cuda|nvidia|triton)(-[a-z0-9-]+)?==")


def compile_pins(requirements: list[str], python: str, constraint: Path | None = None) -> str:
    """Resolve requirements to exact pins for every supported platform and Python; returns the lock's lines."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--python-version", python]
    command += ["--no-header", "--no-annotate", "--quiet"]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    done = subprocess.run(command, input="\n".join(requirements), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"make lock: the requirements of pyproject.toml do not resolve:\n{done.stderr.strip()}")
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if not CUDA_PACKAGE.match(line))


def main(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    oldest = re.search(r">=\s*([\d.]+)", project["requires-python"])
    if oldest is None:
        raise SystemExit("make lock: requires-python of pyproject.toml names no oldest version (>=)")
    everything = project["dependencies"] + [line for extra in extras.values() for line in extra]
    full = root / "requirements.lock"
    write_atomically(full, HEADER + compile_pins(everything, oldest[1]))
    write_atomically(root / "requirements-book.lock", HEADER + compile_pins(extras["book"], oldest[1], full))


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[1])

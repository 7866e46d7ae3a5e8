"""Make an installed mmcourse complete on Colab: `python -m mmcourse.colab [extra …]`, the second line of every lesson.

The package itself came with `--no-deps`. What its metadata names and the machine lacks is installed here, while the
frameworks that the machine has stay exactly as they are, GPU builds included.
"""

import json
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

KEPT = ("keras", "numpy", "tensorflow", "tensorflow-cpu", "torch")


def present(names: tuple[str, ...] = KEPT) -> list[str]:
    """Constraints that hold each installed package of `names` at its version: `torch==2.9.0+cu126`."""
    held = []
    for name in names:
        try:
            held.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return held


def complete(extras: list[str]) -> str:
    """Install what mmcourse and the named extras lack; returns one line that says what was done.

    Raises SystemExit with pip's reason where a requirement cannot be met beside the frameworks of this machine.
    """
    wanted = f"mmcourse[{','.join(extras)}]" if extras else "mmcourse"
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder, "present.txt"), Path(folder, "report.json")
        constraints.write_text("\n".join(present()), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--constraint", str(constraints)]
        done = subprocess.run([*command, "--report", str(report), wanted], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise SystemExit(f"mmcourse: {wanted} cannot be completed beside {', '.join(present())}:\n{reason}")
        added = [item["metadata"] for item in json.loads(report.read_text(encoding="utf-8"))["install"]]
    if not added:
        return "mmcourse: ready, nothing was missing"
    return "mmcourse: ready, added " + ", ".join(f"{item['name']} {item['version']}" for item in added)


if __name__ == "__main__":
    print(complete(sys.argv[1:]))

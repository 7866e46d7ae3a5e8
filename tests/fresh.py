"""A fresh interpreter, for what depends on what was imported before: who loads what, and what works without it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "tensorflow", "keras", "matplotlib", "librosa")  # what no formula and no `import mmcourse` loads
# Before the code: modules that cannot be imported, as where they are not installed.
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Block())
"""
# After the code: nothing heavy is there.
NOTHING_HEAVY = f"""
import sys
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert not loaded, loaded
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in the root of the repository."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def succeed(code: str) -> None:
    done = run(code)
    assert done.returncode == 0, done.stderr

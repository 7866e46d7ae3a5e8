"""What a notebook needs beside science: seeds and threads, figures with alternative text, claims, stored experiments.

While outputs are stored or compared (MMCOURSE_STORED=1) a claim that does not hold stops the run. Live, where readers
change what they like, it says so and goes on, and every claim adds our number to the reader's.
"""

import io
import json
import math
import os
import random
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

T = TypeVar("T")

CLAIM_TYPE = "application/vnd.mmcourse.claim+json"
EXACT_TYPE = "application/vnd.mmcourse.exact+json"
LESSON_NAME = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*")
KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LARGEST_FIGURE = 100_000  # bytes
# A background of its own keeps a figure readable on a dark page; colours by Okabe and Ito (2008), told apart by
# colour-blind readers.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
STYLE: dict[Any, Any] = {
    "axes.facecolor": "#fdfdfb",
    "axes.prop_cycle": f"cycler('color', {COLOURS})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "figure.facecolor": "#fdfdfb",
    "figure.figsize": (7.0, 4.0),
    "font.size": 12.0,
    "legend.frameon": False,
    "legend.fontsize": 11.0,
    "savefig.facecolor": "auto",
    "xtick.labelsize": 11.0,
    "ytick.labelsize": 11.0,
}

_lesson: str | None = None


class ClaimError(AssertionError):
    """A claim of a lesson that does not hold in this run."""


def stored() -> bool:
    """True while a run's outputs are kept or compared, so that nothing may print what differs between machines."""
    return bool(os.environ.get("MMCOURSE_STORED"))


def setup(lesson: str, seed: int = 0) -> None:
    """Prepare a lesson, once, after its imports: seeds, one thread, the figures' style.

    lesson: "chapter/lesson". Seeds Python and those of NumPy, PyTorch and Keras that are loaded. Raises ValueError.
    """
    global _lesson
    if not LESSON_NAME.fullmatch(lesson):
        raise ValueError(f'setup: lesson: got {lesson!r}, wanted "chapter/lesson" in small letters, digits and _')
    _lesson = lesson
    for name in THREADS:
        os.environ.setdefault(name, "1")
    _seed(seed)
    _style()
    if os.environ.get("MMCOURSE_REPORT"):
        from mmcourse.recording import record

        record(Path(os.environ["MMCOURSE_REPORT"]))


def _seed(seed: int) -> None:
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
        sys.modules["torch"].set_num_threads(1)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)


def _style() -> None:
    import matplotlib

    matplotlib.rcParams.update(STYLE)


def _current_lesson() -> str:
    if _lesson is None:
        raise RuntimeError('call setup("chapter/lesson") first')
    return _lesson


def _check_key(key: str) -> None:
    if not KEY.fullmatch(key):
        raise ValueError(f"key: got {key!r}, wanted small letters and digits joined by hyphens")


def _display(data: dict[str, Any], about: dict[str, Any] | None = None) -> None:
    from IPython.display import display

    display(data, metadata=about or {}, raw=True)


def figure(fig: "Figure", name: str, *, caption: str, alt: str) -> None:
    """Show a Matplotlib figure and close it; the book finds it by `name`.

    caption: what to see in it, CommonMark with $-math;  alt: the figure in words, for those who cannot see it.
    Raises ValueError for an empty caption or alt, a bad name, or an image over 100 kB.
    """
    import matplotlib.pyplot as plt

    _check_key(name)
    for field, text in (("caption", caption), ("alt", alt)):
        if not text.strip():
            raise ValueError(f"figure {name}: {field} is empty; say in words what the figure shows")
    image = io.BytesIO()
    fig.savefig(image, format="png", dpi=100, metadata={"Software": None})  # no version: the same bytes for all
    plt.close(fig)
    if image.tell() > LARGEST_FIGURE:
        raise ValueError(
            f"figure {name}: {image.tell() / 1000:.0f} kB, wanted at most {LARGEST_FIGURE // 1000} kB; "
            "make it smaller or draw fewer points"
        )
    about = {"mmcourse": {"figure": name, "caption": caption.strip(), "alt": alt.strip()}}
    _display({"image/png": image.getvalue(), "text/plain": f"Figure: {alt.strip()}"}, about)


def claim(
    quantity: str,
    value: SupportsFloat,
    *,
    key: str,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> None:
    """Show a number that differs a little between machines, and hold it to its bounds.

    quantity: what is measured, in words that a number can follow: "mean gain of the sum over its better half"
    Prints "✓ quantity: 0.109 (bound: at least 0.08)". Stores {key, quantity, value, at_least, at_most, unit} for the
    book. Live, adds our number; one that does not hold prints "✗ …" and goes on, since readers change what they like.
    Raises ClaimError in a stored run where the bound does not hold or the value is NaN.
    """
    lesson = _current_lesson()
    _check_key(key)
    if at_least is None and at_most is None:
        raise ValueError(f"claim {key}: give at_least, at_most or both")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise ValueError(f"claim {key}: at_least {at_least} and at_most {at_most} exclude each other")
    number = float(f"{_number(f'claim {key}', value):.6g}")
    bound = f"bound: {_bound(at_least, at_most)} {unit}".rstrip()
    holds = (
        math.isfinite(number) and (at_least is None or number >= at_least) and (at_most is None or number <= at_most)
    )
    said = f"{quantity}: {number:.3g} {unit}".rstrip()
    if stored() and not holds:
        raise ClaimError(f"does not hold: {said} ({bound})")
    ours = "" if stored() else _ours(lesson, key)
    shown = f"{'✓' if holds else '✗'} {said} ({bound}{ours})" + ("" if holds else ": does not hold in this run")
    record = {
        "key": key, "quantity": quantity, "value": number, "at_least": at_least, "at_most": at_most, "unit": unit,
    }  # fmt: skip
    _display({"text/plain": shown, CLAIM_TYPE: record})


def _bound(at_least: float | None, at_most: float | None) -> str:
    if at_least is not None and at_most is not None:
        return f"from {at_least:.3g} to {at_most:.3g}"
    return f"at least {at_least:.3g}" if at_least is not None else f"at most {at_most:.3g}"


def _ours(lesson: str, key: str) -> str:
    """The number of the run that the book shows."""
    path = Path(__file__).with_name("claims.json")
    ours = json.loads(path.read_text(encoding="utf-8")).get(lesson, {}) if path.is_file() else {}
    return f"; ours {ours[key]:.3g}" if key in ours else ""


def exact(text: str, number: SupportsFloat, *, key: str) -> None:
    """Print and store a number that no training made, so that it is the same on every machine.

    text: words with one place for the number, "the cosine is {:.3f}"
    Raises ValueError for a text without just one place, and for what is not one finite number.
    """
    _current_lesson()
    _check_key(key)
    if not isinstance(text, str) or sum(field is not None for _, field, _, _ in Formatter().parse(text)) != 1:
        raise ValueError(f'exact {key}: text: got {text!r}, wanted words with one place, "the cosine is {{:.3f}}"')
    value = _number(f"exact {key}", number)
    if not math.isfinite(value):
        raise ValueError(f"exact {key}: got {value}, wanted a finite number")
    _display({"text/plain": text.format(value), EXACT_TYPE: {"key": key, "value": value, "text": text}})


def _number(what: str, value: SupportsFloat) -> float:
    shape = getattr(value, "shape", ())
    if isinstance(value, str) or shape != ():
        got = f"an array of shape {tuple(shape)}" if shape else repr(value)
        raise ValueError(f"{what}: got {got}, wanted one number")
    return float(value)


def progress(iterable: Iterable[T], **options: Any) -> Iterator[T]:
    """A tqdm bar, silent while outputs are stored (a stored bar is a dead one)."""
    from tqdm import tqdm

    yield from tqdm(iterable, **{"disable": stored(), **options})


class Results(list[dict[str, Any]]):
    """The stored runs of an experiment, each a dictionary of its settings and its numbers."""

    def values(self, key: str, **settings: Any) -> "NDArray[Any]":
        """One number of every run with these settings, in the order in which they were run.

        Raises KeyError for a setting that no run has and for a number that these runs lack, listing what there is.
        """
        import numpy as np

        runs = [run for run in self if settings.items() <= run.items()]
        if not runs:
            there = {name: sorted({str(run[name]) for run in self if name in run}) for name in settings}
            raise KeyError(f"no run with {settings}; there is {there}")
        if any(key not in run for run in runs):
            raise KeyError(f"no number {key!r} in runs with {settings}; there is {', '.join(runs[0])}")
        return np.array([run[key] for run in runs])


def experiment(name: str) -> Results:
    """The stored results of `experiments/<name>.py`: one record a point, its settings and its numbers together.

    Read from the repository, else from the installed package. Raises FileNotFoundError.
    """
    results = json.loads(_experiment_file(name).read_text(encoding="utf-8"))
    return Results(point["settings"] | point["result"] for point in results["points"])


def _experiment_file(name: str) -> Path:
    here = Path(__file__).resolve().parents[1] / "experiments" / f"{name}.json"
    if here.is_file():
        return here
    # Installed: a wheel carries the results as data files (pyproject.toml), and its record says where they went.
    for distribution in metadata.distributions(name="mmcourse"):
        for file in distribution.files or []:
            if file.match(f"mmcourse/experiments/{name}.json"):
                return Path(str(file.locate()))
    known = sorted(path.stem for path in here.parent.glob("*.json"))
    there = f" Stored are: {', '.join(known)}." if known else ""
    raise FileNotFoundError(
        f"experiment {name!r} has no stored results; `make experiments` computes experiments/{name}.py.{there}"
    )

"""What a notebook has from mmcourse.lesson: claims that fail, figures that are described, numbers that are stored."""

from __future__ import annotations

import io
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from mmcourse import lesson
from mmcourse.lesson import CLAIM_TYPE, EXACT_TYPE, ClaimError, claim, exact, figure, progress, setup


@pytest.fixture(autouse=True)
def _stored_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of a stored run; settings and seeds of the process are as before afterwards."""
    InteractiveShell.instance()
    monkeypatch.setenv("MMCOURSE_STORED", "1")
    monkeypatch.delenv("MMCOURSE_REPORT", raising=False)
    monkeypatch.setattr(lesson, "_lesson", "fusion/weighted_sum")
    environment, state = dict(os.environ), random.getstate()
    with mpl.rc_context():
        yield
    random.setstate(state)
    os.environ.clear()
    os.environ.update(environment)


def shown(show: Callable[[], None]) -> list[Any]:
    with capture_output() as captured:
        show()
    return captured.outputs


# -------------------------------------------------------------------------------------------------------- claims


def test_a_claim_prints_number_and_bound_and_stores_them() -> None:
    (output,) = shown(
        lambda: claim("gain over the best", np.float32(0.2134567), at_least=0.15, key="gain", unit="points")
    )
    assert output.data["text/plain"] == "✓ gain over the best: 0.213 points (bound: at least 0.15 points)"
    assert output.data[CLAIM_TYPE] == {
        "key": "gain",
        "quantity": "gain over the best",
        "value": 0.213457,
        "at_least": 0.15,
        "at_most": None,
        "unit": "points",
    }


def test_a_claim_with_two_bounds() -> None:
    (output,) = shown(lambda: claim("error", 0.5, at_least=0.4, at_most=0.6, key="error"))
    assert output.data["text/plain"] == "✓ error: 0.5 (bound: from 0.4 to 0.6)"


BROKEN = pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (0.1, {"at_least": 0.15}),
        (0.7, {"at_most": 0.6}),
        (0.7, {"at_least": 0.4, "at_most": 0.6}),
        (float("nan"), {"at_least": 0.15}),
        (float("nan"), {"at_most": 0.6}),
        (float("inf"), {"at_least": 0.15}),
    ],
)


@BROKEN
def test_a_claim_that_does_not_hold_fails_a_stored_run_and_shows_nothing(
    value: float, bounds: dict[str, float]
) -> None:
    def attempt() -> None:
        with pytest.raises(ClaimError, match=rf"does not hold: gain: {value:g} \(bound: .*\)$"):
            claim("gain", value, key="gain", **bounds)

    assert shown(attempt) == []


@BROKEN
def test_live_a_claim_that_does_not_hold_says_so_and_the_run_goes_on(
    value: float, bounds: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MMCOURSE_STORED")
    (output,) = shown(lambda: claim("gain", value, key="new-key", **bounds))
    assert re.fullmatch(rf"✗ gain: {value:g} \(bound: .*\): does not hold in this run", output.data["text/plain"])


def test_a_claim_needs_a_bound_a_key_and_a_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="give at_least, at_most or both"):
        claim("x", 1, key="x")
    with pytest.raises(ValueError, match="key: got 'A key'"):
        claim("x", 1, at_least=0, key="A key")
    with pytest.raises(ValueError, match="at_least 2 and at_most 1 exclude each other"):
        claim("x", 1, at_least=2, at_most=1, key="x")
    with pytest.raises(ValueError, match=r"claim x: got an array of shape \(2,\), wanted one number"):
        claim("x", np.ones(2), at_least=2, key="x")
    monkeypatch.setattr(lesson, "_lesson", None)
    with pytest.raises(RuntimeError, match="call setup"):
        claim("x", 1, at_least=0, key="x")


def test_live_a_claim_adds_our_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MMCOURSE_STORED")
    monkeypatch.setattr(lesson, "__file__", str(tmp_path / "lesson.py"))
    (tmp_path / "claims.json").write_text(json.dumps({"fusion/weighted_sum": {"gain": 0.2081}}), encoding="utf-8")
    (known,) = shown(lambda: claim("gain", 0.2134, at_least=0.15, key="gain"))
    assert known.data["text/plain"] == "✓ gain: 0.213 (bound: at least 0.15; ours 0.208)"
    (new,) = shown(lambda: claim("gain", 0.2134, at_least=0.15, key="new"))
    assert new.data["text/plain"] == "✓ gain: 0.213 (bound: at least 0.15)"


# --------------------------------------------------------------------------------------------------- experiments


def test_numbers_of_an_experiment_are_asked_for_by_their_settings() -> None:
    runs = lesson.Results([{"sweep": "a", "seed": s, "accuracy": 0.5 + s} for s in range(3)] + [{"sweep": "b", "x": 1}])
    np.testing.assert_array_equal(runs.values("accuracy", sweep="a"), [0.5, 1.5, 2.5])
    np.testing.assert_array_equal(runs.values("accuracy", sweep="a", seed=1), [1.5])
    with pytest.raises(KeyError, match=r"no run with \{'sweep': 'c'\}; there is \{'sweep': \['a', 'b'\]\}"):
        runs.values("accuracy", sweep="c")
    with pytest.raises(KeyError, match=r"no number 'acc' in runs with .*; there is sweep, seed, accuracy"):
        runs.values("acc", sweep="a")


def test_an_unknown_experiment_is_named_beside_those_there_are() -> None:
    with pytest.raises(FileNotFoundError, match=r"'no_such' has no stored results.*Stored are: .*fusion_weighted_sum"):
        lesson.experiment("no_such")


def test_exact_prints_and_stores() -> None:
    (output,) = shown(lambda: exact("the cosine is {:.3f}", np.float64(0.94868), key="cosine"))
    assert output.data["text/plain"] == "the cosine is 0.949"
    assert output.data[EXACT_TYPE] == {"key": "cosine", "value": 0.94868, "text": "the cosine is {:.3f}"}


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        ("{}", float("nan"), "exact cosine: got nan, wanted a finite number"),
        ("{}", np.ones((1, 2)), r"exact cosine: got an array of shape \(1, 2\), wanted one number"),
        ("the cosine", 0.5, "exact cosine: text: got 'the cosine', wanted words with one place"),
        ("{} and {}", 0.5, "wanted words with one place"),
        (0.5, "the cosine is {}", "exact cosine: text: got 0.5, wanted words"),
        ("{}", "0.5", "exact cosine: got '0.5', wanted one number"),
    ],
)
def test_exact_refuses_what_is_no_number_in_a_text(text: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exact(text, value, key="cosine")


# ------------------------------------------------------------------------------------------------------- figures


def drawing(side: float = 3.0, noise: int = 0) -> plt.Figure:
    fig, axis = plt.subplots(figsize=(side, side))
    axis.plot([1, 2])
    if noise:
        axis.imshow(np.random.default_rng(0).random((noise, noise)))
    return fig


def test_a_figure_is_a_png_with_words_for_all_readers() -> None:
    fig = drawing()
    (output,) = shown(lambda: figure(fig, "norm-ratio", caption=" What to *see*. ", alt="A rising line."))
    assert output.metadata == {
        "mmcourse": {"figure": "norm-ratio", "caption": "What to *see*.", "alt": "A rising line."}
    }
    assert output.data["text/plain"] == "Figure: A rising line."
    image = Image.open(io.BytesIO(output.data["image/png"]))
    assert image.size == (300, 300)
    assert "Software" not in image.info
    assert not plt.fignum_exists(fig.number), "an open figure would be shown twice"


@pytest.mark.parametrize(
    ("name", "caption", "alt", "message"),
    [
        ("norm-ratio", "See.", "", "norm-ratio: alt is empty"),
        ("norm-ratio", "See.", " \n", "norm-ratio: alt is empty"),
        ("norm-ratio", "", "A line.", "norm-ratio: caption is empty"),
        ("norm ratio", "See.", "A line.", "key: got 'norm ratio'"),
    ],
)
def test_a_figure_without_words_is_refused(name: str, caption: str, alt: str, message: str) -> None:
    fig = drawing()
    with pytest.raises(ValueError, match=message):
        figure(fig, name, caption=caption, alt=alt)
    plt.close(fig)


def test_a_figure_over_100_kb_is_refused() -> None:
    with pytest.raises(ValueError, match=r"figure noise: \d+ kB, wanted at most 100 kB"):
        figure(drawing(9.0, 900), "noise", caption="See.", alt="Noise.")


# --------------------------------------------------------------------------------------------------------- setup


@pytest.mark.parametrize("name", ["weighted_sum", "Fusion/weighted_sum", "fusion/weighted-sum", "a/b/c", ""])
def test_setup_refuses_what_names_no_lesson(name: str) -> None:
    with pytest.raises(ValueError, match=r'setup: lesson: got .*, wanted "chapter/lesson"'):
        setup(name)


def test_setup_seeds_what_is_loaded_and_keeps_one_thread() -> None:
    torch = pytest.importorskip("torch")
    drawn = []
    for _ in range(2):
        setup("fusion/weighted_sum", seed=3)
        drawn.append((random.random(), np.random.random(), torch.rand(()).item()))  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert torch.get_num_threads() == 1
    assert os.environ["OMP_NUM_THREADS"]


def test_figures_have_readable_letters_and_a_background_of_their_own() -> None:
    setup("fusion/weighted_sum")
    sizes = [mpl.rcParams[name] for name in ("font.size", "legend.fontsize", "xtick.labelsize", "ytick.labelsize")]
    assert min(sizes) >= 11
    assert sum(mpl.colors.to_rgb(mpl.rcParams["figure.facecolor"])) > 2.9
    assert len(set(mpl.rcParams["axes.prop_cycle"].by_key()["color"])) >= 7


def test_progress_is_silent_in_a_stored_run_and_only_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(progress(range(3))) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.delenv("MMCOURSE_STORED")
    assert list(progress(range(3), desc="epochs")) == [0, 1, 2]
    assert "epochs" in capsys.readouterr().err

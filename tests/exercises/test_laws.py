"""What the checks are written with: a learner's answer is called safely, and a broken law is told in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from mmcourse.data import PairedData
from mmcourse.exercises import check, laws, progress
from mmcourse.exercises.checking import CHECK_TYPE, NotYet, Verdict, chapters, examine, exercises_of, find
from mmcourse.exercises.laws import (
    UNANSWERED,
    Answer,
    Law,
    Rejected,
    as_array,
    as_mapping,
    as_number,
    as_pair,
    close,
    compare,
    diagnose,
    exercise,
    show,
)


def rejected(call: Callable[[], Any]) -> Law:
    """The law that a call breaks."""
    with pytest.raises(Rejected) as caught:
        call()
    assert not caught.value.law.holds
    assert caught.value.law.hint
    return caught.value.law


# -------------------------------------------------------------------------------------------- entering exercises


def enter_mean(module: str) -> Callable[..., Any]:
    """What happens when a module with one exercise, trial/mean, is imported."""

    def mean(answer: Answer, rng: np.random.Generator) -> Iterator[Law]:
        yield Law("it is the mean", True, "")

    mean.__module__ = module
    return exercise("trial")(mean)


@pytest.fixture
def _no_exercises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "_registry", {})


@pytest.mark.usefixtures("_no_exercises")
def test_a_reloaded_module_enters_its_exercises_anew() -> None:
    enter_mean("trial.sums")
    again = enter_mean("trial.sums")
    assert laws.registered("trial")["mean"].laws is again


@pytest.mark.usefixtures("_no_exercises")
def test_two_modules_with_exercises_of_one_name_are_both_named() -> None:
    first = enter_mean("trial.sums")
    with pytest.raises(ValueError, match=r"trial/mean: got one of trial\.sums and one of trial\.gates"):
        enter_mean("trial.gates")
    assert laws.registered("trial")["mean"].laws is first


# ------------------------------------------------------------------------------------------- calling the answer


def test_an_answer_gets_copies_and_gives_its_result() -> None:
    rows = np.ones((2, 3))
    assert Answer("double", lambda x: 2 * x)(rows).tolist() == (2 * rows).tolist()


CHANGES = {
    "an array": (lambda x: x.__iadd__(1), np.ones(3)),
    "an array in a dictionary": (lambda x: x["image"].__imul__(2), {"image": np.ones(3)}),
    "a dictionary": (lambda x: x.pop("image"), {"image": np.ones(3)}),
    "a list": (lambda x: x.append(1) or 1, [0]),
    "a tensor": (lambda x: x.add_(1), torch.ones(3)),
    "paired data": (lambda x: x.labels.sort() or 1, PairedData({"image": np.ones((2, 1))}, [1, 0], ("no", "yes"))),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_answer_that_changes_its_input_is_rejected_and_the_input_is_whole(what: str) -> None:
    change, given = CHANGES[what]
    before = repr(vars(given) if isinstance(given, PairedData) else given)
    assert rejected(lambda: Answer("change", change)(given)).states == "the inputs are left as they were"
    assert repr(vars(given) if isinstance(given, PairedData) else given) == before


def test_a_changed_number_is_a_change_and_a_nan_is_none() -> None:
    law = rejected(lambda: Answer("change", lambda x: x.update(a=2.0) or 1)({"a": 1.0}))
    assert law.states == "the inputs are left as they were"
    assert Answer("keep", len)({"a": np.nan, "b": "text"}) == 2


def test_two_things_are_two_things_in_a_list_too() -> None:
    assert as_pair([1, 2], "one", "two") == as_pair((1, 2), "one", "two") == (1, 2)
    for other in ({"a": 1, "b": 2}, (1, 2, 3), "ab", None):
        assert rejected(lambda other=other: as_pair(other, "one", "two")).states == (
            "it returns two things: first one, then two"
        )


def test_numbers_that_look_alike_are_shown_with_their_difference() -> None:
    assert compare(0.5, 1.0) == "Got 0.5, wanted 1."
    assert compare(1.0, 1.00001) == "Got 1, wanted 1; the largest difference is 1e-05."


def test_a_mistake_may_have_several_forms() -> None:
    assert diagnose(3.0, {"two or three": (2.0, 3.0)}, "other") == "two or three"
    assert diagnose(4.0, {"two or three": (2.0, 3.0)}, "other") == "other"


def test_nan_in_an_input_is_no_change() -> None:
    assert Answer("shape", lambda x: x.shape)(np.array([np.nan])) == (1,)


def raises(error: BaseException) -> Callable[[Any], Any]:
    def answer(given: Any) -> Any:
        raise error

    return answer


@pytest.mark.parametrize(
    "error", [ValueError("wrong shape"), RecursionError(), SystemExit(0), MemoryError(), StopIteration()]
)
def test_an_answer_that_stops_is_told_where_and_with_what(error: BaseException) -> None:
    law = rejected(lambda: Answer("stop", raises(error))(np.ones((2, 3))))
    assert law.states == "it runs to its end"
    assert type(error).__name__ in law.seen
    assert str(error) in law.seen
    assert (
        "Called with: given = an array of shape (2, 3)" in law.seen
        or "Called with: given = [[1., 1., 1.], [1., 1., 1.]]" in law.seen
    )


def test_shapes_that_do_not_fit_get_a_hint_of_their_own() -> None:
    law = rejected(lambda: Answer("masked", lambda x, here: np.where(here, x, 0))(np.ones((8, 3)), np.ones(8, bool)))
    assert "x[:, None]" in law.hint
    assert "x = " in law.seen
    assert "here = " in law.seen


def test_the_line_named_is_the_learners_own_not_the_library_s() -> None:
    names: dict[str, Any] = {"np": np}
    exec(compile("def broken(x):\n    y = x + 1\n    return np.linalg.inv(y)\n", "<cell 3>", "exec"), names)
    law = rejected(lambda: Answer("broken", names["broken"])(np.ones((2, 2)) * -1))
    assert "LinAlgError: Singular matrix in line 3" in law.seen


def test_an_interrupt_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        Answer("stop", raises(KeyboardInterrupt()))(1)


def test_a_stub_is_unanswered_a_forgotten_return_and_a_value_are_named() -> None:
    assert rejected(lambda: Answer("stub", raises(NotImplementedError()))(1)).seen == UNANSWERED
    assert "return" in rejected(lambda: Answer("f", lambda x: None)(1)).hint
    law = rejected(lambda: Answer("f", 3.0)(1))
    assert (law.states, law.seen) == ("f is a function", "It is 3.")


# ----------------------------------------------------------------------------------------------- kinds of results


@pytest.mark.parametrize("number", [3, 3.0, np.float32(3), np.array(3), torch.tensor(3.0, requires_grad=True)])
def test_whatever_is_one_number_is_a_number(number: Any) -> None:
    assert as_number(number, "it") == 3.0


@pytest.mark.parametrize("other", ["three", "3", [3.0], None, {"a": 1}, np.ones((1, 1)), lambda: 3])
def test_anything_else_is_not(other: Any) -> None:
    assert rejected(lambda: as_number(other, "it")).states == "it is one number"


def test_arrays_tensors_and_lists_are_arrays_of_one_shape() -> None:
    for made in (np.ones((2, 1)), torch.ones(2, 1, requires_grad=True), [[1], [1.0]]):
        assert as_array(made, (2, 1), "it").tolist() == [[1.0], [1.0]]
    law = rejected(lambda: as_array(np.ones(2), (2, 1), "it", "a hint"))
    assert (law.states, law.seen, law.hint) == (
        "it is an array of shape (2, 1)",
        "Its shape is (2,), wanted (2, 1).",
        "a hint",
    )
    assert "It is [[1], [1, 2]]" in rejected(lambda: as_array([[1], [1, 2]], (2, 1), "it")).seen


def test_a_dictionary_is_held_to_its_names_and_shapes() -> None:
    assert as_mapping({"a": 1.0}, {"a": ()}, "it")["a"] == 1.0
    assert rejected(lambda: as_mapping({"b": 1.0}, {"a": ()}, "it")).seen == "An entry is missing: a."
    assert rejected(lambda: as_mapping({"a": 1.0, "b": 1.0}, {"a": ()}, "it")).seen == "An entry is too many: b."
    assert "It is [1]" in rejected(lambda: as_mapping([1], {"a": ()}, "it")).seen
    assert rejected(lambda: as_mapping({"a": np.ones(2)}, {"a": ()}, "it")).states == "it: a is one number"


# ------------------------------------------------------------------------------------------ comparing and showing


def test_closeness_is_relative_to_the_largest_magnitude_and_nan_is_far() -> None:
    assert close([1e6, 1.0], [1e6, 1.5])
    assert not close([1.0, 1.0], [1.0, 1.5])
    assert not close(np.nan, np.nan)
    assert not close(np.inf, np.inf)
    assert not close(np.ones(2), np.ones((2, 1)))
    assert close(1e-9, 0.0, size=1.0)
    assert not close(1e-3, 0.0, size=1.0)
    assert close(0.0, 0.0)
    assert close(np.float32(1 / 3), 1 / 3)


def test_a_diagnosis_is_the_mistake_that_gives_this_result() -> None:
    mistakes = {"the root is missing": 4.0, "the sign is turned": -2.0}
    assert diagnose(4.0, mistakes, "no idea") == "the root is missing"
    assert diagnose(-2.0, mistakes, "no idea") == "the sign is turned"
    assert diagnose(5.0, mistakes, "no idea") == "no idea"
    assert diagnose(np.nan, mistakes, "no idea") == "no idea"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1 / 3, "0.3333"),
        (True, "True"),
        (np.bool_(False), "False"),
        ("cat", "'cat'"),
        (np.array([1.0, 2.5]), "[1. , 2.5]"),
        (np.ones((4, 5)), "an array of shape (4, 5)"),
        (torch.ones(4, 5), "an array of shape (4, 5)"),
        (torch.tensor(2.0), "2"),
        ({"image": 1, "text": [2.0]}, "{'image': 1, 'text': [2]}"),
        ((1, 2), "(1, 2)"),
        (list(range(100)), "an object of type list"),
        (np.linalg.norm, "the function norm"),
        (object(), "an object of type object"),
    ],
)  # fmt: skip
def test_values_are_shown_in_few_words(value: Any, words: str) -> None:
    assert show(value) == words


# -------------------------------------------------------------------------------------------------------- checks


@pytest.fixture
def halving(monkeypatch: pytest.MonkeyPatch) -> str:
    """A chapter of one exercise: halve a number."""
    from mmcourse.exercises import laws

    monkeypatch.setattr(laws, "_registry", {})
    monkeypatch.setattr("mmcourse.exercises.checking.chapters", lambda: ("test",))
    monkeypatch.setitem(sys.modules, "mmcourse.exercises.chapters.test", sys)  # it is already imported
    monkeypatch.setattr("mmcourse.exercises.standing._verdicts", {})

    @exercise("test", trials=50)
    def half(answer: Answer, rng: np.random.Generator) -> Iterator[Law]:
        number = float(rng.integers(-9, 9))
        got = answer.number(number)
        yield Law("twice the half is the number", close(2 * got, number), f"half of {number}?", f"{got}")
        yield Law("the half of zero is zero", answer.number(0.0) == 0, "zero")

    return "test/half"


def test_a_right_answer_passes_with_all_laws(halving: str) -> None:
    verdict = examine(halving, lambda x: x / 2)
    assert verdict.passed
    assert verdict.held == ("twice the half is the number", "the half of zero is zero")
    assert verdict.text() == "test/half: passed\n  ✓ twice the half is the number\n  ✓ the half of zero is zero"
    assert verdict.sentence() == "passed"


def test_an_answer_that_is_wrong_in_few_cases_is_found_in_many_trials(halving: str) -> None:
    verdict = examine(halving, lambda x: x / 2 if x > -9 else 0.0, seed=0)
    assert not verdict.passed
    assert "half of -9.0?" in verdict.sentence()
    assert "the half of zero is zero" in verdict.held
    assert "twice the half is the number" not in verdict.held, "a law that broke later is no law that held"


def test_cases_are_fresh_and_a_seed_repeats_them(halving: str) -> None:
    def numbers(seed: int | None) -> list[float]:
        seen: list[float] = []
        examine(halving, lambda x: seen.append(x) or x / 2, seed=seed)
        return seen

    assert numbers(None) != numbers(None)
    assert numbers(1) == numbers(1) != numbers(2)


def test_an_unknown_exercise_is_named_with_those_there_are(halving: str) -> None:
    with pytest.raises(KeyError, match="'test/third'; chapter test has: half"):
        find("test/third")
    with pytest.raises(KeyError, match="no chapter 'other' has exercises; there are: test"):
        exercises_of("other")


def test_a_check_in_a_notebook_shows_the_laws_and_no_stack_trace(
    halving: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = InteractiveShell.instance()
    try:
        shell.user_ns.update(check=check, progress=progress, halve=lambda x: x / 2, double=lambda x: 2 * x)
        shell.run_cell(f'check("{halving}", halve)')
        assert "✓ twice the half is the number" in capsys.readouterr().out
        shell.run_cell('progress("test")')
        assert capsys.readouterr().out == "test: 1 of 1 exercises solved\n  ✓ half  passed\n"
        result = shell.run_cell(f'check("{halving}", double, seed=3)')
        assert isinstance(result.error_in_exec, NotYet)
        shown = capsys.readouterr().out
        assert "✗ twice the half is the number" in shown
        assert "Hint: half of" in shown
        assert "Traceback" not in shown
        assert "laws.py" not in shown
        shell.run_cell('progress("test")')
        assert "0 of 1" in capsys.readouterr().out
    finally:
        InteractiveShell.clear_instance()


def test_a_passed_check_leaves_a_record_in_the_notebook(halving: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    check(halving, lambda x: x / 2)
    laws = ["twice the half is the number", "the half of zero is zero"]
    assert shown[0][CHECK_TYPE] == {"exercise": halving, "passed": True, "laws": laws}


def test_an_unanswered_exercise_says_only_that() -> None:
    law = rejected(lambda: Answer("stub", raises(NotImplementedError()))(1))
    verdict = Verdict("test/half", (), law)
    assert verdict.text() == "test/half: not answered yet"
    assert verdict.sentence() == UNANSWERED


def test_the_chapters_are_found_by_their_files() -> None:
    assert "fusion" in chapters()
    assert len(exercises_of("fusion")) >= 4

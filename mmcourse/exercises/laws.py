"""What the checks of a chapter are written with: laws, the learner's answer, and hints that fit the mistake.

An exercise is a function that takes the learner's answer and a random generator and yields laws in the order in which
a learner should meet them. The first law that does not hold is the feedback; what comes after it is not run.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import zip_longest
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator

Array = np.ndarray
UNANSWERED = "not answered yet"
TOLERANCE = 1e-6  # relative to the largest magnitude: an answer in single precision is a right answer


@dataclass(frozen=True)
class Law:
    """What a right answer obeys.

    states: the law as a sentence;  hint: what to look at where it is broken;  seen: the case that broke it.
    """

    states: str
    holds: bool
    hint: str
    seen: str = ""


class Rejected(Exception):
    """An answer that cannot even be looked at further: it raised, or gave something of another kind."""

    def __init__(self, law: Law) -> None:
        super().__init__(law.states)
        self.law = law


Laws = Callable[["Answer", Generator], Iterator[Law]]


@dataclass(frozen=True)
class Exercise:
    """One exercise: its full name "chapter/name", its laws, and how many random cases each law is tried on."""

    name: str
    laws: Laws
    trials: int


_registry: dict[str, dict[str, Exercise]] = {}
F = TypeVar("F", bound=Laws)


def exercise(chapter: str, *, trials: int = 5) -> Callable[[F], F]:
    """Enter a function into the exercises of a chapter, under its own name.

    Raises ValueError where another module has entered an exercise of that name; a module that is reloaded enters anew.
    """

    def enter(laws: F) -> F:
        name, known = f"{chapter}/{laws.__name__}", _registry.setdefault(chapter, {})
        before = known.get(laws.__name__)
        if before and before.laws.__module__ != laws.__module__:
            raise ValueError(
                f"exercise {name}: got one of {before.laws.__module__} and one of {laws.__module__}, "
                "wanted a name for each"
            )
        known[laws.__name__] = Exercise(name, laws, trials)
        return laws

    return enter


def registered(chapter: str) -> dict[str, Exercise]:
    """The exercises that the chapter's modules have entered so far, by name, in that order."""
    return _registry.get(chapter, {})


# --------------------------------------------------------------------------------------------- the learner's answer


class Answer:
    """The learner's object. Calling it calls a function of theirs with copies of the arguments.

    Raises Rejected where the function raises, returns nothing, or changes what it was given.
    """

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value

    def __call__(self, *arguments: Any) -> Any:
        if not callable(self.value):
            raise Rejected(
                Law(
                    f"{self.name} is a function",
                    False,
                    "Keep the line with `def`, and check the function itself, not a result of it.",
                    f"It is {show(self.value)}.",
                )
            )
        given = copy.deepcopy(arguments)
        try:
            result = self.value(*given)
        except NotImplementedError:
            raise Rejected(unanswered()) from None
        except (Exception, SystemExit) as error:
            raise Rejected(_stopped(error, self.value, arguments)) from None
        if not _same(arguments, given):
            raise Rejected(
                Law(
                    "the inputs are left as they were",
                    False,
                    "Whoever calls your function still needs them. Make a new array or dictionary; `+=`, `*=` and "
                    "assignments into an argument change the caller's data.",
                )
            )
        if result is None:
            raise Rejected(Law("the function returns a result", False, "It returned None. Is there a `return`?"))
        return result

    def number(self, *arguments: Any) -> float:
        """The function's result as one number."""
        return as_number(self(*arguments), "the result")

    def array(self, *arguments: Any, shape: Sequence[int], hint: str = "") -> Array:
        """The function's result as an array of the given shape."""
        return as_array(self(*arguments), shape, "the result", hint)


def unanswered() -> Law:
    return Law("the answer is written", False, "Replace the line that raises NotImplementedError.", UNANSWERED)


def _stopped(error: BaseException, function: Callable[..., Any], arguments: Sequence[Any]) -> Law:
    """A law broken by an exception in the learner's code, with the line at which it happened."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is ours, which made the call
    own = [frame for frame in frames if _is_learners(frame.filename)] or frames
    place = ""
    if own and own[-1].lineno is not None:
        line = (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno)).strip()
        place = f" in line {own[-1].lineno}" + (f", `{line}`" if line else "")
    message = f": {error}" if str(error) else ""
    named = zip_longest(_parameters(function)[: len(arguments)], map(show, arguments))
    called = ", ".join(f"{name} = {shown}" if name else shown for name, shown in named)
    called = f" Called with: {called}" if arguments else ""
    hint = "Call your function on a small input of your own and read the message."
    if "broadcast" in message or "must match the size" in message:  # NumPy's words and PyTorch's
        hint = (
            "Two shapes do not fit. One number for each row, of shape (rows,), becomes a column of shape (rows, 1) by "
            "x[:, None]; then it meets every column of (rows, width)."
        )
    return Law(
        "it runs to its end",
        False,
        hint,
        f"It stopped with {type(error).__name__}{message}{place}.{called}",
    )


def _parameters(function: Callable[..., Any]) -> list[str]:
    """The names of its arguments; none where it does not tell, as functions written in C may not."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _is_learners(filename: str) -> bool:
    """Cells of a notebook have names in angle brackets or in a folder of the kernel; libraries lie elsewhere."""
    return filename.startswith("<") or "ipykernel_" in filename


def _same(left: Any, right: Any) -> bool:
    """Equal by value: containers, arrays, tensors, data. Anything else (a generator, a model) is not compared."""
    if is_dataclass(left) and not isinstance(left, type):
        return _same(vars(left), vars(right))
    if isinstance(left, Mapping):
        return list(left) == list(right) and all(_same(left[name], right[name]) for name in left)
    if isinstance(left, tuple | list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, np.ndarray):
        return bool(left.shape == right.shape and np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))
    if hasattr(left, "detach"):
        return _same(left.detach().cpu().numpy(), right.detach().cpu().numpy())
    if isinstance(left, int | float | str | np.generic):
        return bool(left == right or (left != left and right != right))
    return True


# --------------------------------------------------------------------------------------------- results of a kind


def as_number(result: Any, what: str) -> float:
    """A number, a 0-d array or a 0-d tensor as float. Raises Rejected for anything else."""
    return float(as_array(result, (), what, "One number is wanted, not an array of them."))


def as_array(result: Any, shape: Sequence[int], what: str, hint: str = "") -> Array:
    """An array, tensor or list of numbers as a float64 array. Raises Rejected unless it has the shape."""
    plain = result.detach().cpu().numpy() if hasattr(result, "detach") else result
    try:
        if plain is None or isinstance(plain, str):  # NumPy would make NaN of the one, and a number of "3"
            raise TypeError
        made = np.asarray(plain, dtype=float)
    except (TypeError, ValueError):
        raise Rejected(
            Law(f"{what} is {_kind(shape)}", False, hint or "Look at its type.", f"It is {show(result)}.")
        ) from None
    if made.shape != tuple(shape):
        raise Rejected(
            Law(
                f"{what} is {_kind(shape)}",
                False,
                hint or "Print the shapes on the way and see where they part.",
                f"Its shape is {made.shape}, wanted {tuple(shape)}.",
            )
        )
    return made


def as_mapping(result: Any, shapes: Mapping[str, Sequence[int]], what: str) -> dict[str, Array]:
    """A dictionary of arrays of the given shapes. Raises Rejected for other names, kinds or shapes."""
    found = names_in(result, shapes, what)
    return {name: as_array(found[name], shape, f"{what}: {name}") for name, shape in shapes.items()}


def names_in(result: Any, names: Iterable[str], what: str) -> dict[str, Any]:
    """A dictionary with just these names. Raises Rejected, naming the entry that is missing or too many."""
    law = f"{what}: a dictionary with an entry for each of {', '.join(names)}"
    if not isinstance(result, Mapping):
        raise Rejected(
            Law(law, False, "Build it by a comprehension: `{m: … for m in features}`.", f"It is {show(result)}.")
        )
    missing, surplus = sorted(set(names) - set(result)), sorted(set(map(str, result)) - set(names))
    if missing or surplus:
        seen = f"An entry is missing: {missing[0]}." if missing else f"An entry is too many: {surplus[0]}."
        raise Rejected(Law(law, False, "Do you go through all the names that came?", seen))
    return dict(result)


def as_pair(result: Any, first: str, second: str) -> tuple[Any, Any]:
    """Two things, as a tuple or a list. Raises Rejected for anything else."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        law = f"it returns two things: first {first}, then {second}"
        raise Rejected(Law(law, False, "`return a, b`", f"It returned {show(result)}."))
    return result[0], result[1]


def require_shares(values: Array, name: str, states: str, hint: str) -> None:
    """Raise Rejected unless all numbers lie between 0 and 1."""
    if not ((values >= 0) & (values <= 1)).all():
        raise Rejected(Law(states, False, hint, f"{name}: {show(values)}."))


def concluded(said: Any, choices: Sequence[str], fitting: str, hint: str, seen: str) -> Iterator[Law]:
    """The laws of a conclusion: one of three sentences, and the one that the learner's numbers support."""
    sentence = str(said).strip(" .`").lower()
    yield Law(
        "the conclusion is one of the three sentences",
        sentence in choices,
        "Copy one of the three, word by word.",
        f"It is {show(said)}.",
    )
    yield Law("the conclusion is what your numbers say", sentence == fitting, hint, seen)


def _kind(shape: Sequence[int]) -> str:
    return f"an array of shape {tuple(shape)}" if len(shape) else "one number"


# --------------------------------------------------------------------------------------------- comparing and showing


def close(got: Any, wanted: Any, tolerance: float = TOLERANCE, size: float | None = None) -> bool:
    """Whether arrays agree relative to a size: the largest magnitude wanted, if none is given; NaN never does.

    size: for results that nearly cancel, the magnitude of what was added up.
    """
    left, right = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    if left.shape != right.shape or not np.isfinite(left).all():
        return False
    size = size or float(np.abs(right).max(initial=0.0)) or 1.0
    return bool((np.abs(left - right) <= tolerance * size).all())


def diagnose(got: Any, mistakes: Mapping[str, Any], otherwise: str) -> str:
    """The hint whose mistake would have given just this result; `otherwise` where none would.

    mistakes: from a hint to the result of the mistake; a tuple holds results of several forms of it.
    """
    for hint, results in mistakes.items():
        if any(close(got, result) for result in (results if isinstance(results, tuple) else (results,))):
            return hint
    return otherwise


def compare(got: Any, wanted: Any) -> str:
    """The words of a counterexample; with the difference where the two would look alike."""
    words = f"Got {show(got)}, wanted {show(wanted)}"
    if show(got) == show(wanted):
        words += f"; the largest difference is {np.abs(np.asarray(got) - np.asarray(wanted)).max():.2g}"
    return f"{words}."


def show(value: Any) -> str:
    """A value in a few words: small ones whole, large ones by their shape."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{name!r}: {show(part)}" for name, part in value.items())
        return "{" + inside + "}"
    if isinstance(value, bool | np.bool_ | str):
        return repr(value if isinstance(value, str) else bool(value))
    if isinstance(value, int | float | np.number):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else value
        if array.ndim == 0:
            return show(array.item())
        if array.size <= 6:
            return np.array2string(array, precision=3, separator=", ").replace("\n", "")
        return f"an array of shape {array.shape}"
    if isinstance(value, tuple | list) and len(value) <= 6:
        inside = ", ".join(map(show, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if callable(value):
        return f"the function {getattr(value, '__name__', type(value).__name__)}"
    return f"an object of type {type(value).__name__}"

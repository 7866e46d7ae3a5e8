"""The official state of what checks rest on, put back while a check runs: a patched `np.allclose` has no influence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

MODULES = (
    "builtins", "json", "json.decoder", "json.encoder", "math", "random", "time",
    "numpy", "numpy.linalg", "numpy.random", "numpy.testing", "torch", "torch.nn.functional",
)  # fmt: skip
DEEP = ("json", "mmcourse", "random")  # written in Python: their classes and functions can be changed from outside
STREAMS = ("stdout", "stderr")
CODE = ("__code__", "__defaults__", "__kwdefaults__")
MISSING = object()


class Official:
    """A snapshot, taken before any code of a learner runs.

    Every attribute of the modules above, where loaded, and of mmcourse; of the deep ones also what lies below: the
    attributes of classes, the code of functions, the entries of dictionaries. What a learner adds is left alone.
    """

    def __init__(self) -> None:
        self._places: list[tuple[Any, dict[Any, Any]]] = [(sys, {name: getattr(sys, name) for name in STREAMS})]
        self._modules = {
            name: sys.modules[name] for name in list(sys.modules) if name in MODULES or name.startswith("mmcourse")
        }
        for name, module in self._modules.items():
            self._places.append((module, dict(vars(module))))
            if name.partition(".")[0] in DEEP:
                self._places += _inside(vars(module))
        self._places.append((sys.modules, dict(self._modules)))

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Official inside the `with`, the learner's again after it."""
        theirs = [
            (place, name, _get(place, name), value)
            for place, attributes in self._places
            for name, value in attributes.items()
            if _get(place, name) is not value
        ]
        for place, name, _, official in theirs:
            _set(place, name, official)
        try:
            yield
        finally:
            for place, name, learners, _ in theirs:
                _set(place, name, learners)


def _inside(namespace: Mapping[str, Any]) -> list[tuple[Any, dict[Any, Any]]]:
    """The classes, functions and dictionaries (one level of dictionaries in them) that a module holds."""
    places: list[tuple[Any, dict[Any, Any]]] = []
    for name, value in list(namespace.items()):
        if isinstance(value, type) and value.__module__.partition(".")[0] in DEEP:
            methods = {key: item for key, item in vars(value).items() if not _kept_by_python(key, item)}
            places.append((value, methods))
            places += [_code(item) for item in methods.values() if isinstance(item, FunctionType)]
        elif isinstance(value, FunctionType) and value.__module__.partition(".")[0] in DEEP:
            places.append(_code(value))
        elif isinstance(value, dict) and not name.startswith("__"):
            places.append((value, dict(value)))
            places += [(inner, dict(inner)) for inner in value.values() if isinstance(inner, dict)]
    return places


def _kept_by_python(name: str, item: object) -> bool:
    """Attributes of a class that Python manages: slots' descriptors and what cannot be assigned."""
    return name in ("__dict__", "__weakref__", "__doc__") or type(item).__name__ == "member_descriptor"


def _code(function: FunctionType) -> tuple[Any, dict[Any, Any]]:
    return function, {name: getattr(function, name) for name in CODE}


def _get(place: Any, name: Any) -> Any:
    if isinstance(place, dict):
        return place.get(name, MISSING)
    if isinstance(place, type):
        return vars(place).get(name, MISSING)
    return getattr(place, name, MISSING)


def _set(place: Any, name: Any, value: Any) -> None:
    if isinstance(place, dict):
        if value is MISSING:
            place.pop(name, None)
        else:
            place[name] = value
    elif value is not MISSING:
        setattr(place, name, value)
    elif _get(place, name) is not MISSING:
        delattr(place, name)

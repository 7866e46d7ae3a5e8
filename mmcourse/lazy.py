"""Submodules that are imported when they are first used."""

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def submodules(package: str, path: Iterable[str]) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package whose submodules are found in its folder (PEP 562).

    An error inside a submodule (a framework that is not installed, say) reaches the reader as it is.
    """
    names = sorted(module.name for module in iter_modules(path) if not module.name.startswith("_"))

    def load(name: str) -> ModuleType:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return load, lambda: names

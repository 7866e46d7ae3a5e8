"""How tests report: all faults at once, one a line, so that one run shows everything that is left to do."""

from collections.abc import Iterable, Mapping


def require_none(faults: Mapping[str, Iterable[str]]) -> None:
    """Fail with every fault. faults: {where: what is wrong there}"""
    __tracebackhide__ = True
    lines = [f"{where}: {fault}" for where, found in faults.items() for fault in found]
    if lines:
        raise AssertionError("\n" + "\n".join(lines))

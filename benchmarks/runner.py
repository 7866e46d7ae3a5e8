"""Compare two ways to compute the same: first that they are equal, then how much slower and larger one is.

What has no peer, a pipeline or a build, is a Rate: so much of something in a time.
"""

import ctypes
import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from mmcourse.parity import relative_error

SHORTEST = 0.02  # seconds that one timing lasts at least, so that the clock's grain does not matter
Call = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """Two functions without arguments that return {name: array}; the peer is what the subject is measured against."""

    name: str
    against: str
    subject: Call
    peer: Call
    tolerance: float = 1e-5
    threads: int = 1


@dataclass(frozen=True)
class Rate:
    """A function that makes `amount` of `unit`; several processes of its own make `clock` wall time."""

    name: str
    unit: str
    amount: int
    call: Callable[[], Any]
    wall_time: bool = False


@dataclass(frozen=True)
class Result:
    """Ratios are subject over peer: 2 means twice as slow, or twice the memory."""

    name: str
    against: str
    threads: int
    ratio: float
    lowest: float
    highest: float
    milliseconds: float
    peer_milliseconds: float
    megabytes: float | None
    peer_megabytes: float | None


@dataclass(frozen=True)
class RateResult:
    """per_second: amount over the median of the seconds; lowest and highest of the seconds."""

    name: str
    unit: str
    amount: int
    per_second: float
    seconds: float
    lowest: float
    highest: float


class UnequalError(AssertionError):
    """Subject and peer do not compute the same: their speeds cannot be compared."""


def check_equal(case: Case) -> None:
    """Raise UnequalError naming the output that differs."""
    subject, peer = ({name: np.asarray(value) for name, value in call().items()} for call in (case.subject, case.peer))
    if subject.keys() != peer.keys():
        raise UnequalError(f"{case.name}: outputs {sorted(subject)} against {sorted(peer)}")
    for name, wanted in peer.items():
        if subject[name].shape != wanted.shape:
            raise UnequalError(f"{case.name}: {name} has shape {subject[name].shape} against {wanted.shape}")
        error = relative_error(subject[name], wanted)
        if not error <= case.tolerance:
            raise UnequalError(f"{case.name}: {name} differs by {error:.1e}, more than {case.tolerance:.0e}")


def clock_for(threads: int) -> Callable[[], float]:
    """With one thread the processor's time, which other programs hardly disturb; with several what a reader waits."""
    return time.process_time if threads == 1 else time.perf_counter


@contextmanager
def threads_of(case: Case) -> Iterator[None]:
    """PyTorch computes with as many threads as the case asks for, and afterwards with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run(case: Case | Rate, rounds: int) -> Result | RateResult:
    """Measure with the clock and the threads that fit."""
    if isinstance(case, Rate):
        return measure_rate(case, rounds, time.perf_counter if case.wall_time else time.process_time)
    with threads_of(case):
        return measure(case, rounds, clock_for(case.threads))


def measure_rate(rate: Rate, rounds: int, clock: Callable[[], float]) -> RateResult:
    """The median of several calls, after none to warm up: what is measured is a beginning to an end."""
    times = [seconds(rate.call, 1, clock) for _ in range(rounds)]
    middle = median(times)
    return RateResult(rate.name, rate.unit, rate.amount, rate.amount / middle, middle, min(times), max(times))


def measure(case: Case, rounds: int, clock: Callable[[], float]) -> Result:
    """Check equality, then time both sides in turn, the first of the two changing from round to round.

    The ratio is the median of the rounds' ratios: what slows the machine down meanwhile slows both sides of a round.
    """
    check_equal(case)
    calls = {case.subject: calls_needed(case.subject, clock), case.peer: calls_needed(case.peer, clock)}
    times: dict[Call, list[float]] = {case.subject: [], case.peer: []}
    for number in range(rounds):
        for call in (case.subject, case.peer) if number % 2 else (case.peer, case.subject):
            times[call].append(seconds(call, calls[call], clock))
    ratios = [subject / peer for subject, peer in zip(times[case.subject], times[case.peer], strict=True)]
    return Result(
        name=case.name,
        against=case.against,
        threads=case.threads,
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        milliseconds=1000 * median(times[case.subject]),
        peer_milliseconds=1000 * median(times[case.peer]),
        megabytes=peak_megabytes(case.subject),
        peer_megabytes=peak_megabytes(case.peer),
    )


def seconds(call: Callable[[], Any], calls: int, clock: Callable[[], float]) -> float:
    """Return the time of one call, averaged over several."""
    gc.disable()
    try:
        start = clock()
        for _ in range(calls):
            call()
        return (clock() - start) / calls
    finally:
        gc.enable()


def calls_needed(call: Call, clock: Callable[[], float]) -> int:
    """Return how many calls one timing needs to last long enough; they are made, and warm everything up."""
    calls = 1
    while seconds(call, calls, clock) * calls < SHORTEST:
        calls *= 2
    return calls


def peak_megabytes(call: Call) -> float | None:
    """Return by how much resident memory grows during one call at its peak; None where the system does not tell.

    Linux only: free memory goes back to the system first, then the kernel's high-water mark is reset.
    """
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    reset.write_text("5", encoding="ascii")
    before = _resident("VmRSS")
    call()
    return max(0.0, (_resident("VmHWM") - before) / 1024)


def _resident(field: str) -> int:
    """One of the kernel's counts for this process, in kB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:")))

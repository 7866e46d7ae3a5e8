"""The runner of the benchmarks: what it refuses, and its arithmetic. Nothing here depends on real time."""

import itertools
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

import mmcourse.alignment.keras
import mmcourse.alignment.torch
import mmcourse.fusion.keras
import mmcourse.fusion.torch
from benchmarks import report, runner
from benchmarks.__main__ import RESULTS, discover
from benchmarks.runner import Case, Rate, RateResult, Result, UnequalError, check_equal, measure, measure_rate
from tests.alignment.halves import CLASSES
from tests.fusion.halves import COMPOSED


class Clock:
    """Time passes only when a call says how long it takes; each call takes the next of its times, the last for ever."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def lasting(self, *times: float) -> Callable[[], dict[str, float]]:
        left = list(times)

        def call() -> dict[str, float]:
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return {"output": 1.0}

        return call


def case(subject: object, peer: object, tolerance: float = 1e-5) -> Case:
    return Case("subject", "peer", lambda: subject, lambda: peer, tolerance)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("subject", "peer", "message"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.1]}, "subject: a differs by 4.8e-02, more than 1e-05"),
        ({"a": [1.0, np.nan]}, {"a": [1.0, 2.0]}, "subject: a differs by nan"),
        ({"a": [1.0], "b": [1.0]}, {"a": [1.0], "b": [2.0]}, "subject: b differs"),
        ({"a": [1.0]}, {"a": [1.0], "b": [2.0]}, r"subject: outputs \['a'\] against \['a', 'b'\]"),
        ({"a": [1.0]}, {"a": [1.0, 1.0]}, r"subject: a has shape \(1,\) against \(2,\)"),
    ],
)
def test_unequal_outputs_are_refused(subject: object, peer: object, message: str) -> None:
    with pytest.raises(UnequalError, match=message):
        check_equal(case(subject, peer))
    with pytest.raises(UnequalError, match=message):
        measure(case(subject, peer), 7, itertools.count().__next__)


def test_equal_outputs_pass() -> None:
    check_equal(case({"a": [1.0, 2.0]}, {"a": [1.0, 2.0 + 1e-6]}))
    check_equal(case({"a": [1.0, 2.0]}, {"a": [1.0, 2.1]}, tolerance=0.1))


def test_the_ratio_is_subject_over_peer() -> None:
    clock = Clock()
    result = measure(Case("slow", "fast", clock.lasting(0.3), clock.lasting(0.2)), 7, clock)
    assert (result.ratio, result.lowest, result.highest) == pytest.approx((1.5, 1.5, 1.5))
    assert (result.milliseconds, result.peer_milliseconds) == pytest.approx((300, 200))


def test_the_ratio_is_the_median_over_rounds_of_ratios_within_a_round() -> None:
    """Two calls go to equality and warming up; then each round's pair is slowed down together, one pair unequally."""
    clock = Clock()
    subject = clock.lasting(1, 1, 3, 30, 3, 3, 3, 8, 3)
    peer = clock.lasting(1, 1, 2, 20, 2, 2, 2, 1, 2)
    result = measure(Case("slow", "fast", subject, peer), 7, clock)
    assert (result.ratio, result.lowest, result.highest) == pytest.approx((1.5, 1.5, 8))


def test_short_calls_are_timed_many_at_a_time() -> None:
    clock = Clock()
    calls = runner.calls_needed(clock.lasting(runner.SHORTEST / 100), clock)
    assert calls == 128
    assert runner.seconds(clock.lasting(0.25), calls, clock) == pytest.approx(0.25)


@pytest.mark.skipif(runner.peak_megabytes(dict) is None, reason="the system does not tell")
def test_peak_memory_counts_what_is_free_again_afterwards() -> None:
    def call() -> dict[str, float]:
        return {"sum": float(np.ones((4, 2**20)).sum())}  # 32 MB that nobody holds when the call is over

    assert runner.peak_megabytes(call) == pytest.approx(32, abs=4)


def test_a_rate_is_what_is_made_over_the_median_time() -> None:
    clock = Clock()
    result = measure_rate(Rate("drawing", "pictures", 60, clock.lasting(3, 1, 2, 40, 2)), 5, clock)
    assert (result.per_second, result.seconds, result.lowest, result.highest) == pytest.approx((30, 2, 1, 40))


def test_a_case_gets_its_threads_and_the_next_one_what_was_before() -> None:
    before, seen = torch.get_num_threads(), []

    def call() -> dict[str, float]:
        seen.append(torch.get_num_threads())
        return {"output": 1.0}

    each = Case("a", "b", call, call, threads=before + 1)
    with runner.threads_of(each):
        each.subject()
    assert (seen, torch.get_num_threads()) == ([before + 1], before)
    assert runner.clock_for(1) is time.process_time
    assert runner.clock_for(2) is time.perf_counter


@pytest.fixture(scope="module")
def found(monkeypatch_module: pytest.MonkeyPatch) -> list[Case | Rate]:
    """All cases; the book is not built for it."""
    monkeypatch_module.setattr("benchmarks.pipelines.render", lambda root, folder: folder)
    return list(discover([]))


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_cases_are_found_by_their_files_and_their_sides_are_equal(found: list[Case | Rate]) -> None:
    ratios = [case for case in found if isinstance(case, Case)]
    assert {"plain formula", "check_values=False", "torch", "Transformers' loss of CLIP"} <= {c.against for c in ratios}
    for each in ratios:
        check_equal(each)
    with pytest.raises(SystemExit, match=r"nosuch: no such file of cases; there is .*fusion"):
        list(discover(["nosuch"]))


def test_every_fusion_and_every_contrastive_loss_is_measured_in_both_frameworks(found: list[Case | Rate]) -> None:
    measured = {case.name.partition(",")[0] for case in found if isinstance(case, Case)}
    for framework, fusion in (("torch", mmcourse.fusion.torch), ("keras", mmcourse.fusion.keras)):
        fusions = {name for name in fusion.__all__ if name.endswith("Fusion")} - COMPOSED
        assert {f"{framework} {name}" for name in fusions | set(CLASSES)} <= measured


def test_the_table_and_the_file_tell_the_same(tmp_path: Path) -> None:
    result = Result("a", "b", 2, 1.5, 1.25, 2.0, 3.14159, 2.0, 10.0, None)
    rate = RateResult("c", "pages", 60, 30.0, 2.0, 1.0, 3.0)
    lines = report.table([rate, result]).splitlines()
    assert lines[2].split() == ["a", "b", "2", "1.50", "1.25-2.00", "3.14", "2", "10.0", "-"]
    assert lines[-1].split() == ["c", "30", "pages", "2", "1.00-3.00"]
    path = tmp_path / "results.json"
    report.write(path, [result, rate], rounds=7)
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["ratios"][0] | {"name": "a", "ratio": 1.5, "milliseconds": 3.14} == content["ratios"][0]
    assert content["rates"] == [asdict(rate)]
    assert content["conditions"] == {"device": "cpu", "rounds": 7}
    assert content["versions"]["numpy"] == np.__version__


def test_the_stored_results_are_those_of_every_case_and_of_no_other(found: list[Case | Rate]) -> None:
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert content.keys() == {"machine", "versions", "conditions", "ratios", "rates"}
    stored = [(result["name"], result["against"]) for result in content["ratios"]]
    assert stored == [(case.name, case.against) for case in found if isinstance(case, Case)]
    assert len(set(stored)) == len(stored)
    for result in (Result(**fields) for fields in content["ratios"]):
        assert 0 < result.lowest <= result.ratio <= result.highest, result.name
        assert min(result.milliseconds, result.peer_milliseconds) > 0, result.name
        assert min(result.megabytes or 0, result.peer_megabytes or 0) >= 0, result.name
    assert [rate["name"] for rate in content["rates"]] == [rate.name for rate in found if isinstance(rate, Rate)]
    for rate in (RateResult(**fields) for fields in content["rates"]):
        assert 0 < rate.lowest <= rate.seconds <= rate.highest, rate.name
        assert rate.per_second == pytest.approx(rate.amount / rate.seconds, rel=0.01), rate.name
    assert content["conditions"]["rounds"] >= 7
    assert {"processor", "cores"} <= content["machine"].keys()
    assert {"python", "numpy", "torch", "tensorflow", "keras"} <= content["machine"].keys() | content["versions"].keys()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(TypeError):
        report.write(path, [], threads=object())
    assert path.read_text(encoding="utf-8") == "old"


def test_the_machine_is_described_without_names_and_paths() -> None:
    described = report.machine()
    assert platform.node() not in described.values()
    for path in (Path.home(), Path.cwd()):
        assert str(path) not in json.dumps(described)

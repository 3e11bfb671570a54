"""A system that did another job than the others must not get a figure."""

import math

import pytest

from benchmarks.outputs import compare
from benchmarks.systems import System
from benchmarks.worker import Load, check
from plantwatch.errors import PlantwatchError

TRUTH = {"a/30/t": 0.25, "a/31/t": 0.5}
SAME = [("a/31/t", 0.5 + 5e-7), ("a/30/t", 0.25)]
LOAD = Load(readings=31, scores=2)


# The same scores in another order, within the tolerance, are the same job.
def test_the_same_scores_are_no_difference() -> None:
    assert not compare(TRUTH, SAME, whole=True)


# Each kind of fault is counted as what it is, with an example to look for.
@pytest.mark.parametrize(
    ("found", "counts"),
    [
        (SAME[:1], "1 lost, 0 doubled, 0 wrong (a/30/t)"),
        ([*SAME, SAME[0]], "0 lost, 1 doubled, 0 wrong (a/31/t)"),
        ([SAME[0], ("a/30/t", 0.25 + 2e-6)], "0 lost, 0 doubled, 1 wrong (a/30/t)"),
        ([*SAME, ("a/29/t", 0.5)], "0 lost, 0 doubled, 1 wrong (a/29/t)"),
        ([SAME[0], ("a/30/t", math.nan)], "0 lost, 0 doubled, 1 wrong (a/30/t)"),
    ],
)
def test_a_fault_is_counted(found: list[tuple[str, float]], counts: str) -> None:
    assert str(compare(TRUTH, found, whole=True)) == counts


# What a bounded system had no time for is not lost; what it did say is judged all the same.
def test_a_bounded_system_loses_nothing() -> None:
    assert not compare(TRUTH, SAME[:1], whole=False)
    assert compare(TRUTH, [("a/30/t", 0.3)], whole=False).wrong == 1


# The benchmark ends in one line that names the system and what it did.
def test_a_difference_ends_the_benchmark() -> None:
    system = System("quixstreams", ())
    check(system, compare(TRUTH, SAME, whole=True), 2, LOAD)
    with pytest.raises(PlantwatchError, match=r"^quixstreams did not .* 1 lost.*\(a/30/t\)$"):
        check(system, compare(TRUTH, SAME[:1], whole=True), 2, LOAD)


# Without the whole truth nobody is judged by it.
def test_half_a_truth_ends_the_benchmark() -> None:
    with pytest.raises(PlantwatchError, match="offline scored 1 readings, not 2"):
        check(System("plain", ()), compare({}, [], whole=True), 1, LOAD)

"""The rule of which readings are scored, on which window, and what may be forgotten.

In the pictures a number is a cycle, in the order of arrival; the classes stand below.
"""

import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rule import Logged, judge
from plantwatch.decode import Reading
from plantwatch.settings import Window
from plantwatch.windows import Windower
from tests.support.logs import (
    GLITCH,
    Driver,
    Result,
    expected_result,
    log_of,
    logged,
    run_of,
    spread,
    steady,
)

# Small numbers, so that random logs meet every edge; and those that the product runs with.
SMALL = Window(length=5, history=8, max_gap=2, horizon=25, max_machines=100)
REAL = Window(length=30, history=64, max_gap=5, horizon=1_000_000, max_machines=250_000)
STRIDE = 100
SPREAD = SMALL.model_copy(update={"horizon": SMALL.horizon * STRIDE})
"""SMALL for logs whose offsets lie STRIDE apart."""

SEEDS = st.integers(0, 2**32 - 1)
RANDOM_LOGS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 14), st.integers(0, 14), st.integers(0, 1)),
    max_size=90,
).map(lambda readings: [logged(offset, *reading) for offset, reading in enumerate(readings)])


def results(log: list[Logged], rule: Window) -> list[Result]:
    return Driver(rule).push_all(log)


def kinds(log: list[Logged], rule: Window = SMALL) -> list[str]:
    return [result.kind for result in results(log, rule)]


def window_cycles(result: Result) -> list[float]:
    return [row[1] for row in result.rows]


def assert_follows_the_definition(log: list[Logged], rule: Window) -> None:
    expected = list(map(expected_result, log, judge(log, rule)))
    assert results(log, rule) == expected


def assert_any_rebuild_agrees(log: list[Logged], rule: Window, every: int) -> None:
    """Restart before each `every`th reading, from `low` as it then stood and from the horizon."""
    driver = Driver(rule)
    lows: list[int] = []
    whole: list[Result] = []
    for reading in log:
        lows.append(driver.windower.low)
        whole.append(driver.push(reading))
    for index in range(0, len(log), every):
        committed = log[index].offset
        for start in (lows[index], committed - rule.horizon + 1):
            rebuilt = Driver(rule, max(start, 0))
            rebuilt.restore_all(r for r in log[:index] if r.offset >= start)
            assert rebuilt.push_all(log[index:]) == whole[index:], (committed, start)


# Class, window and lowest offset are what the definition says, for readings in any disorder.
@settings(max_examples=1000, deadline=None)
@given(RANDOM_LOGS)
def test_disorder_is_judged_as_defined(log: list[Logged]) -> None:
    assert_follows_the_definition(log, SMALL)


# The same for machines that run on and now and then repeat, jump, shuffle, restart or glitch.
@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(20, 120))
def test_running_machines_are_judged_as_defined(seed: int, length: int) -> None:
    log = steady(seed, length)
    assert_follows_the_definition(log, SMALL)
    assert_follows_the_definition(spread(log, STRIDE, seed), SPREAD)


# The same with the numbers of the product, and with its horizon passing within the log.
@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_running_machines_are_judged_as_defined_at_full_size(seed: int) -> None:
    log = steady(seed, 500)
    assert_follows_the_definition(log, REAL)
    assert_follows_the_definition(spread(log, 10_000, seed), REAL)


# A worker that takes over anywhere comes to the verdicts that the first one would have given.
@settings(max_examples=300, deadline=None)
@given(RANDOM_LOGS, SEEDS)
def test_a_takeover_changes_no_verdict_in_disorder(log: list[Logged], seed: int) -> None:
    assert_any_rebuild_agrees(log, SMALL, every=7)
    assert_any_rebuild_agrees(spread(log, STRIDE, seed), SPREAD, every=7)


# The same for machines that run on.
@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(20, 120))
def test_a_takeover_changes_no_verdict_of_running_machines(seed: int, length: int) -> None:
    log = steady(seed, length)
    assert_any_rebuild_agrees(log, SMALL, every=7)
    assert_any_rebuild_agrees(spread(log, STRIDE, seed), SPREAD, every=7)


# The same with the numbers of the product.
@settings(max_examples=2, deadline=None)
@given(SEEDS)
def test_a_takeover_changes_no_verdict_at_full_size(seed: int) -> None:
    assert_any_rebuild_agrees(spread(steady(seed, 500), 10_000, seed), REAL, every=50)


# The random logs are worth their name: every class occurs, many times.
@pytest.mark.parametrize("kind", ["scored", "warm_up", "duplicate", "conflict", "late"])
def test_the_running_machines_meet_every_class(kind: str) -> None:
    seen = [k for seed in range(20) for k in kinds(steady(seed, 120))]
    assert seen.count(kind) > 20


# A read-back is short: `low` follows the oldest reading that still matters, and never falls.
def test_low_follows_the_living() -> None:
    driver = Driver(SPREAD)
    lows = []
    for reading in spread(steady(1, 400), STRIDE):
        driver.push(reading)
        lows.append(driver.windower.low)
        assert lows[-1] <= reading.offset
    assert all(before <= after for before, after in pairwise(lows))
    assert lows[-1] > 400 * STRIDE - 2 * SPREAD.horizon


#   1 2 3 4 5 6
#   w w w w S S      the fifth completes a window of five; the sixth moves it on by one
def test_a_machine_warms_up_then_every_reading_is_scored() -> None:
    got = results(run_of(range(1, 7)), SMALL)
    assert [result.kind for result in got] == ["warm_up"] * 4 + ["scored"] * 2
    assert [window_cycles(result) for result in got[4:]] == [[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]]
    assert [result.lowest for result in got[4:]] == [0, 1]


#   1 2 3 4 . . 7 | 1 2 3 4 . . . 8
#   w w w w     S | w w w w       w      two cycles may be missing, three may not
@pytest.mark.parametrize(("newest", "kind"), [(7, "scored"), (8, "warm_up")])
def test_a_window_spans_small_gaps_only(newest: int, kind: str) -> None:
    assert kinds(run_of([1, 2, 3, 4, newest]))[-1] == kind


#   1 2 3 4 5 4 5 6
#   w w w w S d d S      sent again: counted as known, and the window has each cycle once
def test_a_repeated_reading_is_a_duplicate_and_harmless() -> None:
    got = results(run_of([1, 2, 3, 4, 5, 4, 5, 6]), SMALL)
    assert [result.kind for result in got][4:] == ["scored", "duplicate", "duplicate", "scored"]
    assert window_cycles(got[-1]) == [2, 3, 4, 5, 6]


#   1 2 3 4 4' 5
#   w w w w c  S      the first copy stays: the window shows 4, not 4'
def test_a_contradicting_copy_is_refused_and_the_first_one_stays() -> None:
    log = log_of((1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (4, 4, 1), (5, 5, 0))
    got = results(log, SMALL)
    assert [result.kind for result in got][4:] == ["conflict", "scored"]
    assert got[-1].rows[3] == (0, 4, 4, 0)


#   1 2 3 4 6 5 7
#   w w w w S S S      neighbours that changed places are both scored, in the order of cycles
def test_swapped_neighbours_are_scored_in_their_own_order() -> None:
    got = results(run_of([1, 2, 3, 4, 6, 5, 7]), SMALL)
    assert [result.kind for result in got][4:] == ["scored"] * 3
    assert [window_cycles(result) for result in got[4:]] == [
        [1, 2, 3, 4, 6],
        [1, 2, 3, 4, 5],
        [3, 4, 5, 6, 7],
    ]


#   4 5 6 2 7
#   w w w l S      too few lie below 2, and later ones came first; yet it completes the window of 7
def test_a_late_reading_may_complete_a_later_window() -> None:
    got = results(run_of([4, 5, 6, 2, 7]), SMALL)
    assert [result.kind for result in got][3:] == ["late", "scored"]
    assert window_cycles(got[-1]) == [2, 4, 5, 6, 7]


#   1 2 3 4 5 10^9 6
#   w w w w S  w   S      a broken counter harms nobody but itself
def test_a_glitch_harms_only_itself() -> None:
    log = log_of(*((c, c, 0) for c in range(1, 6)), (GLITCH, 5, 0), (6, 6, 0))
    got = results(log, SMALL)
    assert [result.kind for result in got][4:] == ["scored", "warm_up", "scored"]
    assert window_cycles(got[-1]) == [2, 3, 4, 5, 6]


#   5 6 7 8 9 1 2 3 4 5      (an overhauled engine: cycles begin again, time goes on)
#   w w w w S w w w w S
def test_an_engine_that_starts_over_warms_up_again() -> None:
    cycles = [5, 6, 7, 8, 9, 1, 2, 3, 4, 5]
    got = results(log_of(*((c, t, 0) for t, c in enumerate(cycles))), SMALL)
    assert [result.kind for result in got][4:] == ["scored", *["warm_up"] * 4, "scored"]
    assert window_cycles(got[-1]) == [1, 2, 3, 4, 5]


#   1 2 3 4@4 4@7 4@6 5@8      (cycle@time) of several readings of one cycle the latest counts
#   w w w  w   w   l   S
def test_of_equal_cycles_the_latest_is_in_the_window() -> None:
    log = log_of((1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (4, 7, 0), (4, 6, 0), (5, 8, 0))
    assert results(log, SMALL)[-1].rows[3] == (0, 4, 7, 0)


#   1 2 3 4 3@9 5      largest cycle first: 4, though 3@9 is later; and 3@9 is no earlier than 5
def test_the_largest_cycle_goes_before_the_latest_time() -> None:
    log = log_of((1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (3, 9, 0), (5, 5, 0))
    assert [row[1:3] for row in results(log, SMALL)[-1].rows] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 5),
    ]


#   1 ......... 2 3 4 5      exactly `horizon` offsets back is forgotten, one nearer is not
@pytest.mark.parametrize(("age", "kind"), [(24, "scored"), (25, "warm_up")])
def test_readings_count_until_the_horizon(age: int, kind: str) -> None:
    offsets = [0, age - 3, age - 2, age - 1, age]
    log = [logged(offset, 0, cycle, cycle) for cycle, offset in enumerate(offsets, 1)]
    assert kinds(log)[-1] == kind


#   1@1 2@2 3@3 4@4 5@4      a clock that stands still: 4@4 is not earlier than 5@4, so not below it
def test_equal_times_are_not_earlier() -> None:
    got = results(log_of((1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (5, 4, 0), (6, 5, 0)), SMALL)
    assert [result.kind for result in got][4:] == ["warm_up", "scored"]
    assert window_cycles(got[-1]) == [1, 2, 3, 5, 6]


#   1 ......... 2      the same where silent machines are swept out just before the reading comes
@pytest.mark.parametrize(("age", "kind"), [(1499, "scored"), (1500, "warm_up")])
def test_sweeping_keeps_what_is_within_the_horizon(age: int, kind: str) -> None:
    pair = SMALL.model_copy(update={"length": 2, "horizon": 1500})
    assert kinds([logged(0, 0, 1, 1), logged(age, 0, 2, 2)], pair)[-1] == kind


#   1 then seven copies of 9, then 1 again: the first has left the history of eight, so it is new
@pytest.mark.parametrize(("between", "kind"), [(6, "duplicate"), (7, "late")])
def test_the_history_holds_one_reading_less_than_its_name_counts(between: int, kind: str) -> None:
    assert kinds(run_of([1, *[9] * between, 1]))[-1] == kind


#   m1 silent for a horizon, then on at the next cycle: it warms up as if it were new
def test_a_machine_that_was_silent_for_a_horizon_starts_anew() -> None:
    log = [logged(c, 0, c, c) for c in range(1, 6)] + [logged(1000 + c, 0, c, c) for c in (6, 7)]
    assert kinds(log)[4:] == ["scored", "warm_up", "warm_up"]


# Each machine has its own history: interleaved machines are scored as if they were alone.
def test_machines_do_not_meet() -> None:
    alone = kinds(run_of(range(1, 40)), REAL)
    both = [logged(2 * c + m, m, c, c) for c in range(1, 40) for m in (0, 1)]
    assert kinds(both, REAL)[::2] == kinds(both, REAL)[1::2] == alone


# Two gateways that send every reading twice still get every reading from the thirtieth on scored.
@pytest.mark.parametrize("shift", [1, 3])
def test_a_machine_whose_every_reading_arrives_twice_is_scored(shift: int) -> None:
    cycles = range(1, 201)
    twice = sorted([(c, 0) for c in cycles] + [(c + shift - 0.5, c) for c in cycles])
    log = run_of(int(c) if copy == 0 else copy for c, copy in twice)
    first = [kind for kind, (_, copy) in zip(kinds(log, REAL), twice, strict=True) if copy == 0]
    again = [kind for kind, (_, copy) in zip(kinds(log, REAL), twice, strict=True) if copy != 0]
    assert first == ["warm_up"] * 29 + ["scored"] * 171
    assert again == ["duplicate"] * 200


# A file sent twice: a reading too old to be known as a copy may be scored again, but on the very
# same window, so that the row already stored is right.
def test_what_is_scored_again_has_the_same_window() -> None:
    got = results(run_of([*range(1, 101)] * 2), REAL)
    first = {result.rows[-1]: result.rows for result in got[:100] if result.rows}
    again = [result.rows for result in got[100:] if result.rows]
    assert again
    assert all(first[rows[-1]] == rows for rows in again)


def bytes_per_machine(readings: Iterable[tuple[str, int]], rule: Window, machines: int) -> float:
    values = np.zeros(24, np.float32)
    out = np.empty((rule.length, 24), np.float32)
    windower = Windower(rule, 24)
    tracemalloc.start()
    for offset, (sensor_id, cycle) in enumerate(readings):
        windower.push(offset, Reading(sensor_id, cycle, cycle, []), values, out)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windower) == machines
    return held / machines


# A flood of made-up machines with one reading each costs a few hundred bytes apiece.
def test_machines_of_one_reading_are_small() -> None:
    flood = ((f"FD001-engine-{n:05}", 1) for n in range(10_000))
    assert bytes_per_machine(flood, REAL, 10_000) < 400


# The machines that vanish are forgotten: their memory does not pile up beyond a horizon.
def test_silent_machines_are_forgotten() -> None:
    driver = Driver(SPREAD)
    for n in range(2000):
        driver.push(logged(n * STRIDE, n, 1, 1))
    assert len(driver.windower) < 2 * SPREAD.horizon // STRIDE


# One machine too many is refused and changes nothing for the others; known ones go on.
def test_too_many_machines_are_refused_and_change_nothing() -> None:
    full = SMALL.model_copy(update={"max_machines": 2})
    known = [logged(3 * c + m, m, c, c) for c in range(1, 8) for m in (0, 1)]
    newcomer = [logged(3 * c + 2, 2, c, c) for c in range(1, 8)]
    together = sorted(known + newcomer, key=lambda r: r.offset)
    got = dict(zip([r.offset for r in together], results(together, full), strict=True))
    refused = [Result("rejected", (), r.offset, r.time) for r in newcomer]
    assert [got[r.offset] for r in newcomer] == refused
    assert [got[r.offset] for r in known] == results(known, full)


# Room returns once a machine has been silent for a horizon.
def test_a_new_machine_is_taken_when_another_has_expired() -> None:
    full = SMALL.model_copy(update={"max_machines": 1})
    assert kinds([logged(0, 0, 1, 1), logged(1, 1, 1, 1), logged(2000, 1, 2, 2)], full) == [
        "warm_up",
        "rejected",
        "warm_up",
    ]


# A topic whose start was removed by retention begins at a high offset like any other.
def test_a_log_may_begin_anywhere() -> None:
    later = [logged(5_000_000 + c, 0, c, c) for c in range(1, 7)]
    driver = Driver(SMALL, low=5_000_000)
    assert [r.kind for r in driver.push_all(later)] == ["warm_up"] * 4 + ["scored"] * 2
    assert driver.windower.low >= 5_000_000

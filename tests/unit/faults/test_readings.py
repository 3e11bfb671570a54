"""The readings of a made-up plant, and each way in which they are garbled."""

from collections import Counter
from random import Random

import pytest

from faults.disorders import (
    a_day_off,
    choking,
    contradicted,
    poisoned,
    resent,
    restarting,
    shuffled,
    the_file_twice,
    twice_in_a_row,
    with_gaps,
    with_late_rows,
)
from faults.readings import Row, encoded, endless, made_up, rows_of, some
from plantwatch.decode import Reading, Reject, decode
from plantwatch.settings import Reading as Shape
from tests.support.small_training import small_fleet

SHAPE = Shape(settings=3, sensors=21, max_bytes=65536)
MACHINES = 20


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return some(endless(small_fleet("train"), MACHINES), 200 * MACHINES)


def key(row: Row) -> tuple[str, int, int]:
    return row.machine, row.cycle, row.time


# An endless plant: every machine's cycle 1, then every cycle 2, all of them valid readings.
def test_an_endless_plant_is_in_order_and_valid(rows: list[Row]) -> None:
    assert [row.cycle for row in rows] == sorted(row.cycle for row in rows)
    assert len({key(row) for row in rows}) == len(rows)
    assert all(isinstance(decode(*sent, SHAPE), Reading) for sent in encoded(rows))


# A fleet's own rows are all there, once.
def test_a_fleet_is_published_whole() -> None:
    fleet = small_fleet("test")
    assert len({key(row) for row in rows_of(fleet)}) == len(fleet.cycle)


# A tenth comes again: nothing is missing, and the copies say the same.
def test_readings_come_again(rows: list[Row]) -> None:
    garbled = list(resent(0.1)(rows, Random(1)))
    counts = Counter(map(key, garbled))
    assert counts.keys() == set(map(key, rows))
    assert 0.07 < sum(n - 1 for n in counts.values()) / len(rows) < 0.13


@pytest.mark.parametrize("disorder", [twice_in_a_row, the_file_twice])
def test_everything_comes_twice(rows: list[Row], disorder: object) -> None:
    assert callable(disorder)
    assert set(Counter(map(key, disorder(rows, Random(1)))).values()) == {2}


# Shuffled: the same readings, and one of a machine overtakes at most five of its own.
def test_shuffled_readings_stay_close(rows: list[Row]) -> None:
    garbled = list(shuffled(5)(rows, Random(1)))
    assert sorted(map(key, garbled)) == sorted(map(key, rows))
    assert garbled != rows
    for machine in {row.machine for row in rows}:
        cycles = [row.cycle for row in garbled if row.machine == machine]
        assert max(abs(at - cycle) for at, cycle in enumerate(cycles, 1)) <= 5


# Gaps of every length that matters: up to five missing, and more than that.
def test_gaps_are_of_all_lengths(rows: list[Row]) -> None:
    gaps: Counter[int] = Counter()
    last: dict[str, int] = {}
    for row in with_gaps(rows, Random(1)):
        gaps[row.cycle - last.get(row.machine, row.cycle - 1) - 1] += 1
        last[row.machine] = row.cycle
    assert {1, 5, 6, 40} <= gaps.keys()


# Late readings come a hundred cycles after their time, and none is missing.
def test_late_readings_come_late(rows: list[Row]) -> None:
    garbled = list(with_late_rows(rows, Random(1)))
    assert sorted(map(key, garbled)) == sorted(map(key, rows))
    newest = 0
    lateness = []
    for row in garbled:
        newest = max(newest, row.cycle)
        lateness.append(newest - row.cycle)
    assert max(lateness) >= 99


# Clocks go wrong by a day in both directions, and come right again.
def test_clocks_go_wrong_and_right_again(rows: list[Row]) -> None:
    shifts = Counter(row.time - row.cycle for row in a_day_off(rows, Random(1)))
    assert shifts.keys() == {0, 86_400, -86_400}
    assert shifts[0] > len(rows) / 2


# A second copy that contradicts has the same identity, and other values.
def test_contradictions_share_an_identity(rows: list[Row]) -> None:
    values: dict[tuple[str, int, int], set[float]] = {}
    for row in contradicted(rows, Random(1)):
        values.setdefault(key(row), set()).add(row.sensors[-1])
    assert {len(each) for each in values.values()} == {1, 2}


# Machines start over, and some claim an absurd cycle; all of these are valid readings.
def test_machines_start_over(rows: list[Row]) -> None:
    garbled = list(restarting(rows, Random(1)))
    assert Counter(row.cycle for row in garbled)[1] > MACHINES
    assert max(row.cycle for row in garbled) == 10**9
    assert all(isinstance(decode(*sent, SHAPE), Reading) for sent in encoded(garbled))


# What chokes a model is valid to the decoder.
def test_choking_readings_are_valid(rows: list[Row]) -> None:
    large = [row for row in choking(rows, Random(2)) if row.sensors[0] > 1e38]
    assert large
    assert all(isinstance(decode(*sent, SHAPE), Reading) for sent in encoded(large))


# Made-up machines are as many as asked for, each seen once.
def test_made_up_machines_are_all_different(rows: list[Row]) -> None:
    assert len({row.machine for row in made_up(1000, rows[0])}) == 1000


# No poison is ever a valid reading.
def test_poison_is_never_valid(rows: list[Row]) -> None:
    good = next(encoded(rows))
    rng = Random(1)
    results = [decode(*poisoned(good, rng), SHAPE) for _ in range(500)]
    assert all(isinstance(result, Reject) for result in results)
    assert len({result.reason for result in results if isinstance(result, Reject)}) >= 8

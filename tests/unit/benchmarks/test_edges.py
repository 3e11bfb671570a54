"""The pure parts of the measurement of the edges."""

from collections.abc import Iterator

import pytest

from benchmarks.edges import memory, report, start, verdicts
from benchmarks.stretch import Moment, Speed, measure
from plantwatch.messages import score_event_from_bytes
from tests.support.small_training import small_fleet, small_settings


def moments() -> Iterator[Moment]:
    """A slow start, 80 in the 2 s that count, a slow end."""
    yield Moment(0, 0.0, 5.0)
    yield Moment(9, 50.0, 6.0)
    yield Moment(18, 60.0, 7.0)
    yield Moment(60, 61.0, 7.1)
    yield Moment(98, 62.0, 7.8)
    raise AssertionError("nobody asks any more")


# Neither what comes before a tenth is done nor what comes after nearly all counts.
def test_start_and_end_do_not_count() -> None:
    measured = measure(moments(), 100)
    assert measured.per_s == pytest.approx(40)
    assert measured.cpu_us == pytest.approx(10_000)


# A system that stops half way has no speed.
def test_half_a_run_has_no_speed() -> None:
    with pytest.raises(ValueError, match="fewer than 98%"):
        measure([Moment(0, 0, 0), Moment(50, 1, 1)], 100)


# All in one step would be a division by zero.
def test_one_step_has_no_speed() -> None:
    with pytest.raises(ValueError, match="measure more"):
        measure([Moment(0, 0, 0), Moment(100, 1, 1)], 100)


# Every row of a preloaded topic must be stored, so no two may be of one identity, and each must be
# a message that the sink takes.
def test_made_up_verdicts_are_all_different_and_valid() -> None:
    fleet = small_fleet("train", 2)
    rule = small_settings().anomaly.rule()
    made = verdicts.events(fleet, 3 * len(fleet.cycle), rule)
    assert len({(one.sensor_id, one.cycle, one.event_time) for one in made}) == len(made)
    assert [score_event_from_bytes(one.to_bytes()) for one in made] == made
    assert all(bool(one.top_sensors) == one.is_anomaly for one in made)
    assert any(one.is_anomaly for one in made)
    read = verdicts.readings(fleet, len(made))
    assert [(one.sensor_id, one.cycle, one.event_time) for one in read] == [
        (one.sensor_id, one.cycle, one.event_time) for one in made
    ]


# A ratio is of two that ran in the same round: the machine may be slower in another.
def test_ratios_are_of_the_same_round() -> None:
    runs = [
        ("plantwatch", Speed(100, 3)),
        ("copy", Speed(200, 1)),
        ("copy", Speed(20, 1)),
        ("plantwatch", Speed(8, 3)),
        ("plantwatch", Speed(30, 3)),
        ("copy", Speed(60, 1)),
    ]
    figures = {"sink": report.by_system(runs, "row")}
    assert figures["sink"]["copy"]["rows_per_s"] == [200, 20, 60]
    ours, _, theirs, _ = report.rows(figures)
    assert ours == ("sink, plantwatch, rows/s", "30", "8-100", "", "")
    assert theirs == ("sink, copy, rows/s", "60", "20-200", "0.50 (0.40-0.50)", ">= 0.5")


# What misses its target says so; the others do not.
def test_a_missed_target_is_told() -> None:
    sent = [("plantwatch", Speed(59, 1)), ("loop", Speed(100, 1)), ("bare", Speed(200, 1))]
    figures = {
        "producer": report.by_system(sent, "reading"),
        "start": {"first_verdict_s": [3.0, 4.1, 9.0]},
        "memory": {"bytes_per_machine": {"1": 12_000, "64": 12_001}},
    }
    missed = [row[0] for row in report.rows(figures) if row[-1].endswith("missed")]
    assert missed == [
        "producer, loop, readings/s",
        "start to first verdict, s",
        "bytes a machine, 64 readings",
    ]


# The packages are read out of what Python tells on standard error, among other lines.
def test_imported_packages_are_found() -> None:
    text = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       120 |        120 |   torch._C\n"
        "import time:        20 |       1400 | confluent_kafka\n"
        '{"event": "import mlflow"}\n'
    )
    assert start.imported_packages(text) >= {"torch", "confluent_kafka"}
    assert "mlflow" not in start.imported_packages(text)


# A full history is at least its numbers: 64 rows of 24 floats, and an offset, cycle and time each.
def test_the_memory_of_full_histories_is_seen() -> None:
    numbers = 64 * (24 * 4 + 3 * 8)
    assert 0.9 * numbers < memory.bytes_per_machine(64, machines=500) < 2 * numbers

"""One, two, four workers in one group, on readings that lie ready: what another one adds."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple

from benchmarks.laboratory import Laboratory
from benchmarks.processes import cpu_seconds
from benchmarks.stretch import Moment, speed
from connections.kafka import ensure_topics
from faults.injections.members import second_worker
from faults.load import Load
from faults.moments import WORKER, scores
from faults.plant import Plant
from faults.readings import encoded, endless, some
from faults.supervised import Processes, until

WORKERS: Final = (1, 2, 4)
_MACHINES: Final = 200
"""Enough that their names fill all partitions alike, and each worker has its share."""
_READINGS: Final = 120_000
"""So many that the largest group is busy for seconds."""
_SHARE: Final = (0.25, 0.9)
"""Measured between these shares of the scores: all have joined, and none is idle yet."""
_PATIENCE_SEC: Final = 300.0


class Scaled(NamedTuple):
    """A group of workers: readings/s together, and CPU of all of them a reading."""

    workers: int
    readings_per_s: float
    cpu_us_per_reading: float


def scale(laboratory: Laboratory) -> Iterator[Scaled]:
    """Measure every size of the group on a topic of its own."""
    for workers in WORKERS:
        with laboratory.pipeline(("migrate",)) as plant:
            ensure_topics(plant.settings)
            rows = some(endless(laboratory.fleet, _MACHINES), _READINGS)
            load = Load(plant.settings, encoded(rows), None)
            load.start()
            load.finish()
            yield _measure(plant, workers)


def _measure(plant: Plant, workers: int) -> Scaled:
    expected = _READINGS - (plant.settings.window.length - 1) * _MACHINES
    with ExitStack() as stack:
        names = [f"worker-{number}" for number in range(workers)]
        group = [stack.enter_context(second_worker(plant, name)) for name in names]
        first, last = (_reach(plant, group, share * expected) for share in _SHARE)
    of_scores, each = speed(first, last), _READINGS / expected
    return Scaled(workers, round(of_scores.per_s * each), round(of_scores.cpu_us / each, 1))


def _reach(plant: Plant, group: list[Processes], wanted: float) -> Moment:
    until(lambda: scores(plant) >= wanted, "the scores are there", _PATIENCE_SEC)
    cpu = sum(cpu_seconds(one.pid(WORKER)) for one in group)
    return Moment(scores(plant), time.monotonic(), cpu)

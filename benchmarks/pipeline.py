"""The whole pipeline on this machine: how much it bears, how late it is, what each stage costs.

The load generator and the subscriber run here, on the same cores; their share is not a stage's.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from benchmarks.laboratory import Laboratory
from benchmarks.listening import Listener, percentiles
from benchmarks.processes import cpu_seconds
from faults.load import Load
from faults.moments import SINK, WORKER, drained, metric, waiting
from faults.plant import Plant
from faults.readings import encoded, endless, some
from faults.supervised import until
from sinks.postgres import connect

_MACHINES: Final = 100
_WARM_SEC: Final = 3.0
_BURST: Final = 60_000
"""Readings without a pause, from which the search for the highest rate begins."""
_STEPS: Final = (1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
_KEEPS_PACE: Final = 0.98
_BEHIND_SEC: Final = 2.5
"""Offsets are committed each second, by the worker and then by the sink: so much is no lag yet."""
_PATIENCE_SEC: Final = 600.0
_SIZE: Final = "SELECT pg_total_relation_size('anomaly_events'), count(*) FROM anomaly_events"


@dataclass(frozen=True, slots=True)
class Sustained:
    """One rate for some seconds; it `held` when the load kept its pace and all of it kept up.

    `score_ms` are p50, p95, p99 from publication to the verdict's arrival at a subscriber. CPU is
    in microseconds a reading, by stage.
    """

    rate: float
    held: bool
    published_per_s: float
    score_ms: list[float]
    stored_mean_ms: float
    cpu_us: dict[str, float]
    worker_mb: float


def sustain(laboratory: Laboratory, rate: float, seconds: float) -> Sustained:
    """Publish `rate` readings a second for so long, and look whether all of it keeps up."""
    with laboratory.pipeline() as made, Listener(made.settings) as listener:
        rows = encoded(endless(laboratory.fleet, _MACHINES))
        load = Load(made.settings, rows, rate, burst=29 * _MACHINES)
        load.start()
        try:
            until(lambda: listener.heard > 0, "the first verdict is there")
            time.sleep(_WARM_SEC)
            before, cpu, heard, stored = load.sent, _cpu(made), listener.heard, _stored(made)
            began = time.monotonic()
            time.sleep(seconds)
            sent, took = load.sent - before, time.monotonic() - began
            used, behind = _cpu(made), waiting(made)
            delays, memory = listener.since(heard), made.memory(WORKER) / 2**20
            summed, count = (now - then for now, then in zip(_stored(made), stored, strict=True))
        finally:
            load.abandon()
    return Sustained(
        rate=rate,
        held=sent / took > _KEEPS_PACE * rate and behind < _BEHIND_SEC * rate,
        published_per_s=round(sent / took, 1),
        score_ms=percentiles(delays),
        stored_mean_ms=round(1000 * summed / max(1.0, count), 1),
        cpu_us={name: round(1e6 * (used[name] - cpu[name]) / sent, 1) for name in used},
        worker_mb=round(memory),
    )


class Burst(NamedTuple):
    """Many readings without a pause: readings/s from the first publication to the last row stored,
    and what a row takes on PostgreSQL's disk, indexes included.
    """

    readings_per_s: float
    row_bytes: float


def at_once(laboratory: Laboratory) -> Burst:
    """Publish many readings and wait until all of them are stored."""
    with laboratory.pipeline() as made:
        rows = some(endless(laboratory.fleet, _MACHINES), _BURST)
        load = Load(made.settings, encoded(rows), None)
        began = time.monotonic()
        load.start()
        until(lambda: load.sent == _BURST, "all is published", _PATIENCE_SEC)
        load.finish()
        drained(made)
        rate = _BURST / (time.monotonic() - began)
        with connect(made.settings) as connection:
            size, number = connection.execute(_SIZE).fetchone() or (0, 1)
    return Burst(rate, size / number)


def highest(laboratory: Laboratory, estimate: float, seconds: float) -> Iterator[Sustained]:
    """Rates from above an estimate down to the first that holds."""
    for step in _STEPS:
        found = sustain(laboratory, round(step * estimate, -2), seconds)
        yield found
        if found.held:
            return


def document(found: Sustained) -> dict[str, Any]:
    return asdict(found)


def _cpu(made: Plant) -> dict[str, float]:
    """CPU seconds so far of each stage."""
    servers = made.servers.processes
    return {
        "broker": cpu_seconds(servers.pid("kafka")),
        "worker": cpu_seconds(made.processes.pid(WORKER)),
        "sink": cpu_seconds(made.processes.pid(SINK)),
        "PostgreSQL": cpu_seconds(servers.pid("postgres")),
    }


def _stored(made: Plant) -> tuple[float, float]:
    """Sum of the seconds from publication to stored, and of how many rows."""
    name = "plantwatch_publish_to_stored_seconds"
    return metric(made, SINK, f"{name}_sum"), metric(made, SINK, f"{name}_count")

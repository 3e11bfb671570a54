"""The whole pipeline on this machine: how much it bears, how late it is, what each stage costs.

The load generator and the subscriber run here, on the same cores; their share is not a stage's.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from benchmarks.laboratory import Laboratory
from benchmarks.listening import Listener, percentiles
from benchmarks.processes import cpu_seconds
from benchmarks.sustained import Sustained
from connections.postgres import connect
from faults.load import Load
from faults.moments import SINK, WORKER, drained, waiting
from faults.plant import Plant
from faults.readings import encoded, endless, some
from faults.supervised import FaultError, until
from ledger.run import run as judge
from producers.manifest import FOLDER as MANIFESTS

_MACHINES: Final = 100
"""As many as NASA's first fleet has."""
LOW_LATENCY: Final = {
    "KAFKA_PARTITIONS": "2",
    "PRODUCER_LINGER_MS": "1",
    "WORKER_CHUNK_FILL_MS": "1",
}
"""Settings of a small plant that would rather have its verdicts soon than many of them."""
_WARM_SEC: Final = 3.0
"""What was queued while the first readings came is through by then."""
_BURST: Final = 60_000
"""Readings without a pause, from which the search for the highest rate begins."""
_STEPS: Final = (1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Rates that are tried, as shares of the burst's: that has larger batches than a steady rate."""
_KEEPS_PACE: Final = 0.98
"""A load generator that publishes less of its rate than this has not been served."""
_BEHIND_SEC: Final = 2.5
"""Offsets are committed each second, by the worker and then by the sink: so much is no lag yet."""
_CATCH_UP_SEC: Final = 30.0
"""A rate that is not kept up with by then is too high; beside the time for the machines' first
readings, at `_FIRST_PER_S`.
"""
_FIRST_PER_S: Final = 2_000.0
_PATIENCE_SEC: Final = 600.0
_WHEN: Final = """
SELECT source_partition, last_offset, extract(epoch FROM created_at)::float8 * 1000
FROM anomaly_events
"""
_SIZE: Final = "SELECT pg_total_relation_size('anomaly_events'), count(*) FROM anomaly_events"


class Burst(NamedTuple):
    """Many readings without a pause: readings/s from the first publication to the last row stored,
    what a row takes on PostgreSQL's disk, indexes included, and what the ledger says of it all.
    """

    readings_per_s: float
    row_bytes: float
    ledger: dict[str, Any]


class _Snapshot(NamedTuple):
    """So far: seconds of a monotonic clock, readings published, verdicts received, CPU seconds."""

    at: float
    sent: int
    received: int
    cpu: dict[str, float]


def burst(laboratory: Laboratory) -> Burst:
    """Publish many readings, wait until all of them are stored, and have them judged."""
    with laboratory.pipeline() as plant:
        rows = some(endless(laboratory.fleet, _MACHINES), _BURST)
        load = Load(plant.settings, encoded(rows), None)
        began = time.monotonic()
        load.start()
        load.finish()
        drained(plant)
        rate = _BURST / (time.monotonic() - began)
        with connect(plant.settings, "reader") as connection:
            size, number = connection.execute(_SIZE).fetchone() or (0, 1)
        findings = judge(plant.settings, plant.home / MANIFESTS, lambda _done, _of: None)
    return Burst(round(rate), round(size / number), findings.document())


def highest(laboratory: Laboratory, estimate: float, seconds: float) -> Iterator[Sustained]:
    """Rates from above an estimate down to the first that holds."""
    for step in _STEPS:
        found = sustain(laboratory, round(step * estimate, -2), seconds)
        yield found
        if found.held:
            return


def sustain(
    laboratory: Laboratory,
    rate: float,
    seconds: float,
    machines: int = _MACHINES,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Sustained:
    """Publish `rate` readings a second for so long, and look whether all of it keeps up."""
    with laboratory.pipeline(environ=environ) as plant, Listener(plant.settings) as listener:
        first_readings = (plant.settings.window.length - 1) * machines
        rows = encoded(endless(laboratory.fleet, machines))
        load = Load(plant.settings, rows, rate, burst=first_readings)
        load.start()
        try:
            _warm_up(plant, listener, rate, first_readings)
            begin = _snapshot(plant, listener, load)
            time.sleep(seconds)
            end = _snapshot(plant, listener, load)
            behind, memory = waiting(plant), plant.memory(WORKER)
            load.stop()
            drained(plant)
        finally:
            load.abandon()
        verdicts = listener.received[begin.received : end.received]
        stored = _stored(plant)
    sent = end.sent - begin.sent
    published_per_s = sent / (end.at - begin.at)
    return Sustained(
        rate=rate,
        machines=machines,
        partitions=plant.settings.kafka.partitions,
        held=published_per_s > _KEEPS_PACE * rate and behind < _BEHIND_SEC * rate,
        published_per_s=round(published_per_s, 1),
        score_ms=percentiles([one.arrived - one.published for one in verdicts]),
        stored_ms=percentiles(
            [stored[one.partition, one.offset] - one.published for one in verdicts]
        ),
        cpu_us={name: round(1e6 * (end.cpu[name] - begin.cpu[name]) / sent, 1) for name in end.cpu},
        worker_mb=round(memory / 2**20),
    )


def _warm_up(plant: Plant, listener: Listener, rate: float, first_readings: int) -> None:
    """Wait until the machines' first readings are through; at a rate too high, until it is clear
    that they never will be, for that is measured as well.
    """
    until(lambda: len(listener.received) > 0, "the first verdict is there", _PATIENCE_SEC)
    with suppress(FaultError):
        patience = _CATCH_UP_SEC + first_readings / _FIRST_PER_S
        until(lambda: waiting(plant) < _BEHIND_SEC * rate, "it has kept up", patience)
    time.sleep(_WARM_SEC)


def _snapshot(plant: Plant, listener: Listener, load: Load) -> _Snapshot:
    return _Snapshot(time.monotonic(), load.sent, len(listener.received), _cpu(plant))


def _cpu(plant: Plant) -> dict[str, float]:
    """CPU seconds so far of each stage."""
    servers = plant.servers.processes
    return {
        "broker": cpu_seconds(servers.pid("kafka")),
        "worker": cpu_seconds(plant.processes.pid(WORKER)),
        "sink": cpu_seconds(plant.processes.pid(SINK)),
        "PostgreSQL": cpu_seconds(servers.pid("postgres")),
    }


def _stored(plant: Plant) -> dict[tuple[int, int], float]:
    """When the transaction of each row began, in milliseconds, by partition and offset."""
    with connect(plant.settings, "reader") as connection:
        return {(at, offset): when for at, offset, when in connection.execute(_WHEN)}

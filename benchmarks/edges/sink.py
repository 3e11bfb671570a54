"""`plantwatch sink postgres` against a raw COPY, and against itself with less and more to do.

COPY is spared all that a sink is for: its rows are at hand as Python values, there is no Kafka, no
ON CONFLICT, no word about which rows are new. It commits as often, into the same kind of table.

`verdicts only` is the same sink where nothing moves an incident: that of a challenger, given the
same messages. `with readings` is the whole: incidents, and beside it a sink that keeps as many
readings in the same database.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaException, TopicPartition

from benchmarks.edges.report import VERDICTS_ONLY, WITH_READINGS
from benchmarks.edges.stack import LOG, process
from benchmarks.edges.verdicts import preload
from benchmarks.processes import cpu_seconds
from benchmarks.stretch import Moment, Speed, measure
from connections import groups
from connections.kafka import METADATA_TIMEOUT_SEC
from connections.postgres import connect
from connections.span import partitions
from local_stack.postgres import connect_as_superuser
from plantwatch.configuration import with_changes
from plantwatch.errors import UnavailableError
from plantwatch.messages import ScoreEvent, SensorReading
from plantwatch.settings import Settings
from sinks import migrate

SYSTEMS: Final = ("plantwatch", "copy", VERDICTS_ONLY, WITH_READINGS)

_LOOK_EVERY_SEC: Final = 0.02
"""Shorter than the sink takes for a batch."""
_PATIENCE_SEC: Final = 180.0
_COPY: Final = """
COPY copied (
    sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence, model_version,
    model_digest, source_partition, first_offset, last_offset
) FROM STDIN
"""


def run(
    settings: Settings,
    home: Path,
    events: Sequence[ScoreEvent],
    readings: Sequence[SensorReading],
    rounds: int,
) -> Iterator[tuple[str, Speed]]:
    """Preload the topics, then measure each system once a round, in turned order each time.

    A round before the first is not counted: the servers are cold.

    Raises:
        UnavailableError: a server does not answer, or the sink does not get on.
    """
    preload(settings, settings.topics.scores, events)
    preload(settings, settings.topics.readings, readings)
    migrate.upgrade(settings)
    rows = [_values(event) for event in events]
    with connect(settings, "owner", autocommit=True) as connection:
        connection.execute("CREATE TABLE copied (LIKE anomaly_events INCLUDING ALL)")
        for number in range(rounds + 1):
            for system in SYSTEMS if number % 2 else reversed(SYSTEMS):
                _clean(settings, home, connection)
                if system == "copy":
                    moments = _copy(connection, rows, settings.sink.batch_rows)
                    measured = measure(moments, len(rows))
                else:
                    measured = _sink(settings, home, system, number, len(rows))
                if number:
                    yield system, measured


def _clean(settings: Settings, home: Path, connection: psycopg.Connection) -> None:
    """Empty tables, and no checkpoint due: whoever comes first must not pay for the other."""
    connection.execute(
        "TRUNCATE anomaly_events, shadow_events, copied, readings, incidents, machine_states,"
        " outbox"
    )
    with connect_as_superuser(settings.postgres.port, home) as superuser:
        superuser.execute("CHECKPOINT")


def _copy(
    connection: psycopg.Connection, rows: Sequence[tuple[Any, ...]], batch: int
) -> Iterator[Moment]:
    """Store the rows, a transaction a batch; what is done after each commit."""
    yield Moment(0, time.monotonic(), time.thread_time())
    for start in range(0, len(rows), batch):
        chunk = rows[start : start + batch]
        with connection.transaction(), connection.cursor().copy(_COPY) as copy:
            for row in chunk:
                copy.write_row(row)
        yield Moment(start + len(chunk), time.monotonic(), time.thread_time())


def _sink(settings: Settings, home: Path, system: str, number: int, total: int) -> Speed:
    """One sink from the beginning of `scores`, in a group of its own."""
    group = f"{system.replace(' ', '-')}-{number}"
    same_scores = with_changes(settings, "topics", shadow_scores=settings.topics.scores)
    own = with_changes(
        same_scores,
        "sink",
        postgres_group_id=group,
        shadow_group_id=group,
        readings_group_id=f"{group}-readings",
    )
    with ExitStack() as running:
        if system == WITH_READINGS:
            running.enter_context(process(own, home, "sink", "readings"))
        store = "shadow" if system == VERDICTS_ONLY else "postgres"
        child = running.enter_context(process(own, home, "sink", store))
        return measure(_committed(own, group, child.pid), total)


def _committed(settings: Settings, group: str, pid: int) -> Iterator[Moment]:
    """Look again and again how many scores the sink has committed: they are stored by then.

    Raises:
        UnavailableError: it did not come to the end in time.
    """
    topic, deadline = settings.topics.scores, time.monotonic() + _PATIENCE_SEC
    with groups.asking(settings, group) as asker:
        wanted = [TopicPartition(topic, number) for number in partitions(asker, topic)]
        while time.monotonic() < deadline:
            try:
                found = asker.committed(wanted, METADATA_TIMEOUT_SEC)
            except KafkaException:  # a new broker has no coordinator yet
                found = []
            done = sum(max(0, one.offset) for one in found)
            yield Moment(done, time.monotonic(), cpu_seconds(pid))
            time.sleep(_LOOK_EVERY_SEC)
    raise UnavailableError(f"the sink did not get on; read {LOG}")


def _values(event: ScoreEvent) -> tuple[Any, ...]:
    return (
        event.sensor_id,
        event.cycle,
        event.event_time,
        event.anomaly_score,
        event.is_anomaly,
        event.confidence,
        event.model_version,
        event.model_digest,
        event.partition,
        event.first_offset,
        event.offset,
    )

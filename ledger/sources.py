"""Where the evidence is: the topics, the groups' commits, the table. Changes nothing.

The commits are read before anything else. What lies below them is durable by then, so a pipeline
that goes on meanwhile shows as lag, never as lost.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg

from connections import groups, span
from connections.kafka import LOOKER, METADATA_TIMEOUT_SEC
from connections.postgres import session
from ledger.evidence import Commit, Evidence, Letter, Message, Verdict
from ledger.parse import letter_of, score_of
from plantwatch.accounting import CommitMetadata
from plantwatch.instants import to_iso
from plantwatch.messages import RESCORED, identity
from plantwatch.settings import Settings

_SHOW_EVERY: Final = 1000
"""Messages between two updates of a progress bar."""


class Topics:
    """The topics as they are now, and the commits as they were just before.

    Raises (all methods):
        UnavailableError: no broker answers, or a topic is not there; the caller tells the person.
    """

    def __init__(self, settings: Settings, show: Callable[[int, int], None]) -> None:
        """`show` is told now and then how many messages were read, of how many."""
        topics = settings.topics
        self._settings = settings
        self._show = show
        self._done = 0
        self._worker = _commits(settings, settings.worker.group_id, topics.readings)
        self._sink = _commits(settings, settings.sink.postgres_group_id, topics.scores)
        # `readings` last, for the others are made from it.
        derived = topics.dead_letters, topics.anomalies, topics.scores
        self._held = {name: span.held(settings, name) for name in (*derived, topics.readings)}
        self._total = sum(len(r) for held in self._held.values() for r in held.values())

    @property
    def partitions(self) -> set[int]:
        return set(self._held[self._settings.topics.readings])

    def letters(self, unreadable: Callable[[int], None]) -> dict[int, list[Letter]]:
        """Dead letters by the partition they came from; `unreadable` is told where others are."""
        found: dict[int, list[Letter]] = defaultdict(list)
        for message in self._read(self._settings.topics.dead_letters):
            letter = letter_of(message.value or b"")
            if letter is None:
                unreadable(message.offset)
            elif letter.origin != self._settings.topics.shadow_scores:  # a challenger's, not judged
                found[letter.partition].append(letter)
        return found

    def evidence(
        self, partition: int, letters: Sequence[Letter], rows: Iterable[Verdict]
    ) -> Evidence:
        """All about one partition; its topics are read as the judge asks for them."""
        topics = self._settings.topics
        anomalies = (score_of(one).verdict for one in self._read(topics.anomalies, partition))
        return Evidence(
            partition=partition,
            readings=self._read(topics.readings, partition),
            scores=map(score_of, self._read(topics.scores, partition)),
            anomalies=(one.id for one in anomalies if one is not None),
            rows=rows,
            letters=letters,
            worker=self._worker.get(partition, Commit()),
            sink=self._sink.get(partition, Commit()),
            starts={name: held.get(partition, range(0)).start for name, held in self._held.items()},
        )

    def _read(self, topic: str, partition: int | None = None) -> Iterator[Message]:
        """The messages of one partition, or of all, that were there when we began."""
        held = self._held[topic]
        wanted = held if partition is None else {partition: held.get(partition, range(0))}
        for message in span.read(self._settings, topic, wanted):
            rescored = RESCORED in dict(message.headers() or ())
            yield Message(message.offset(), message.key(), message.value(), rescored)
            self._done += 1
            if self._done % _SHOW_EVERY == 0:
                self._show(self._done, self._total)


def cluster(settings: Settings) -> str:
    """Kafka's own id of the cluster.

    Raises:
        UnavailableError: no broker answers.
    """
    with groups.asking(settings, LOOKER) as consumer:
        return consumer.cluster_id(METADATA_TIMEOUT_SEC)


def _commits(settings: Settings, group: str, topic: str) -> dict[int, Commit]:
    """Where a group goes on in each partition that it has committed."""
    return {
        one.partition: Commit(one.offset, CommitMetadata.from_text(one.metadata))
        for one in groups.committed(settings, group, topic)
        if one.offset >= 0
    }


_ROWS: Final = """
SELECT sensor_id, cycle, (extract(epoch FROM detected_at) * 1000000)::bigint,
    anomaly_score, confidence, is_anomaly, model_version, model_digest,
    source_partition, first_offset, last_offset
FROM anomaly_events WHERE source_partition = %s ORDER BY id
"""


class Table:
    """The table `anomaly_events`, as it is at one moment."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def partitions(self) -> set[int]:
        """Where its rows say that their readings lie."""
        found = self._connection.execute("SELECT DISTINCT source_partition FROM anomaly_events")
        return {number for (number,) in found}

    def rows(self, partition: int) -> Iterator[Verdict]:
        """The rows of one partition, in the order they were stored."""
        with self._connection.cursor(f"rows_{partition}") as cursor:
            for sensor_id, cycle, time, *columns in cursor.execute(_ROWS, (partition,)):
                yield Verdict(identity(sensor_id, cycle, to_iso(time)), *columns)


@contextmanager
def table(settings: Settings) -> Iterator[Table]:
    """One read-only transaction on the table.

    Raises:
        UnavailableError: PostgreSQL is not there now.
        ConfigError: password, database, grant or table is wrong; a person must mend it.
    """
    with session(settings, "reader") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            yield Table(connection)

"""What durable things say of a pass: commits, topics, the table. Changes nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
from confluent_kafka import Consumer, TopicPartition

from connections.kafka import METADATA_TIMEOUT_SEC, client_config
from demo.account import Identity
from plantwatch.accounting import CommitMetadata
from plantwatch.messages import score_event_from_bytes, to_datetime
from plantwatch.settings import Settings


class Cluster:
    """Questions to Kafka about one set of settings; made once, closed at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def counts(self) -> Counter[str]:
        """Readings by class since ever, from the metadata of the worker's commits."""
        total: Counter[str] = Counter()
        topics, worker = self._settings.topics, self._settings.worker
        for one in self._committed(worker.group_id, topics.readings):
            found = CommitMetadata.from_text(one.metadata)
            total.update(found.counts if found else {})
        return total

    def left(self) -> int:
        """Readings not scored yet, and scores not stored yet."""
        settings = self._settings
        unscored = self._lag(settings.worker.group_id, settings.topics.readings)
        return unscored + self._lag(settings.sink.postgres_group_id, settings.topics.scores)

    def ends(self, topic: str) -> dict[int, int]:
        """The end offset of each partition."""
        with self._consumer("plantwatch-demo") as consumer:
            parts = consumer.list_topics(topic, METADATA_TIMEOUT_SEC).topics[topic].partitions
            return {
                number: consumer.get_watermark_offsets(
                    TopicPartition(topic, number), METADATA_TIMEOUT_SEC
                )[1]
                for number in parts
            }

    def latencies(self, since: dict[int, int]) -> list[float]:
        """Seconds from a reading's publication to its verdict's, by Kafka's timestamps, sorted.

        `since` are the end offsets of `scores` before the pass.
        """
        topic = self._settings.topics.scores
        left = {n: end - since.get(n, 0) for n, end in self.ends(topic).items()}
        seconds = []
        with self._consumer("plantwatch-demo") as consumer:
            consumer.assign([TopicPartition(topic, n, since.get(n, 0)) for n in left])
            for _ in range(sum(left.values())):
                message = consumer.poll(METADATA_TIMEOUT_SEC)
                if message is None:
                    break
                value = message.value()
                if message.error() is None and value is not None:
                    published = score_event_from_bytes(value).published_at
                    seconds.append((message.timestamp()[1] - published) / 1000)
        return sorted(seconds)

    def _lag(self, group: str, topic: str) -> int:
        ends = self.ends(topic)
        done = {one.partition: max(one.offset, 0) for one in self._committed(group, topic)}
        return sum(end - done[number] for number, end in ends.items())

    def _committed(self, group: str, topic: str) -> list[TopicPartition]:
        with self._consumer(group) as consumer:
            wanted = [TopicPartition(topic, number) for number in self.ends(topic)]
            return consumer.committed(wanted, METADATA_TIMEOUT_SEC)

    @contextmanager
    def _consumer(self, group: str) -> Iterator[Consumer]:
        """Of a group, which it only asks about: it never subscribes, so it is no member."""
        config = {"group.id": group, "enable.auto.commit": False}
        with closing(Consumer(client_config(self._settings) | config)) as consumer:
            yield consumer


@dataclass(frozen=True, slots=True)
class Stored:
    """The table's verdicts of one pass; `rows` is more than there are if one has two."""

    rows: int
    anomalous: dict[Identity, bool]
    scores: dict[Identity, float]


_STORED = """
SELECT sensor_id, cycle, is_anomaly, anomaly_score FROM anomaly_events
WHERE sensor_id = ANY(%s) AND detected_at > %s
"""


def stored(settings: Settings, sensor_ids: list[str], origin: int) -> Stored:
    """The verdicts on these machines later than `origin` (microseconds since 1970)."""
    cfg = settings.postgres
    with psycopg.connect(
        host=cfg.host,
        port=cfg.port,
        dbname=cfg.db,
        user=cfg.user,
        password=cfg.password.get_secret_value() if cfg.password else None,
    ) as connection:
        rows = connection.execute(_STORED, (sensor_ids, to_datetime(origin))).fetchall()
    return Stored(
        rows=len(rows),
        anomalous={(sensor_id, cycle): anomalous for sensor_id, cycle, anomalous, _ in rows},
        scores={(sensor_id, cycle): score for sensor_id, cycle, _, score in rows},
    )

"""What durable things say of a pass: commits, topics, the table. Changes nothing."""

from collections import Counter
from dataclasses import dataclass

from connections import groups, span
from connections.postgres import connect
from demo.account import Identity
from plantwatch.instants import to_datetime
from plantwatch.messages import score_event_from_bytes
from plantwatch.settings import Settings


def counts(settings: Settings) -> Counter[str]:
    """Readings by class since ever, from the metadata of the worker's commits."""
    return groups.accounting(settings).counts


def latencies(settings: Settings, since: dict[int, range]) -> list[float]:
    """Seconds from a reading's publication to its verdict's, by Kafka's timestamps, sorted.

    `since` is what `scores` held before the pass.
    """
    topic = settings.topics.scores
    wanted = {n: range(since[n].stop, now.stop) for n, now in span.held(settings, topic).items()}
    seconds = []
    for message in span.read(settings, topic, wanted):
        published = score_event_from_bytes(message.value() or b"").published_at
        seconds.append((message.timestamp()[1] - published) / 1000)
    return sorted(seconds)


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
    with connect(settings, "reader") as connection:
        rows = connection.execute(_STORED, (sensor_ids, to_datetime(origin))).fetchall()
    return Stored(
        rows=len(rows),
        anomalous={(sensor_id, cycle): anomalous for sensor_id, cycle, anomalous, _ in rows},
        scores={(sensor_id, cycle): score for sensor_id, cycle, _, score in rows},
    )

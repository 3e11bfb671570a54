"""Judged readings as messages to produce: scores, anomalies, shadow scores, dead letters."""

from typing import NamedTuple

from plantwatch.dead_letter import DeadLetter
from plantwatch.decode import Reason
from plantwatch.instants import to_iso
from plantwatch.messages import ScoreEvent, SensorContribution, identity
from plantwatch.scoring import Detector, Verdicts
from stream_processors.partition import Judged


class Output(NamedTuple):
    """One message to produce, to the partition of its source."""

    topic: str
    key: bytes
    value: bytes
    partition: int


def verdict(one: Judged, verdicts: Verdicts, row: int, detector: Detector) -> list[Output]:
    """The score of a reading, `row` of the verdicts; and the anomaly, too, if it is one."""
    topics = one.partition.settings.topics
    event = _event(one, verdicts, row, detector)
    wanted = [topics.scores] + [topics.anomalies] * event.is_anomaly
    key, value = event.sensor_id.encode(), event.to_bytes()
    return [Output(topic, key, value, one.partition.number) for topic in wanted]


def shadow_verdict(one: Judged, verdicts: Verdicts, row: int, challenger: Detector) -> Output:
    """What a challenger says of a reading, for nobody but who compares."""
    event = _event(one, verdicts, row, challenger)
    topic = one.partition.settings.topics.shadow_scores
    return Output(topic, event.sensor_id.encode(), event.to_bytes(), one.partition.number)


def dead_letter(one: Judged, reason: Reason) -> Output:
    """A record that goes no further, as it came."""
    record, topics = one.record, one.partition.settings.topics
    letter = DeadLetter.of(
        topics.readings,
        one.partition.number,
        record.offset(),
        record.key(),
        record.value(),
        reason=reason,
        detail=one.detail,
        sensor_id=None if one.reading is None else one.reading.sensor_id,
    )
    key = letter.kafka_key(record.key())
    return Output(topics.dead_letters, key, letter.to_bytes(), one.partition.number)


def _event(one: Judged, verdicts: Verdicts, row: int, detector: Detector) -> ScoreEvent:
    assert one.reading is not None
    event_time = to_iso(one.reading.time)
    return ScoreEvent(
        id=identity(one.reading.sensor_id, one.reading.cycle, event_time),
        sensor_id=one.reading.sensor_id,
        cycle=one.reading.cycle,
        event_time=event_time,
        anomaly_score=float(verdicts.anomaly_score[row]),
        is_anomaly=bool(verdicts.is_anomaly[row]),
        confidence=float(verdicts.confidence[row]),
        raw=float(verdicts.raw[row]),
        model_version=detector.version,
        model_digest=detector.digest,
        partition=one.partition.number,
        offset=one.record.offset(),
        first_offset=one.first_offset,
        published_at=one.record.timestamp()[1],
        top_sensors=tuple(
            SensorContribution(*pair)
            for pair in verdicts.top_sensors(row, one.partition.settings.anomaly.top_sensors)
        ),
        unseen_regime=verdicts.unseen_regime is not None and bool(verdicts.unseen_regime[row]),
        regime=None if verdicts.regime is None else int(verdicts.regime[row]),
        window_start=to_iso(one.first_time),
        alarm=verdicts.rule,
    )

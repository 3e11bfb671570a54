"""The way of a chunk: records of some partitions in, one model call, the outputs to produce out.

The caller produces the outputs, and commits each `Partition.ledger.position` with
`Partition.metadata` only when they are on the broker.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from plantwatch.dead_letter import DeadLetter
from plantwatch.decode import Reason
from plantwatch.history import Values
from plantwatch.instants import to_iso
from plantwatch.messages import ScoreEvent, SensorContribution, identity
from plantwatch.scoring import Detector, Verdicts, answers
from plantwatch.windows import ReadingClass
from stream_processors.partition import Judged, Partition, Record
from stream_processors.shadow import Shadow, shadow

Parts = Sequence[tuple[Partition, Sequence[Record]]]
"""Each partition of a chunk, and its next records in offset order."""


class Output(NamedTuple):
    """One message to produce, to the partition of its source."""

    topic: str
    key: bytes
    value: bytes
    partition: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a chunk.

    `published_at` are Kafka's timestamps, in milliseconds, of the readings that were scored.
    `shadow` is what a challenger made of them, empty without one; its outputs are among `outputs`.
    """

    outputs: list[Output]
    kinds: Counter[ReadingClass]
    reasons: Counter[Reason]
    anomalies: int
    published_at: list[int]
    shadow: Shadow


def process(
    parts: Parts,
    detector: Detector,
    challenger: Detector | None = None,
    clock: Callable[[], float] = time.thread_time,
) -> Outcome:
    """Classify, score and account for the next records of at least one partition.

    A fleet at leisure sends a reading here and one there: asked of all partitions at once, the
    model takes little longer than for one. What `detector` has scored `challenger` judges too, for
    `shadow_scores` and nothing else; `clock` tells the seconds that it takes.
    """
    judged, windows = _classify(parts)
    verdicts, judged, windows = _score(detector, windows, judged)
    outputs = _outputs(judged, verdicts, detector)
    shadowed = Shadow([], Counter())
    if challenger is not None and verdicts is not None:
        shadowed = _shadow(judged, windows, verdicts, challenger, clock)
        outputs += shadowed.outputs
    for one in judged:
        one.partition.account(one)
    return Outcome(
        outputs=outputs,
        kinds=Counter(one.kind for one in judged),
        reasons=Counter(one.reason for one in judged if one.reason is not None),
        anomalies=0 if verdicts is None else int(verdicts.is_anomaly.sum()),
        published_at=[
            one.record.timestamp()[1] for one in judged if one.kind is ReadingClass.SCORED
        ],
        shadow=shadowed,
    )


def _classify(parts: Parts) -> tuple[list[Judged], Values]:
    """Each record's class, and the windows of those that are scored, in their order."""
    settings = parts[0][0].settings
    width = settings.reading.settings + settings.reading.sensors
    size = sum(len(records) for _, records in parts)
    windows = np.empty((size, settings.window.length, width), np.float32)
    judged: list[Judged] = []
    scored = 0
    for partition, records in parts:
        found, more = partition.classify(records, windows[scored:])
        judged += found
        scored += more
    return judged, windows[:scored]


def _score(
    detector: Detector, windows: Values, judged: list[Judged]
) -> tuple[Verdicts | None, list[Judged], Values]:
    """The verdicts on all windows; those the model has none for are taken out and rejected.

    Their readings stay in the history, which knows no model.
    """
    rows, verdicts = answers(detector, windows)
    if len(rows) == len(windows):
        return verdicts, judged, windows
    scored = [i for i, one in enumerate(judged) if one.kind is ReadingClass.SCORED]
    for row in set(range(len(windows))).difference(rows):
        index = scored[row]
        judged[index] = judged[index]._replace(
            kind=ReadingClass.REJECTED, reason=Reason.MODEL_ERROR
        )
    return verdicts, judged, windows[rows]


def _outputs(
    judged: Sequence[Judged], verdicts: Verdicts | None, detector: Detector
) -> list[Output]:
    outputs: list[Output] = []
    row = 0
    for one in judged:
        if one.kind is ReadingClass.SCORED:
            assert verdicts is not None
            outputs += _verdict(one, verdicts, row, detector)
            row += 1
        elif one.reason is not None:
            outputs.append(_dead_letter(one, one.reason))
    return outputs


def _verdict(one: Judged, verdicts: Verdicts, row: int, detector: Detector) -> list[Output]:
    """The score, and the anomaly too if it is one."""
    topics = one.partition.settings.topics
    event = _event(one, verdicts, row, detector)
    key, value = event.sensor_id.encode(), event.to_bytes()
    wanted = [topics.scores] + [topics.anomalies] * event.is_anomaly
    return [Output(topic, key, value, one.partition.number) for topic in wanted]


def _shadow(
    judged: Sequence[Judged],
    windows: Values,
    production: Verdicts,
    challenger: Detector,
    clock: Callable[[], float],
) -> Shadow:
    scored = [one for one in judged if one.kind is ReadingClass.SCORED]

    def output(index: int, verdicts: Verdicts, row: int) -> Output:
        one = scored[index]
        event = _event(one, verdicts, row, challenger)
        topic = one.partition.settings.topics.shadow_scores
        return Output(topic, event.sensor_id.encode(), event.to_bytes(), one.partition.number)

    return shadow(challenger, windows, production.is_anomaly, output, clock)


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


def _dead_letter(one: Judged, reason: Reason) -> Output:
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

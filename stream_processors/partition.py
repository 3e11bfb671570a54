"""One partition of `readings`: a chunk of messages in, the outputs to produce out.

Nothing here knows Kafka or Faust, so any consumer loop can drive it. The caller produces the
outputs, and commits `Partition.ledger.position` with `Partition.metadata` only when they are on the
broker.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from plantwatch.accounting import CommitMetadata, Ledger
from plantwatch.decode import Reading, Reason, Reject, decode
from plantwatch.history import Values
from plantwatch.limits import RejectLimits
from plantwatch.messages import DeadLetter, ScoreEvent, SensorContribution, identity, to_iso
from plantwatch.scoring import Detector, Verdicts, answers
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass, Windower
from stream_processors.shadow import Shadow, shadow

Windows = NDArray[np.float32]


class Record(Protocol):
    """What is needed of a Kafka message; confluent_kafka.Message has it."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def offset(self) -> int: ...
    def timestamp(self) -> tuple[int, int]: ...


class Output(NamedTuple):
    """One message to produce, to the partition number of its source."""

    topic: str
    key: bytes
    value: bytes


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


class _Judged(NamedTuple):
    """One record with its class; reading, window's offset and first event time where there are."""

    record: Record
    kind: ReadingClass
    reading: Reading | None
    first_offset: int
    first_time: int
    reason: Reason | None
    detail: str = ""


class Partition:
    """The state of one partition, and the way of a chunk through it."""

    def __init__(self, number: int, settings: Settings, ledger: Ledger, low: int) -> None:
        """Start without history; `restore` takes it from `low` up to the ledger's position."""
        self.number = number
        self.ledger = ledger
        self._settings = settings
        self._topics = settings.topics
        self._width = settings.reading.settings + settings.reading.sensors
        self.limits = RejectLimits(settings.rejects)
        self._windower = Windower(settings.window, self._width, low)

    @property
    def machines(self) -> int:
        """How many machines have a history here."""
        return len(self._windower)

    def metadata(self, model: str) -> str:
        """What to commit beside `ledger.position`; `model` is the digest in use from there on."""
        return CommitMetadata(
            start=self.ledger.start,
            low=min(self._windower.low, self.ledger.position),
            model=model,
            counts=self.ledger.counts,
        ).to_text()

    def restore(self, records: Sequence[Record]) -> None:
        """Take readings of before the committed offset into the history again, uncounted."""
        decoded, values = self._decode(records)
        rows = iter(values)
        for record, one in zip(records, decoded, strict=True):
            if type(one) is Reading:
                self._windower.restore(record.offset(), one, next(rows))

    def process(
        self,
        records: Sequence[Record],
        detector: Detector,
        challenger: Detector | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> Outcome:
        """Classify, score and account for the next records, in offset order.

        What `detector` has scored `challenger` judges too, for `shadow_scores` and nothing else;
        `clock` tells the seconds that it takes.
        """
        judged, windows = self._classify(records)
        verdicts, judged, windows = _score(detector, windows, judged)
        outputs = self._outputs(judged, verdicts, detector)
        shadowed = Shadow([], Counter())
        if challenger is not None and verdicts is not None:
            shadowed = self._shadow(judged, windows, verdicts, challenger, clock)
            outputs += shadowed.outputs
        for one in judged:
            self.ledger.skip_to(one.record.offset())
            self.ledger.count(one.kind)
            self.limits.add(
                rejected=one.kind is ReadingClass.REJECTED
                and one.reason is not Reason.TOO_MANY_MACHINES
            )
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

    def _classify(self, records: Sequence[Record]) -> tuple[list[_Judged], Windows]:
        """Each record's class, and the windows of those that are scored, in their order."""
        decoded, values = self._decode(records)
        windows = np.empty((len(values), self._settings.window.length, self._width), np.float32)
        judged: list[_Judged] = []
        taken = scored = 0
        for record, one in zip(records, decoded, strict=True):
            offset = record.offset()
            if isinstance(one, Reject):
                judged.append(
                    _Judged(record, ReadingClass.REJECTED, None, offset, 0, one.reason, one.detail)
                )
                continue
            kind, first, since = self._windower.push(offset, one, values[taken], windows[scored])
            taken += 1
            scored += kind is ReadingClass.SCORED
            judged.append(_Judged(record, kind, one, first, since, _REASONS.get(kind)))
        return judged, windows[:scored]

    def _decode(self, records: Sequence[Record]) -> tuple[list[Reading | Reject], Values]:
        """Each record, and the values [n, width] of those that are readings, in their order."""
        decoded = [decode(r.key(), r.value(), self._settings.reading) for r in records]
        values = [one.values for one in decoded if type(one) is Reading]
        return decoded, np.array(values, np.float32).reshape(-1, self._width)

    def _outputs(
        self, judged: Sequence[_Judged], verdicts: Verdicts | None, detector: Detector
    ) -> list[Output]:
        outputs: list[Output] = []
        row = 0
        for one in judged:
            if one.kind is ReadingClass.SCORED:
                assert verdicts is not None
                outputs += self._verdict(one, verdicts, row, detector)
                row += 1
            elif one.reason is not None:
                outputs.append(self._dead_letter(one, one.reason))
        return outputs

    def _verdict(
        self, one: _Judged, verdicts: Verdicts, row: int, detector: Detector
    ) -> list[Output]:
        """The score, and the anomaly too if it is one."""
        event = self._event(one, verdicts, row, detector)
        key, value = event.sensor_id.encode(), event.to_bytes()
        topics = [self._topics.scores] + [self._topics.anomalies] * event.is_anomaly
        return [Output(topic, key, value) for topic in topics]

    def _shadow(
        self,
        judged: Sequence[_Judged],
        windows: Windows,
        production: Verdicts,
        challenger: Detector,
        clock: Callable[[], float],
    ) -> Shadow:
        scored = [one for one in judged if one.kind is ReadingClass.SCORED]

        def output(index: int, verdicts: Verdicts, row: int) -> Output:
            event = self._event(scored[index], verdicts, row, challenger)
            return Output(self._topics.shadow_scores, event.sensor_id.encode(), event.to_bytes())

        return shadow(challenger, windows, production.is_anomaly, output, clock)

    def _event(self, one: _Judged, verdicts: Verdicts, row: int, detector: Detector) -> ScoreEvent:
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
            partition=self.number,
            offset=one.record.offset(),
            first_offset=one.first_offset,
            published_at=one.record.timestamp()[1],
            top_sensors=tuple(
                SensorContribution(*pair)
                for pair in verdicts.top_sensors(row, self._settings.anomaly.top_sensors)
            ),
            unseen_regime=verdicts.unseen_regime is not None and bool(verdicts.unseen_regime[row]),
            regime=None if verdicts.regime is None else int(verdicts.regime[row]),
            window_start=to_iso(one.first_time),
            alarm=verdicts.rule,
        )

    def _dead_letter(self, one: _Judged, reason: Reason) -> Output:
        letter = DeadLetter.of(
            self._topics.readings,
            self.number,
            one.record.offset(),
            one.record.key(),
            one.record.value(),
            reason=reason,
            detail=one.detail,
            sensor_id=None if one.reading is None else one.reading.sensor_id,
        )
        return Output(
            self._topics.dead_letters, letter.kafka_key(one.record.key()), letter.to_bytes()
        )


_REASONS = {
    ReadingClass.CONFLICT: Reason.CONFLICT,
    ReadingClass.LATE: Reason.LATE,
    # The windower itself rejects for one reason only.
    ReadingClass.REJECTED: Reason.TOO_MANY_MACHINES,
}


def _score(
    detector: Detector, windows: Windows, judged: list[_Judged]
) -> tuple[Verdicts | None, list[_Judged], Windows]:
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

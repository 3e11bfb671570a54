"""The way of a chunk: records of some partitions in, one model call, the outputs to produce out.

The caller produces the outputs, and commits each `Partition.ledger.position` with
`Partition.metadata` only when they are on the broker.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from plantwatch.decode import Reason
from plantwatch.history import Values
from plantwatch.scoring import Detector, Verdicts, answers
from plantwatch.windows import ReadingClass
from stream_processors.outputs import Output, dead_letter, verdict
from stream_processors.partition import Judged, Partition, Record
from stream_processors.shadow import Shadow, shadow

Parts = Sequence[tuple[Partition, Sequence[Record]]]
"""Each partition of a chunk, and its next records in offset order."""


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
        scored = [one for one in judged if one.kind is ReadingClass.SCORED]
        shadowed = shadow(challenger, scored, windows, verdicts.is_anomaly, clock)
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
            outputs += verdict(one, verdicts, row, detector)
            row += 1
        elif one.reason is not None:
            outputs.append(dead_letter(one, one.reason))
    return outputs

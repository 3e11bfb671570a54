"""One partition of `readings`: its machines' histories, and what its messages are by the rules.

Nothing here knows Kafka or Faust, so any consumer loop can drive it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from plantwatch.accounting import CommitMetadata, Ledger
from plantwatch.decode import Reading, Reason, Reject, decode
from plantwatch.history import Values
from plantwatch.limits import RejectLimits
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass, Windower


class Record(Protocol):
    """What is needed of a Kafka message; confluent_kafka.Message has it."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def offset(self) -> int: ...
    def timestamp(self) -> tuple[int, int]: ...


class Judged(NamedTuple):
    """One record with its class; reading, window's offset and first event time where there are."""

    partition: "Partition"
    record: Record
    kind: ReadingClass
    reading: Reading | None
    first_offset: int
    first_time: int
    reason: Reason | None
    detail: str = ""


class Partition:
    """The state of one partition."""

    def __init__(self, number: int, settings: Settings, ledger: Ledger, low: int) -> None:
        """Start without history; `restore` takes it from `low` up to the ledger's position."""
        self.number = number
        self.ledger = ledger
        self.settings = settings
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

    def classify(self, records: Sequence[Record], windows: Values) -> tuple[list[Judged], int]:
        """The class of each of the next records, in offset order, and how many are to be scored.

        The windows of those are written to the first rows of `windows`, float32
        [len(records) or more, length, width], in their order.
        """
        decoded, values = self._decode(records)
        judged: list[Judged] = []
        taken = scored = 0
        for record, one in zip(records, decoded, strict=True):
            offset = record.offset()
            if isinstance(one, Reject):
                kind = ReadingClass.REJECTED
                judged.append(Judged(self, record, kind, None, offset, 0, one.reason, one.detail))
                continue
            kind, first, since = self._windower.push(offset, one, values[taken], windows[scored])
            taken += 1
            scored += kind is ReadingClass.SCORED
            judged.append(Judged(self, record, kind, one, first, since, _REASONS.get(kind)))
        return judged, scored

    def account(self, one: Judged) -> None:
        """Count a record, and move the position beyond it: its outputs are about to be produced."""
        self.ledger.skip_to(one.record.offset())
        self.ledger.count(one.kind)
        self.limits.add(
            rejected=one.kind is ReadingClass.REJECTED
            and one.reason is not Reason.TOO_MANY_MACHINES
        )

    def _decode(self, records: Sequence[Record]) -> tuple[list[Reading | Reject], Values]:
        """Each record, and the values [n, width] of those that are readings, in their order."""
        decoded = [decode(r.key(), r.value(), self.settings.reading) for r in records]
        values = [one.values for one in decoded if type(one) is Reading]
        return decoded, np.array(values, np.float32).reshape(-1, self._width)


_REASONS = {
    ReadingClass.CONFLICT: Reason.CONFLICT,
    ReadingClass.LATE: Reason.LATE,
    # The windower itself rejects for one reason only.
    ReadingClass.REJECTED: Reason.TOO_MANY_MACHINES,
}

"""What a sink is: it takes batches of verdicts and says what became of every row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from plantwatch.errors import UnavailableError
from plantwatch.messages import ScoreEvent, score_event_from_bytes

_SPELLED: Final = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
"""An event time as `plantwatch.messages.to_iso` spells it."""


class Record(NamedTuple):
    """A message of `scores` as it was read: `timestamp` is Kafka's, in milliseconds since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Row(NamedTuple):
    """A verdict on its way to a store; `detected_at` is the event time of its last reading."""

    event: ScoreEvent
    detected_at: datetime
    record: Record


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that the store will never take, and its words for why."""

    row: Row
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: every row is stored now, known from before, or refused."""

    stored: Sequence[Row]
    known: int
    refused: Sequence[Refusal]


class StoreAwayError(UnavailableError):
    """The store does not answer, or not now: the batch must be written again until it does."""

    def __init__(self, why: str, detail: str) -> None:
        """Say `why` in a word (a metric's label, bounded), and in a sentence what to do."""
        super().__init__(detail)
        self.why = why


class Sink(Protocol):
    """A store of verdicts, driven by `sinks.consume`, from one thread."""

    name: str

    def write(self, batch: Sequence[Row]) -> Outcome:
        """Store a batch, in its order; blocks until it is durable, within the sink's deadline.

        Writing a batch again, whole or in parts, must be harmless: that is how lost replies,
        crashes and rebalances are healed.

        Raises:
            StoreAwayError: nothing is known to be stored; the caller waits and writes the same
                batch again, for ever, and commits nothing before it succeeds.
            ConfigError: a person must change something first; the caller ends the process with
                nothing committed, so that no row is lost.
        """

    def close(self) -> None:
        """Let go of the store; never raises, and `write` may still be called after it."""


def row_of(record: Record) -> Row:
    """Read the verdict out of a message.

    Raises:
        ValueError: it is none (pydantic's ValidationError is a ValueError), or its event time is
            not spelled as `plantwatch.messages` spells it; the caller sends it to the dead letters.
    """
    event = score_event_from_bytes(record.value or b"")
    return Row(event, _instant(event.event_time), record)


def _instant(text: str) -> datetime:
    # One spelling only: an id contains the text, the table the instant, and both must agree on
    # what is a second copy. PostgreSQL would also take "now", Python a 24th hour.
    if _SPELLED.fullmatch(text) is None:
        raise ValueError(f"event_time {text!r} is not spelled like 2026-11-23T02:15:11.000000Z")
    return datetime.fromisoformat(text)

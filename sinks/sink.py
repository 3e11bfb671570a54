"""What a sink is: it takes batches of rows and says what became of each of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from plantwatch.messages import ScoreEvent, score_event_from_bytes

_SPELLED: Final = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
"""An event time as `plantwatch.instants.to_iso` spells it."""


class Record(NamedTuple):
    """A message as it was read: `timestamp` is Kafka's, in milliseconds since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Storable(Protocol):
    """What the loop asks of a row, whatever is in it: where it came from, should it be refused."""

    @property
    def record(self) -> Record: ...

    @property
    def sensor_id(self) -> str: ...


R = TypeVar("R", bound=Storable)


class Row(NamedTuple):
    """A verdict on its way to a store; `detected_at` is the event time of its last reading."""

    event: ScoreEvent
    detected_at: datetime
    record: Record

    @property
    def sensor_id(self) -> str:
        return self.event.sensor_id


@dataclass(frozen=True, slots=True)
class Refusal(Generic[R]):
    """A row that the store will never take, and its words for why."""

    row: R
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What became of a batch: every row is stored now, known from before, or refused."""

    stored: Sequence[R]
    known: int
    refused: Sequence[Refusal[R]]


class Sink(Protocol[R]):
    """A store of rows of one kind, driven by `sinks.consume`, from one thread."""

    name: str

    def write(self, batch: Sequence[R]) -> Outcome[R]:
        """Store a batch, in its order; blocks until it is durable, within the sink's deadline.

        Writing a batch again, whole or in parts, must be harmless: that is how lost replies,
        crashes and rebalances are healed.

        Raises:
            StoreAwayError: nothing is known to be stored; the caller waits and writes the same
                batch again, for ever, and commits nothing before it succeeds.
            ConfigError: a person must change something first; the caller ends the process with
                nothing committed, so that no row is lost.
        """

    def tend(self) -> None:
        """Do a little of what else there is to do; called between batches, and while none come.

        Raises:
            StoreAwayError: not now; the caller goes on, and it is done some other time.
            ConfigError: as above.
        """

    def close(self) -> None:
        """Let go of the store; never raises, and `write` may still be called after it."""


def row_of(record: Record) -> Row:
    """Read the verdict out of a message.

    Raises:
        ValueError: it is none (pydantic's ValidationError is a ValueError), or its event time is
            not spelled as `plantwatch.instants` spells it; the caller sends it to the dead letters.
    """
    event = score_event_from_bytes(record.value or b"")
    return Row(event, _instant(event.event_time), record)


def _instant(text: str) -> datetime:
    # One spelling only: an id contains the text, the table the instant, and both must agree on
    # what is a second copy. PostgreSQL would also take "now", Python a 24th hour.
    if _SPELLED.fullmatch(text) is None:
        raise ValueError(f"event_time {text!r} is not spelled like 2026-11-23T02:15:11.000000Z")
    return datetime.fromisoformat(text)

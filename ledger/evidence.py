"""What the judge is shown: plain facts, wherever they were read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from plantwatch.accounting import CommitMetadata

Identity = tuple[str, int, int]
"""A reading's machine, cycle, and event time in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a topic; `rescored` when its headers say so."""

    offset: int
    key: bytes | None
    value: bytes | None
    rescored: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a message of `scores`, or a row of the table, says of the reading `id`.

    The window is that of `partition` from `first_offset` to `last_offset`, its lowest offset and
    that of its last reading; `window_start`, of messages only, the event time of its first.
    """

    id: str
    score: float
    confidence: float
    is_anomaly: bool
    model_version: str
    digest: str
    partition: int
    first_offset: int
    last_offset: int
    window_start: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One message of `scores`; None is said by one that is no verdict.

    `rescored`: made by hand after a model had failed on the window, and marked so.
    """

    offset: int
    verdict: Verdict | None
    rescored: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: why the message at an offset of the topic `origin` went no further.

    `sha256` is that of the message's value, as it says.
    """

    origin: str
    partition: int
    offset: int
    reason: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """Where a group goes on in a partition, and what the worker wrote beside that."""

    offset: int = 0
    metadata: CommitMetadata | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All about one partition of `readings`: its own log, and what came of it.

    `scores` and `anomalies` (ids) are those of the same partition number, which is where the worker
    puts them; `letters` those whose origin is this partition; `starts` the first offset that each
    topic still holds of it. All in the order of offsets; read once, from the front.
    """

    partition: int
    readings: Iterable[Message] = ()
    scores: Iterable[Score] = ()
    anomalies: Iterable[str] = ()
    rows: Iterable[Verdict] = ()
    letters: Iterable[Letter] = ()
    worker: Commit = Commit()
    sink: Commit = Commit()
    starts: Mapping[str, int] = field(default_factory=dict)

    def place(self, topic: str, offset: int) -> str:
        """What to call an offset of this partition."""
        return f"{topic}/{self.partition}/{offset}"

"""Dead letters as a collection: each once, chosen, counted, in the order of their source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from plantwatch.dead_letter import DeadLetter, Original, dead_letter_from_bytes


@dataclass(frozen=True, slots=True)
class Filed:
    """A dead letter, what it keeps of the message, and when it was written (Kafka's timestamp)."""

    letter: DeadLetter
    original: Original
    at: datetime

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset of the message in the topic `letter.origin`."""
        return self.letter.partition, self.letter.offset


def filed(value: bytes, at: datetime) -> Filed | None:
    """A message of the dead-letter topic; None if it is no dead letter."""
    try:
        letter = dead_letter_from_bytes(value)
        return Filed(letter, letter.original, at)
    except ValueError:  # pydantic's ValidationError is one, and so is what base64 raises
        return None


def first_of_each(letters: Iterable[Filed]) -> Iterator[Filed]:
    """Without repeats: the topic is at least once, and the first letter of an id counts."""
    seen: set[str] = set()
    for one in letters:
        if one.letter.id not in seen:
            seen.add(one.letter.id)
            yield one


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant: those that agree with everything that is not None.

    `since` is the earliest time of writing; `id` is origin/partition/offset.
    """

    reason: str | None = None
    origin: str | None = None
    since: datetime | None = None
    id: str | None = None

    def __contains__(self, one: Filed) -> bool:
        return (
            self.reason in (None, one.letter.reason)
            and self.origin in (None, one.letter.origin)
            and self.id in (None, one.letter.id)
            and (self.since is None or one.at >= self.since)
        )


def in_source_order(letters: Iterable[Filed]) -> list[Filed]:
    """By origin, partition and offset: as the messages first came."""
    return sorted(letters, key=lambda one: (one.letter.origin, *one.place))


@dataclass(frozen=True, slots=True)
class Group:
    """The letters of one reason and origin; `example` is the id of the newest."""

    reason: str
    origin: str
    count: int
    first: datetime
    last: datetime
    example: str


def summarise(letters: Iterable[Filed]) -> list[Group]:
    """One group per reason and origin, the largest first."""
    groups: dict[tuple[str, str], Group] = {}
    for one in letters:
        letter, at = one.letter, one.at
        key = letter.reason, letter.origin
        known = groups.get(key) or Group(*key, 0, at, at, letter.id)
        groups[key] = Group(
            *key,
            known.count + 1,
            min(known.first, at),
            max(known.last, at),
            letter.id if at >= known.last else known.example,
        )
    return sorted(groups.values(), key=lambda group: (-group.count, group.reason, group.origin))

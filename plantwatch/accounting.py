"""Every reading accounted for: the classes counted, and what a commit carries besides its offset.

The metadata of an offset commit is the one durable place for three things: the counts since the
group's first offset of the partition, where a read-back must begin, and which model scores what
comes next. Invariant: the counts add up to `offset - start`.
"""

from dataclasses import dataclass, field
from typing import Final, Self

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from plantwatch.windows import ReadingClass

SKIPPED: Final = "skipped"
"""Offsets that held no reading: transaction markers, or removed by retention."""

CLASSES: Final = (*ReadingClass, SKIPPED)


class CommitMetadata(BaseModel):
    """What is written beside a committed offset, as JSON below 1 KB."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: int
    """The group's first offset of this partition."""
    low: int
    """Read back from here to rebuild the state at the committed offset."""
    model: str
    """Digest of the model in use at the commit; it is production's that does again what a crash
    makes us do again, and that may be another one by then.
    """
    counts: dict[str, int]
    """Offsets by class, since `start`."""

    def to_text(self) -> str:
        return orjson.dumps(self.model_dump()).decode()

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Parse a commit's metadata; None when there is none, or a tool wrote something else."""
        try:
            return cls.model_validate_json(text or "")
        except ValidationError:
            return None


@dataclass(slots=True)
class Ledger:
    """Running counts of one partition; `position` is the next offset to account for."""

    start: int
    position: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def unaccounted(self) -> int:
        """Offsets in no class, or less than none if some are in two; 0 unless the code is wrong."""
        return self.position - self.start - sum(self.counts.values())

    def skip_to(self, offset: int) -> None:
        """Account for the offsets before `offset` that Kafka did not hand out."""
        if offset > self.position:
            self._add(SKIPPED, offset - self.position)
            self.position = offset

    def count(self, kind: ReadingClass) -> None:
        """Account for the reading at `position`."""
        self._add(kind, 1)
        self.position += 1

    def _add(self, kind: str, number: int) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + number

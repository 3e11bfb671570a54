"""What became of every reading of one pass, and whether that is all in order."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass

import numpy as np

from data.fleet import Fleet
from plantwatch.windows import ReadingClass

Identity = tuple[str, int]
"""A machine and a cycle: within one pass, enough to name a reading."""


@dataclass(frozen=True, slots=True)
class Account:
    """One pass. The classes are counted by the worker, `stored`, `lost`, `doubled` at the table."""

    source: str
    published: int
    scored: int
    warm_up: int
    duplicate: int
    late: int
    conflict: int
    rejected: int
    stored: int
    lost: int
    doubled: int
    anomalies: int
    seconds: float

    @property
    def in_order(self) -> bool:
        """Every reading in one class, every score in the table, none lost, none twice."""
        classes = (getattr(self, kind) for kind in ReadingClass)
        whole = sum(classes) == self.published and self.stored == self.scored
        return whole and self.lost == self.doubled == 0

    def document(self) -> dict[str, object]:
        """What `.local/demo.json` holds."""
        return asdict(self)


def expected(fleet: Fleet, window: int) -> set[Identity]:
    """The readings that have a window: a fleet's cycles are 1, 2, ... without a hole."""
    return set(map(fleet.identity, np.flatnonzero(fleet.cycle >= window).tolist()))


def settle(
    fleet: Fleet,
    *,
    published: int,
    counts: Mapping[str, int],
    stored: Mapping[Identity, bool],
    rows: int,
    wanted: AbstractSet[Identity],
    seconds: float,
) -> Account:
    """Hold what was stored against what had to be.

    Args:
        fleet: what was replayed.
        published: readings acknowledged by Kafka.
        counts: readings by class, this pass only.
        stored: the table's verdicts of this pass, anomalous or not, by identity.
        rows: how many rows of this pass the table has.
        wanted: the identities that must be there.
        seconds: from the first reading published to the last verdict stored.
    """
    return Account(
        source=fleet.source,
        published=published,
        **{kind.value: counts.get(kind, 0) for kind in ReadingClass},
        stored=rows,
        lost=len(wanted - stored.keys()),
        doubled=rows - len(stored),
        anomalies=sum(stored.values()),
        seconds=round(seconds, 1),
    )

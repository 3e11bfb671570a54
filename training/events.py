"""What a person who is called would see: alarms, their lead over the failure, the false ones."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from plantwatch.settings import AlarmRule

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """What the alarms of one rule were worth.

    Only engines that were watched until the last moment for an alarm on time count. `leads` are
    the cycles left at the first alarm of each, 0 without any. An engine whose first alarm came too
    early is not on time. False alarms are those, and alarmed rows, of healthy rows: with more
    cycles left than an alarm on time may have.
    """

    engines: int
    on_time: int
    early: int
    leads: tuple[int, ...]
    healthy_rows: int
    alarmed_healthy_rows: int
    false_alarms: int

    def summary(self) -> dict[str, Any]:
        per_1000 = 1000 / max(1, self.healthy_rows)
        leads = self.leads or (0,)
        return {
            "engines": self.engines,
            "on_time": self.on_time,
            "early": self.early,
            "late_or_missed": self.engines - self.on_time - self.early,
            "on_time_share": round(self.on_time / max(1, self.engines), 4),
            "lead_median": float(np.median(leads)),
            "lead_p10": float(np.quantile(leads, 0.1)),
            "healthy_rows": self.healthy_rows,
            "alarmed_per_1000_healthy": round(self.alarmed_healthy_rows * per_1000, 3),
            "false_alarms_per_1000_healthy": round(self.false_alarms * per_1000, 3),
        }


def alarmed(flagged: Flags, engine: Integers, rule: AlarmRule) -> Flags:
    """The rows at which `rule` holds; both [n], engine after engine in the order of time.

    >>> flagged = np.array([True, True, False, True, True])
    >>> alarmed(flagged, np.array([1, 1, 1, 1, 2]), AlarmRule(hits=2, of=2)).tolist()
    [False, True, False, False, False]
    """
    hits = np.concatenate([[0], flagged.cumsum()])
    row = np.arange(len(flagged))
    first = np.maximum(_first_row(engine), row - rule.of + 1)
    return cast("Flags", hits[row + 1] - hits[first] >= rule.hits)


def onsets(alarm: Flags, engine: Integers) -> Flags:
    """The rows at which an alarm begins: a person is called once for each."""
    before = np.concatenate([[False], alarm[:-1]]) & (_first_row(engine) < np.arange(len(alarm)))
    return alarm & ~before


def events(alarm: Flags, engine: Integers, rul: Integers, on_time: tuple[int, int]) -> Events:
    """What alarms are worth, all [n]; `on_time` is the fewest and the most cycles left."""
    latest, earliest = on_time
    starts = np.unique(_first_row(engine))
    lives = np.split(np.arange(len(engine)), starts[1:])
    seen = [life for life in lives if rul[life[-1]] <= latest]
    leads = tuple(int(rul[life][alarm[life]][0]) if alarm[life].any() else 0 for life in seen)
    healthy = rul > earliest
    return Events(
        engines=len(seen),
        on_time=sum(latest <= lead <= earliest for lead in leads),
        early=sum(lead > earliest for lead in leads),
        leads=leads,
        healthy_rows=int(healthy.sum()),
        alarmed_healthy_rows=int((alarm & healthy).sum()),
        false_alarms=int((onsets(alarm, engine) & healthy).sum()),
    )


def _first_row(engine: Integers) -> NDArray[np.intp]:
    """For each row, the first row of its engine."""
    begins = np.concatenate([[True], engine[1:] != engine[:-1]])
    return np.maximum.accumulate(np.where(begins, np.arange(len(engine)), 0))

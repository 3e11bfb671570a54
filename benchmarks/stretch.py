"""The measured stretch of a run: neither its start-up nor its very end counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FIRST_SHARE: Final = 0.1
"""By then all connections are made and all code has been run once."""
LAST_SHARE: Final = 0.98
"""After that some partitions are through already, and half-full batches wait for company."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How many were done, at which second of a monotonic clock, for how many seconds of CPU."""

    done: int
    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one run: how many a second, and microseconds of CPU for each."""

    per_s: float
    cpu_us: float


def measure(moments: Iterable[Moment], total: int) -> Speed:
    """The speed between the first moments at which a tenth, and nearly all of `total`, were done.

    Takes no more of `moments` than it needs.

    Raises:
        ValueError: they end before that.
    """
    first = None
    for now in moments:
        if first is None and now.done >= FIRST_SHARE * total:
            first = now
        if first is not None and now.done >= LAST_SHARE * total:
            return speed(first, now)
    raise ValueError(f"fewer than {LAST_SHARE:.0%} of {total:,} were done")


def speed(first: Moment, last: Moment) -> Speed:
    """The speed between two moments.

    Raises:
        ValueError: nothing was done between them: all in one step, so `total` is too small.
    """
    done = last.done - first.done
    if done <= 0:
        raise ValueError("nothing was done in the measured stretch; measure more")
    return Speed(done / (last.wall - first.wall), 1e6 * (last.cpu - first.cpu) / done)

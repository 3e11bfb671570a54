"""The rules of a replay, apart from Kafka and the clock: which rows, in which order, and when.

A *pass* publishes the rows of some engines once, interleaved by cycle as a plant would send them:
every engine's cycle 1, then every engine's cycle 2, ... One cycle is one second of event time.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.fleet import Fleet
from plantwatch.errors import ConfigError

CYCLE_MICROSECONDS: Final = 1_000_000
"""Event time between two cycles."""
LONGEST_SLEEP_SEC: Final = 0.1
"""How soon a request to stop is noticed while no row is due."""

_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


def select_engines(text: str | None, fleet: Fleet) -> tuple[int, ...]:
    """The engines that `1,2,5-9` means, ascending; all of the fleet's for None.

    Raises:
        ConfigError: the text is no such list, or names an engine that the fleet does not have.
    """
    available = tuple(fleet.slices)
    if text is None:
        return available
    wanted: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ConfigError(
                f"engines {text!r}: {part!r} is neither a number nor a range like 5-9"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last or not {first, last} <= set(available):
            raise ConfigError(
                f"engines {text!r}: {fleet.subset} {fleet.split} has engines "
                f"{available[0]} to {available[-1]}; {part!r} is not among them"
            )
        wanted |= set(range(first, last + 1))
    return tuple(sorted(wanted))


def order(fleet: Fleet, engines: Iterable[int], acked: Mapping[int, int]) -> NDArray[np.intp]:
    """Indices of the rows still to publish, by cycle and, within one, by engine.

    `acked` holds the last acknowledged cycle of engines that a pass has begun with.
    """
    wanted = np.isin(fleet.engine, list(engines))
    done = np.zeros(int(fleet.engine.max()) + 1, np.int64)
    done[list(acked)] = list(acked.values())
    rows = np.flatnonzero(wanted & (fleet.cycle > done[fleet.engine]))
    return rows[np.lexsort((fleet.engine[rows], fleet.cycle[rows]))]


def event_time(origin: int, cycle: int) -> int:
    """Microseconds since 1970 of a pass's readings of `cycle` = 1, 2, ..."""
    return origin + cycle * CYCLE_MICROSECONDS


def pass_origin(now: int, cycles: int, speed: float | None, published_until: int | None) -> int:
    """Where a pass of `cycles` cycles begins, so that its last event is as old as its publishing.

    Times are microseconds since 1970. At `speed` None (as fast as possible) the pass ends now; at
    speed 1 it begins now. It never begins before `published_until`, the latest event time that is
    already published for one of its engines: time does not go backwards for a machine.
    """
    length = cycles * CYCLE_MICROSECONDS
    takes = 0 if speed is None else round(length / speed)
    origin = now + takes - length
    return origin if published_until is None else max(origin, published_until)


def pace(
    cycles: NDArray[np.int64],
    speed: float | None,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> Iterator[int]:
    """Yield positions 0, 1, ... in `cycles` (ascending), each when its cycle is due.

    `speed` is in cycles a second, None for no waiting; the first cycle is due at once. `clock` and
    `sleep` are in seconds. Ends early as soon as `should_stop`.
    """
    start = clock()
    for position, cycle in enumerate(cycles.tolist()):
        due = start if speed is None else start + (cycle - int(cycles[0])) / speed
        while not should_stop() and (left := due - clock()) > 0:
            sleep(min(left, LONGEST_SLEEP_SEC))
        if should_stop():
            return
        yield position

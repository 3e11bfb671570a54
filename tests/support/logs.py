"""Partitions to try the window rule on, and the Windower driven over them.

Each reading's values spell out its machine, cycle, time and flavour, so that the rows of a window
tell which readings they are.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ledger.rule import Expected, Logged
from plantwatch.decode import Reading
from plantwatch.history import Values
from plantwatch.settings import Window
from plantwatch.windows import ReadingClass, Windower

WIDTH: Final = 4
GLITCH: Final = 1_000_000_000
"""A cycle that a broken counter sent; exact as float32."""


def logged(offset: int, machine: int, cycle: int, time: int, flavour: int = 0) -> Logged:
    """A reading; the same identity with another flavour is a conflict."""
    return Logged(offset, f"m{machine}", cycle, time, (machine, cycle, time, flavour))


def log_of(*readings: tuple[int, int, int]) -> list[Logged]:
    """(cycle, time, flavour) of one machine at offsets 0, 1, 2, ..."""
    return [logged(offset, 0, *reading) for offset, reading in enumerate(readings)]


def run_of(cycles: Iterable[int]) -> list[Logged]:
    """One machine whose event times are its cycles."""
    return log_of(*((cycle, cycle, 0) for cycle in cycles))


def spread(log: Sequence[Logged], stride: int, seed: int = 0) -> list[Logged]:
    """The same readings, `stride` offsets apart, give or take: other partitions' offsets between.

    The Windower sweeps every thousand offsets or more: without this, small logs never see it.
    """
    jitter = random.Random(seed)
    return [replace(r, offset=r.offset * stride + jitter.randrange(stride)) for r in log]


def steady(seed: int, length: int) -> list[Logged]:
    """Three machines that run on, with repeats, jumps, shuffles, restarts, glitches, stalls."""
    rng = random.Random(seed)
    clocks = {machine: [0, 0] for machine in range(3)}
    log: list[Logged] = []
    while len(log) < length:
        machine = rng.choice([0, 0, 0, 1, 2])
        kind = rng.choices(_MOVES, _WEIGHTS)[0]
        log.append(kind(rng, log, machine, clocks[machine]))
    return [replace(reading, offset=offset) for offset, reading in enumerate(log)]


_Move = Callable[[random.Random, list[Logged], int, list[int]], Logged]


def _next(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    del rng, log
    clock[0] += 1
    clock[1] += 1
    return logged(0, machine, *clock)


def _skip(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    clock[0] += rng.randint(1, 6)
    return _next(rng, log, machine, clock)


def _repeat(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    return rng.choice(log[-10:]) if log else _next(rng, log, machine, clock)


def _back(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    del log
    return logged(0, machine, clock[0] - rng.randint(1, 6), max(0, clock[1] - rng.randint(1, 6)))


def _glitch(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    del rng, log
    return logged(0, machine, GLITCH, clock[1])


def _conflict(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    if not log:
        return _next(rng, log, machine, clock)
    other = rng.choice(log[-6:])
    return replace(other, values=(*other.values[:3], 1 - other.values[3]))


def _restart(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    clock[0] = 0
    return _next(rng, log, machine, clock)


def _stall(rng: random.Random, log: list[Logged], machine: int, clock: list[int]) -> Logged:
    """The next cycle at the time of the one before."""
    del rng, log
    clock[0] += 1
    return logged(0, machine, *clock)


_MOVES: Final[Sequence[_Move]] = (
    _next, _skip, _repeat, _back, _glitch, _conflict, _restart, _stall,
)  # fmt: skip
_WEIGHTS: Final = (75, 4, 7, 4, 3, 3, 1, 3)


@dataclass(frozen=True, slots=True)
class Result:
    """What the Windower said of a reading."""

    kind: str
    rows: tuple[tuple[float, ...], ...]
    lowest: int
    first_time: int


def expected_result(reading: Logged, expected: Expected) -> Result:
    """The oracle's verdict in the form of the Windower's."""
    offsets = [row.offset for row in expected.window]
    rows = tuple(tuple(row.values) for row in expected.window)
    first = expected.window[0] if expected.window else reading
    return Result(expected.kind, rows, min(offsets, default=reading.offset), first.time)


class Driver:
    """A Windower and the buffer that it writes windows into."""

    def __init__(self, rule: Window, low: int = 0) -> None:
        self.windower = Windower(rule, WIDTH, low)
        self._rule = rule

    def push(self, reading: Logged) -> Result:
        """Push one; a buffer written to without a score shows as rows."""
        out = np.full((self._rule.length, WIDTH), np.nan, np.float32)
        kind, lowest, first_time = self.windower.push(*_taken(reading), out)
        untouched = bool(np.isnan(out).all())
        assert untouched is (kind is not ReadingClass.SCORED)
        rows = () if untouched else tuple(tuple(row) for row in out.tolist())
        return Result(str(kind), rows, lowest, first_time)

    def push_all(self, log: Iterable[Logged]) -> list[Result]:
        return [self.push(reading) for reading in log]

    def restore_all(self, log: Iterable[Logged]) -> None:
        """Read back, as after a take-over."""
        for reading in log:
            self.windower.restore(*_taken(reading))


def _taken(reading: Logged) -> tuple[int, Reading, Values]:
    identity = Reading(reading.machine, reading.cycle, reading.time, list(reading.values))
    return reading.offset, identity, np.array(reading.values, np.float32)

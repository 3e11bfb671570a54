"""The window rule, read straight from its definition; shares no code with `plantwatch.windows`.

Slow on purpose: for each reading it looks at the machine's log again and keeps no state.

Of a reading at offset o, the *history* is its machine's last `history` - 1 readings with offsets in
(o - `horizon`, o), whatever their class. Its *window*: walk down from it; the next is, among the
history's first copies with an earlier event time and a cycle 1 to 1 + `max_gap` below, the one with
the largest cycle, then the latest event time. When `length` are found, they are the window.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plantwatch.settings import Window


@dataclass(frozen=True, slots=True)
class Logged:
    """A decoded reading where it stands in one partition; values are exact as float32."""

    offset: int
    machine: str
    cycle: int
    time: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """The class of a reading and, when it is scored, its window, oldest first."""

    kind: str
    window: tuple[Logged, ...] = ()


def judge(log: Sequence[Logged], rule: Window) -> Iterator[Expected]:
    """What must become of each reading of one partition, in offset order."""
    machines: dict[str, list[Logged]] = defaultdict(list)
    for reading in log:
        newest = machines[reading.machine][1 - rule.history :]
        history = [r for r in newest if r.offset > reading.offset - rule.horizon]
        yield _expected(reading, history, rule)
        machines[reading.machine].append(reading)


def _expected(reading: Logged, history: list[Logged], rule: Window) -> Expected:
    copies = [r for r in history if (r.cycle, r.time) == (reading.cycle, reading.time)]
    if copies:
        return Expected("duplicate" if copies[0].values == reading.values else "conflict")
    window = _window(reading, history, rule)
    if len(window) == rule.length:
        return Expected("scored", tuple(window))
    return Expected("late" if any(r.time > reading.time for r in history) else "warm_up")


def _window(reading: Logged, history: list[Logged], rule: Window) -> list[Logged]:
    """Oldest first; shorter than `length` where the walk finds no next."""
    window = [reading]
    while len(window) < rule.length:
        lowest = window[0]
        below = [
            r
            for r in history
            if r.time < lowest.time and 1 <= lowest.cycle - r.cycle <= 1 + rule.max_gap
        ]
        if not below:
            break
        # max() keeps the first of equals: the first copy of the identity.
        window.insert(0, max(below, key=lambda r: (r.cycle, r.time)))
    return window

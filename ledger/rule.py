"""The window rule, read straight from its definition; shares no code with `plantwatch.windows`.

Of a reading at offset o, the *history* is its machine's last `history` - 1 readings with offsets in
(o - `horizon`, o), whatever their class. Its *window*: walk down from it; the next is, among the
history's first copies with an earlier event time and a cycle 1 to 1 + `max_gap` below, the one with
the largest cycle, then the latest event time. When `length` are found, they are the window.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from plantwatch.settings import Window


@dataclass(frozen=True, slots=True)
class Logged:
    """A decoded reading where it stands in one partition; values are exact as float32."""

    offset: int
    machine: str
    cycle: int
    time: int
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Expected:
    """The class of a reading and, when it is scored, its window, oldest first."""

    kind: str
    window: tuple[Logged, ...] = ()


class Definition:
    """Says what must become of each reading of one partition, in offset order."""

    def __init__(self, rule: Window) -> None:
        self._rule = rule
        self._machines: dict[str, list[Logged]] = {}

    def expect(self, reading: Logged) -> Expected:
        """Judge the next reading; from then on it is part of its machine's log."""
        past = reading.offset - self._rule.horizon
        history = [r for r in self._machines.get(reading.machine, ()) if r.offset > past]
        self._machines[reading.machine] = [*history, reading][1 - self._rule.history :]
        return _expected(reading, history, self._rule)


def judge(log: Iterable[Logged], rule: Window) -> Iterator[Expected]:
    """What must become of each reading of one partition, in offset order."""
    return map(Definition(rule).expect, log)


def _expected(reading: Logged, history: list[Logged], rule: Window) -> Expected:
    # Backwards, so that of equal identities the first copy is the one that stays in the dict.
    first_copies = {(r.cycle, r.time): r for r in reversed(history)}
    copy = first_copies.get((reading.cycle, reading.time))
    if copy is not None:
        return Expected("duplicate" if copy.values == reading.values else "conflict")
    window = _window(reading, first_copies, rule)
    if len(window) == rule.length:
        return Expected("scored", tuple(reversed(window)))
    return Expected("late" if any(r.time > reading.time for r in history) else "warm_up")


def _window(
    reading: Logged, first_copies: dict[tuple[int, int], Logged], rule: Window
) -> list[Logged]:
    """Newest first; shorter than `length` where the walk finds no next.

    One pass over the copies from the largest (cycle, time) down is the whole walk: what does not
    lie below the window's lowest reading will not lie below a lower one either.
    """
    window = [reading]
    cycle, time = reading.cycle, reading.time
    for next_cycle, next_time in sorted(first_copies, reverse=True):
        if len(window) == rule.length or next_cycle < cycle - 1 - rule.max_gap:
            break
        if next_cycle < cycle and next_time < time:
            cycle, time = next_cycle, next_time
            window.append(first_copies[cycle, time])
    return window

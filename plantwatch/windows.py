"""The window rule: which class a reading has, and which 30 readings its window is.

State is a pure function of the log. For a reading at offset o:

- its *history* is its machine's last `history` - 1 decoded readings with offsets in
  (o - `horizon`, o), whatever their class;
- its *window* is found by walking down from it: the next reading is, among the history's first
  copies with an earlier event time and a cycle 1 to 1 + `max_gap` below, the one with the largest
  cycle, then the latest event time. When `length` are found, they are the window.

Nothing else is remembered and no rule reads a clock, so a worker that reads the log again from
`Windower.low` (or from horizon offsets back) comes to the same state and the same verdicts.
"""

from enum import StrEnum
from typing import Final

import numpy as np

from plantwatch import packed
from plantwatch.decode import Reading
from plantwatch.history import History, Values
from plantwatch.packed import Packed
from plantwatch.settings import Window

_SWEEP_EVERY: Final = 4
_SWEEP_AT_LEAST: Final = 1000


class ReadingClass(StrEnum):
    """What becomes of a reading; every offset of the topic has exactly one, or is `skipped`."""

    SCORED = "scored"
    WARM_UP = "warm_up"
    """Too few readings yet: acknowledged and counted."""
    DUPLICATE = "duplicate"
    """The history's first copy of its identity has the same values: acknowledged and counted."""
    CONFLICT = "conflict"
    """The history's first copy of its identity has other values: dead letter, the first stays."""
    LATE = "late"
    """No window, and a later reading came before it: dead letter; it may complete later windows."""
    REJECTED = "rejected"
    """No reading, one machine too many, or the model fails on its window: dead letter."""


class Windower:
    """Classifies the readings of one partition, in offset order, and cuts their windows."""

    def __init__(self, rule: Window, width: int, low: int = 0) -> None:
        """Start empty; `low` is the first offset that will be pushed, or below it."""
        self._rule = rule
        self._width = width
        self._machines: dict[str, History | Packed] = {}
        self._swept = low
        self.low = low
        """No live history holds an offset below this one: where a read-back may begin."""

    def __len__(self) -> int:
        return len(self._machines)

    def restore(self, offset: int, reading: Reading, values: Values) -> None:
        """Take a reading as `push` does, without asking again what becomes of it."""
        self._take(offset, reading, values, None)

    def push(
        self, offset: int, reading: Reading, values: Values, out: Values
    ) -> tuple[ReadingClass, int, int]:
        """Take the next reading; when it is scored, write its window into `out`.

        Args:
            offset: larger than all before.
            reading: its identity.
            values: float32 [width], its settings and sensors.
            out: float32 [length, width], oldest first; untouched unless scored.

        Returns:
            The class, the window's lowest offset, and the event time of its first reading (both
            those of the reading unless scored). `REJECTED` means that the partition holds too many
            machines.
        """
        return self._take(offset, reading, values, out)

    def _take(
        self, offset: int, reading: Reading, values: Values, out: Values | None
    ) -> tuple[ReadingClass, int, int]:
        """`push`; without `out` the reading is only remembered, and what returns means nothing."""
        self._sweep(offset)
        state = self._machines.get(reading.sensor_id)
        if state is None:
            if len(self._machines) >= self._rule.max_machines:
                return ReadingClass.REJECTED, offset, reading.time
            first = packed.pack(offset, reading.cycle, reading.time, values)
            self._machines[reading.sensor_id] = first
            return ReadingClass.WARM_UP, offset, reading.time
        if isinstance(state, History):
            return self._push_history(state, offset, reading, values, out)
        return self._push_packed(state, offset, reading, values, out)

    def _push_packed(
        self, state: Packed, offset: int, reading: Reading, values: Values, out: Values | None
    ) -> tuple[ReadingClass, int, int]:
        """The first readings of a machine: unpacked only to judge what is not one clean run."""
        full = packed.count(state, self._width) >= self._rule.length - 1
        live = packed.first_offset(state) > offset - self._rule.horizon
        _, cycle, time = packed.last(state, self._width)
        clean = packed.is_clean(state) and self._follows(cycle, time, reading)
        if not full and live and (clean or out is None):
            more = packed.followed_by(
                state, offset, reading.cycle, reading.time, values, clean=clean
            )
            self._machines[reading.sensor_id] = more
            return ReadingClass.WARM_UP, offset, reading.time
        history = packed.unpack(state, self._rule.history, self._width)
        result = self._push_history(history, offset, reading, values, out)
        few = len(history) < self._rule.length
        self._machines[reading.sensor_id] = packed.pack_all(history) if few else history
        return result

    def _push_history(
        self, history: History, offset: int, reading: Reading, values: Values, out: Values | None
    ) -> tuple[ReadingClass, int, int]:
        history.expire(offset - self._rule.horizon, self._rule.history - 1)
        last = history.end - 1
        clean = len(history) > 0 and self._follows(history.cycle(last), history.time(last), reading)
        if out is None:
            history.append(offset, reading.cycle, reading.time, values, clean=clean)
            return ReadingClass.WARM_UP, offset, reading.time
        if clean and history.run >= len(history):
            return self._push_clean(history, offset, reading, values, out)
        kind, window = classify(history, reading, values, self._rule)
        history.append(offset, reading.cycle, reading.time, values, clean=clean)
        if kind is not ReadingClass.SCORED:
            return kind, offset, reading.time
        for slot, position in enumerate(window):
            out[slot] = history.row(position)
        lowest = min(history.offset(position) for position in window)
        return kind, lowest, history.time(window[0])

    def _push_clean(
        self, history: History, offset: int, reading: Reading, values: Values, out: Values
    ) -> tuple[ReadingClass, int, int]:
        """The fast path. All of the history is one clean run that this reading continues: the walk
        could only go down it step by step, so the window is the end of the ring.
        """
        history.append(offset, reading.cycle, reading.time, values, clean=True)
        if len(history) < self._rule.length:
            return ReadingClass.WARM_UP, offset, reading.time
        history.copy_last(out)
        first = history.end - self._rule.length
        return ReadingClass.SCORED, history.offset(first), history.time(first)

    def _follows(self, cycle: int, time: int, reading: Reading) -> bool:
        return reading.time > time and 1 <= reading.cycle - cycle <= 1 + self._rule.max_gap

    def _sweep(self, offset: int) -> None:
        """Drop machines whose readings have all expired, and raise `low`.

        Costs a pass over all machines, so it runs once in `_SWEEP_EVERY` readings of each. In
        between `low` is too low, which costs a longer read-back and is never wrong: histories only
        move forward.
        """
        if offset - self._swept < max(_SWEEP_EVERY * len(self._machines), _SWEEP_AT_LEAST):
            return
        self._swept = offset
        horizon_offset = offset - self._rule.horizon
        low = offset
        for sensor_id, state in list(self._machines.items()):
            first, last = self._extent(state, horizon_offset)
            if last <= horizon_offset:
                del self._machines[sensor_id]
            else:
                low = min(low, first)
        self.low = low

    def _extent(self, state: History | Packed, horizon_offset: int) -> tuple[int, int]:
        """The first live and the last offset of a machine."""
        if not isinstance(state, History):
            last = packed.last(state, self._width)[0]
            return max(packed.first_offset(state), horizon_offset + 1), last
        last = state.offset(state.end - 1)
        state.expire(horizon_offset, self._rule.history - 1)
        return state.offset(min(state.start, state.end - 1)), last


def classify(
    history: History, reading: Reading, values: Values, rule: Window
) -> tuple[ReadingClass, list[int]]:
    """The rule itself, for a history in any disorder.

    Returns:
        The class; and, if scored, the window's positions in the history, oldest first. The last
        is `history.end`, where the caller appends the reading.
    """
    first_copies: dict[tuple[int, int], int] = {}
    for position in range(history.start, history.end):
        first_copies.setdefault((history.cycle(position), history.time(position)), position)
    copy = first_copies.get((reading.cycle, reading.time))
    if copy is not None:
        same = bool(np.array_equal(history.row(copy), values))
        return (ReadingClass.DUPLICATE if same else ReadingClass.CONFLICT), []
    window = _walk(first_copies, reading, rule)
    if len(window) == rule.length - 1:
        return ReadingClass.SCORED, [*reversed(window), history.end]
    late = any(time > reading.time for _, time in first_copies)
    return (ReadingClass.LATE if late else ReadingClass.WARM_UP), []


def _walk(first_copies: dict[tuple[int, int], int], reading: Reading, rule: Window) -> list[int]:
    """Positions found going down from the reading, newest first, at most `length` - 1."""
    times: dict[int, list[int]] = {}
    for cycle, time in first_copies:
        times.setdefault(cycle, []).append(time)
    found: list[int] = []
    cycle, time = reading.cycle, reading.time
    while len(found) < rule.length - 1:
        step = _next_below(times, cycle, time, rule.max_gap)
        if step is None:
            break
        cycle, time = step
        found.append(first_copies[step])
    return found


def _next_below(
    times: dict[int, list[int]], cycle: int, time: int, max_gap: int
) -> tuple[int, int] | None:
    """The largest cycle at most 1 + `max_gap` below with an earlier time, at its latest."""
    for below in range(cycle - 1, cycle - 2 - max_gap, -1):
        earlier = [t for t in times.get(below, ()) if t < time]
        if earlier:
            return below, max(earlier)
    return None

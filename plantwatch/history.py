"""A machine's last readings: what the window rule looks at, and all that is remembered.

`History` is a ring that windows are copied from; a machine with fewer readings than a window needs
is kept as `plantwatch.packed` bytes.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


class History:
    """The last `capacity` readings of one machine, oldest first, as a ring.

    A reading's *position* counts from the machine's first reading in this object and never
    changes; its slot is the position modulo the capacity. `start` is the oldest live position,
    `end` the next free one.
    """

    __slots__ = ("_capacity", "_cycles", "_offsets", "_rows", "_times", "end", "run", "start")

    def __init__(self, capacity: int, width: int) -> None:
        self._capacity = capacity
        self._offsets = array("q", bytes(8 * capacity))
        self._cycles = array("q", bytes(8 * capacity))
        self._times = array("q", bytes(8 * capacity))
        self._rows = np.zeros((capacity, width), np.float32)
        self.start = 0
        self.end = 0
        self.run = 0
        """How many of the newest readings follow one another cleanly (the window rule says so)."""

    def __len__(self) -> int:
        return self.end - self.start

    def offset(self, position: int) -> int:
        return self._offsets[position % self._capacity]

    def cycle(self, position: int) -> int:
        return self._cycles[position % self._capacity]

    def time(self, position: int) -> int:
        return self._times[position % self._capacity]

    def row(self, position: int) -> Values:
        row: Values = self._rows[position % self._capacity]
        return row

    def expire(self, horizon_offset: int, keep: int) -> None:
        """Forget what lies at or below `horizon_offset`, and all but the `keep` newest."""
        self.start = max(self.start, self.end - keep)
        while self.start < self.end and self.offset(self.start) <= horizon_offset:
            self.start += 1

    def append(self, offset: int, cycle: int, time: int, values: Values, *, clean: bool) -> None:
        """Write one reading; `clean` when it follows the one before it cleanly."""
        slot = self.end % self._capacity
        self._offsets[slot] = offset
        self._cycles[slot] = cycle
        self._times[slot] = time
        self._rows[slot] = values
        self.end += 1
        self.run = self.run + 1 if clean else 1

    def copy_last(self, out: Values) -> None:
        """Copy the newest len(out) rows, oldest first, into `out`."""
        first = (self.end - len(out)) % self._capacity
        until_wrap = self._capacity - first
        if until_wrap >= len(out):
            out[:] = self._rows[first : first + len(out)]
        else:
            out[:until_wrap] = self._rows[first:]
            out[until_wrap:] = self._rows[: len(out) - until_wrap]

"""A machine's first readings as plain bytes: the records of a `History`, one in a 60th of its room.

A million made-up machines with one reading each must fit in a worker. A class of its own would take
32 bytes more of each, and Python's garbage collector would go through them all.
"""

from struct import Struct
from typing import Final, NewType

import numpy as np

from plantwatch.history import History, Values

Packed = NewType("Packed", bytes)
"""One byte "all of them follow cleanly", then the records, oldest first."""

_HEAD: Final = Struct("<qqq")
"""Offset, cycle, time: what stands before the values of a record."""


def pack(offset: int, cycle: int, time: int, values: Values) -> Packed:
    """The first reading of a machine."""
    return Packed(b"\x01" + _record(offset, cycle, time, values))


def pack_all(history: History) -> Packed:
    """What is live of a history."""
    records = (
        _record(history.offset(p), history.cycle(p), history.time(p), history.row(p))
        for p in range(history.start, history.end)
    )
    flag = b"\x01" if history.run >= len(history) else b"\x00"
    return Packed(flag + b"".join(records))


def followed_by(
    packed: Packed, offset: int, cycle: int, time: int, values: Values, *, clean: bool
) -> Packed:
    """With one more reading; `clean` when all of them follow one another cleanly."""
    flag = b"\x01" if clean else b"\x00"
    return Packed(flag + packed[1:] + _record(offset, cycle, time, values))


def unpack(packed: Packed, capacity: int, width: int) -> History:
    """The same records as a ring."""
    history = History(capacity, width)
    for at in range(1, len(packed), _size(width)):
        values = np.frombuffer(packed, np.float32, width, at + _HEAD.size)
        offset, cycle, time = _HEAD.unpack_from(packed, at)
        history.append(offset, cycle, time, values, clean=is_clean(packed))
    return history


def is_clean(packed: Packed) -> bool:
    """Whether all of its readings follow one another cleanly."""
    return packed[0] == 1


def count(packed: Packed, width: int) -> int:
    """How many readings it holds."""
    return (len(packed) - 1) // _size(width)


def first_offset(packed: Packed) -> int:
    """Of the oldest reading."""
    offset: int = _HEAD.unpack_from(packed, 1)[0]
    return offset


def last(packed: Packed, width: int) -> tuple[int, int, int]:
    """Offset, cycle and time of the newest reading."""
    return _HEAD.unpack_from(packed, len(packed) - _size(width))


def _record(offset: int, cycle: int, time: int, values: Values) -> bytes:
    return _HEAD.pack(offset, cycle, time) + values.tobytes()


def _size(width: int) -> int:
    return _HEAD.size + 4 * width

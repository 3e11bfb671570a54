"""The window of one reading, found by the rule itself: no state of a worker, no fast path."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from plantwatch.decode import Reading
from plantwatch.features import Floats
from plantwatch.history import History
from plantwatch.settings import Window
from plantwatch.windows import ReadingClass, classify


class Logged(NamedTuple):
    """A reading and its offset."""

    offset: int
    reading: Reading


def window_of(run: Sequence[Logged], rule: Window) -> list[Logged] | None:
    """The window of the last of `run`, oldest first; None if the rule finds none.

    Args:
        run: one machine's readings in the order of offsets, from the window's lowest offset on;
            not empty.
        rule: the window rule's numbers.

    What stands before the window's lowest offset cannot change it: each step of the rule's walk
    takes the largest (cycle, event time) below the step before, and taking away what no step took
    leaves every maximum where it is. So `run` may begin there, or anywhere before.
    """
    last = run[-1]
    history = History(rule.history, len(last.reading.values))
    for offset, reading in run[:-1]:
        values = np.array(reading.values, np.float32)
        history.append(offset, reading.cycle, reading.time, values, clean=False)
    history.expire(last.offset - rule.horizon, rule.history - 1)
    kind, positions = classify(
        history, last.reading, np.array(last.reading.values, np.float32), rule
    )
    return [run[at] for at in positions] if kind is ReadingClass.SCORED else None


def stack(windows: Sequence[Sequence[Logged]]) -> Floats:
    """Windows of one length as a model takes them: float32 [n, length, settings + sensors]."""
    return np.array([[one.reading.values for one in window] for window in windows], np.float32)

"""From verdicts to an alarm: one anomalous window may be noise, several of the last few are not."""

from collections import deque
from collections.abc import Iterable


def met(newest: Iterable[bool], hits: int) -> bool:
    """Whether there is an alarm: `hits` of the newest verdicts, as many as the rule says, are."""
    return sum(newest) >= hits


def first_alarm(verdicts: Iterable[bool], hits: int, of: int) -> int | None:
    """Index of the verdict that makes the alarm: `hits` of the last `of` are anomalous.

    Args:
        verdicts: one machine's, in the order of time; True is anomalous.
        hits: how many must be.
        of: among how many of the newest.

    >>> first_alarm([False, True, False, True, True], hits=3, of=5)
    4
    """
    last: deque[bool] = deque(maxlen=of)
    for index, anomalous in enumerate(verdicts):
        last.append(anomalous)
        if met(last, hits):
            return index
    return None

"""Find the bad rows of a batch that a store refuses as a whole."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def bisect(
    rows: Sequence[T],
    write: Callable[[Sequence[T]], R],
    refusals: tuple[type[Exception], ...],
) -> tuple[list[R], list[tuple[T, Exception]]]:
    """Write all the good rows of a batch, halving what is refused until the bad rows stand alone.

    Args:
        rows: what to write; order is kept.
        write: stores all of what it is given, or raises and stores none of it.
        refusals: the errors that mean "one of these rows is bad"; any other one passes through.

    Returns:
        What each successful `write` returned, and each bad row with its error. A batch of n rows
        costs one write when all are good, and about 2 log2(n) more per bad row.
    """
    try:
        return [write(rows)], []
    except refusals as error:
        if len(rows) == 1:
            return [], [(rows[0], error)]
    middle = len(rows) // 2
    left_written, left_bad = bisect(rows[:middle], write, refusals)
    right_written, right_bad = bisect(rows[middle:], write, refusals)
    return left_written + right_written, left_bad + right_bad

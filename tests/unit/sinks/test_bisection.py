"""Finding the bad rows of a batch."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.bisection import bisect


class RefusedError(Exception):
    pass


class Store:
    """Takes a batch only if all of it is good, as a transaction does."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.writes = 0

    def write(self, rows: Sequence[tuple[int, bool]]) -> int:
        self.writes += 1
        if not all(good for _, good in rows):
            raise RefusedError
        self.kept += [number for number, _ in rows]
        return len(rows)


# However good and bad rows are mixed: the good are kept once, in order, the bad named.
@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_good_rows_are_stored_once_and_bad_ones_refused(good: list[bool]) -> None:
    store, rows = Store(), list(enumerate(good))
    written, refused = bisect(rows, store.write, (RefusedError,))
    assert store.kept == [number for number, fine in rows if fine]
    assert sum(written) == len(store.kept)
    assert [row for row, _ in refused] == [row for row in rows if not row[1]]


# A single bad row of a batch does not mean a write for each row.
@given(st.integers(1, 2000), st.data())
def test_one_bad_row_costs_few_writes(size: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, size - 1))
    store = Store()
    bisect([(n, n != bad) for n in range(size)], store.write, (RefusedError,))
    assert store.writes <= 1 + 2 * math.ceil(math.log2(size))


# An error that is not about a row is not taken for one.
def test_other_errors_end_the_batch() -> None:
    def away(_: object) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        bisect([1, 2], away, (RefusedError,))

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plantwatch import packed
from plantwatch.history import History

CAPACITY = 8
WIDTH = 3
BIGINT = st.integers(-(2**63), 2**63 - 1)
VALUES = st.lists(st.floats(width=32, allow_nan=False), min_size=WIDTH, max_size=WIDTH)
RECORDS = st.lists(st.tuples(BIGINT, BIGINT, BIGINT, VALUES), max_size=3 * CAPACITY)

Record = tuple[int, int, int, list[float]]


def ring(records: list[Record], *, clean: bool = True) -> History:
    history = History(CAPACITY, WIDTH)
    for offset, cycle, time, values in records:
        history.append(offset, cycle, time, np.array(values, np.float32), clean=clean)
    history.expire(-(2**63) - 1, CAPACITY)
    return history


def contents(history: History) -> list[Record]:
    return [
        (history.offset(p), history.cycle(p), history.time(p), history.row(p).tolist())
        for p in range(history.start, history.end)
    ]


# A ring gives back its newest readings, exactly, however often it went round.
@given(RECORDS)
def test_a_ring_holds_the_newest_readings(records: list[Record]) -> None:
    assert contents(ring(records)) == records[-CAPACITY:]


# Packing a machine and unpacking it again loses nothing, its clean run included.
@given(records=RECORDS, clean=st.booleans())
def test_packed_and_unpacked_are_the_same(*, records: list[Record], clean: bool) -> None:
    history = ring(records, clean=clean)
    state = packed.pack_all(history)
    assert packed.count(state, WIDTH) == len(history)
    again = packed.unpack(state, CAPACITY, WIDTH)
    assert contents(again) == contents(history)
    assert (again.run >= len(again)) is (history.run >= len(history))


# Readings packed one after the other are the same as a ring filled with them.
@given(RECORDS.filter(len))
def test_packing_one_by_one_is_the_same_as_a_ring(records: list[Record]) -> None:
    offset, cycle, time, values = records[0]
    state = packed.pack(offset, cycle, time, np.array(values, np.float32))
    for offset, cycle, time, values in records[1:]:
        numbers = np.array(values, np.float32)
        state = packed.followed_by(state, offset, cycle, time, numbers, clean=True)
    assert contents(packed.unpack(state, len(records), WIDTH)) == records
    assert packed.first_offset(state) == records[0][0]
    assert packed.last(state, WIDTH) == records[-1][:3]


#   slots 0 1 2 3 4 5 6 7      after 11 readings the newest five lie in slots 6 7 0 1 2
@given(st.integers(0, 3 * CAPACITY), st.integers(1, CAPACITY))
def test_the_last_rows_are_copied_oldest_first_across_the_wrap(more: int, length: int) -> None:
    total = length + more
    history = ring([(n, n, n, [n, n + 0.25, n + 0.5]) for n in range(total)])
    out = np.full((length, WIDTH), np.nan, np.float32)
    history.copy_last(out)
    assert out[:, 0].tolist() == list(range(total - length, total))
    assert out[:, 2].tolist() == [n + 0.5 for n in range(total - length, total)]


# What lies at or below the horizon is forgotten, and so are all but the newest `keep`.
def test_expiry_is_by_offset_and_by_number() -> None:
    history = ring([(n, n, n, [0.0] * WIDTH) for n in range(6)])
    history.expire(1, CAPACITY)
    assert [record[0] for record in contents(history)] == [2, 3, 4, 5]
    history.expire(1, 3)
    assert [record[0] for record in contents(history)] == [3, 4, 5]
    history.expire(100, 3)
    assert contents(history) == []


# A reading that does not follow cleanly starts a new run.
def test_a_break_restarts_the_run() -> None:
    history = History(CAPACITY, WIDTH)
    for offset, clean in enumerate([False, True, True, False, True]):
        history.append(offset, offset, offset, np.zeros(WIDTH, np.float32), clean=clean)
    assert history.run == 2

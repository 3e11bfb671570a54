"""A window found again, held against the one it was scored on."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.rule import Expected, judge
from ledger.rule import Logged as Entry
from plantwatch.decode import Reading
from plantwatch.settings import Window
from reproduce.window import Logged, window_of
from tests.support.logs import steady

RULE = Window(length=5, history=8, max_gap=2, horizon=25, max_machines=100)


def found(log: list[Entry], start: int, end: int) -> list[int] | None:
    """Offsets of the window of the reading at `end`, from what its machine sent since `start`."""
    run = [
        Logged(one.offset, Reading(one.machine, one.cycle, one.time, list(one.values)))
        for one in log[start : end + 1]
        if one.machine == log[end].machine
    ]
    window = window_of(run, RULE)
    return None if window is None else [one.offset for one in window]


def offsets(expected: Expected) -> list[int] | None:
    return [one.offset for one in expected.window] if expected.kind == "scored" else None


# From the beginning of the log, the window of every reading is the definition's.
@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
def test_a_window_is_the_definitions(seed: int, length: int) -> None:
    log = steady(seed, length)
    assert found(log, 0, length - 1) == offsets(list(judge(log, RULE))[-1])


# It is enough to read from the window's own lowest offset, which the verdict says: what stands
# before it, whatever it is, changes nothing.
@given(st.integers(0, 2**32 - 1), st.integers(1, 120))
def test_reading_from_the_lowest_offset_is_enough(seed: int, length: int) -> None:
    log = steady(seed, length)
    for end, expected in enumerate(judge(log, RULE)):
        if wanted := offsets(expected):
            assert found(log, min(wanted), end) == wanted

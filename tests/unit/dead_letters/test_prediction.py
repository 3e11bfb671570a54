"""What a replay foretells, held against what then happens."""

from hypothesis import given
from hypothesis import strategies as st

from dead_letters.prediction import predict, too_much
from ledger.rule import Logged, judge
from plantwatch.dead_letter import Original
from plantwatch.windows import ReadingClass
from tests.support.streams import Message, message, small_window_settings

SETTINGS = small_window_settings()
READINGS = st.tuples(st.integers(0, 2), st.integers(1, 12), st.integers(0, 12), st.integers(0, 1))


def written(offset: int, reading: tuple[int, int, int, int] | None) -> Message:
    """(machine, cycle, time, value) as a message; None is poison of the first machine."""
    if reading is None:
        return Message(offset, b"m0", b"poison")
    machine, cycle, time, value = reading
    return message(offset, machine, cycle, float(value), time)


def becomes(log: list[tuple[int, int, int, int] | None]) -> list[str]:
    """The class of each, by the definition that the ledger judges with."""
    logged = [
        Logged(offset, f"m{one[0]}", one[1], one[2], (one[3],))
        for offset, one in enumerate(log)
        if one is not None
    ]
    kinds = iter([expected.kind for expected in judge(logged, SETTINGS.window)])
    return ["rejected" if one is None else next(kinds) for one in log]


# Whatever stands on the topic, messages that are put at its end become what was foretold.
@given(st.lists(READINGS | st.none(), max_size=60), st.lists(READINGS | st.none(), max_size=20))
def test_what_is_foretold_happens(
    tail: list[tuple[int, int, int, int] | None], again: list[tuple[int, int, int, int] | None]
) -> None:
    messages = [written(0, one) for one in again]
    foretold = predict(
        SETTINGS,
        [written(offset, one) for offset, one in enumerate(tail)],
        len(tail),
        [Original(one.key(), one.value()) for one in messages],
    )
    assert [str(kind) for kind in foretold] == becomes([*tail, *again])[len(tail) :]


# A person is warned of a replay that would stop the worker.
def test_a_replay_that_stops_a_worker_is_announced() -> None:
    limit = SETTINGS.rejects.max_in_a_row
    bad, good = [ReadingClass.REJECTED], [ReadingClass.SCORED]
    assert too_much(SETTINGS, bad * (limit - 1) + good + bad) is None
    assert "in a row" in (too_much(SETTINGS, bad * limit) or "")

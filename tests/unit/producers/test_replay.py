"""The rules of a replay: order, event times, pacing, resuming."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.fleet import Fleet
from plantwatch.errors import ConfigError
from producers.replay import event_time, order, pace, pass_origin, select_engines

LIVES = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def fleet_of(lives: list[int]) -> Fleet:
    """Engines 1, 2, ... with so many cycles each."""
    engine = np.repeat(np.arange(1, len(lives) + 1), lives)
    cycle = np.concatenate([np.arange(1, life + 1) for life in lives])
    rows = len(engine)
    return Fleet(
        subset="FD001",
        split="test",
        source="made up",
        engine=engine,
        cycle=cycle,
        settings=np.zeros((rows, 3)),
        sensors=np.zeros((rows, 21)),
        rul=np.zeros(rows, np.int64),
    )


def identities(fleet: Fleet, rows: np.ndarray) -> list[tuple[int, int]]:
    return [(int(fleet.cycle[row]), int(fleet.engine[row])) for row in rows]


# A pass is every row of the chosen engines once: all cycles 1, then all cycles 2, ...
@given(LIVES, st.data())
def test_order_interleaves_by_cycle(lives: list[int], data: st.DataObject) -> None:
    fleet = fleet_of(lives)
    engines = data.draw(st.sets(st.sampled_from(range(1, len(lives) + 1)), min_size=1))
    published = identities(fleet, order(fleet, engines, {}))
    assert published == sorted(published)
    assert set(published) == {
        (cycle, engine) for engine in engines for cycle in range(1, lives[engine - 1] + 1)
    }


# However often a pass is cut short, and whatever of it was acknowledged by then, its runs together
# publish exactly the pass: nothing is left out, nothing acknowledged is sent again.
@given(LIVES, st.lists(st.lists(st.integers(0, 12), min_size=6, max_size=6), max_size=4))
def test_interruptions_lose_nothing(lives: list[int], interruptions: list[list[int]]) -> None:
    fleet, engines = fleet_of(lives), range(1, len(lives) + 1)
    acked: dict[int, int] = {}
    acknowledged: list[tuple[int, int]] = []
    for counts in [*interruptions, [12] * 6]:
        # Partitions acknowledge at their own pace: a beginning of each engine's rows is in.
        rows = identities(fleet, order(fleet, engines, acked))
        for engine, count in zip(engines, counts, strict=False):
            mine = [pair for pair in rows if pair[1] == engine][:count]
            acknowledged += mine
            acked |= {engine: cycle for cycle, engine in mine}
    assert sorted(acknowledged) == identities(fleet, order(fleet, engines, {}))


# The last row of a pass is as old as its publishing: at most speed it is now, at speed 1 the first
# row is one cycle from now, at speed 10 the last will be published in a tenth of the pass's length.
def test_a_pass_ends_when_it_is_published() -> None:
    now, cycles = 1_000_000_000, 300
    assert event_time(pass_origin(now, cycles, None, None), cycles) == now
    assert event_time(pass_origin(now, cycles, 1.0, None), 1) == now + 1_000_000
    assert event_time(pass_origin(now, cycles, 10.0, None), cycles) == now + 30_000_000


# Time never turns back for a machine: a pass begins after all that was published before it.
@given(
    now=st.integers(0, 10**15),
    cycles=st.integers(1, 400),
    speed=st.none() | st.floats(0.1, 1000),
    until=st.none() | st.integers(0, 10**15),
)
def test_a_pass_begins_after_the_last(
    now: int, cycles: int, speed: float | None, until: int | None
) -> None:
    origin = pass_origin(now, cycles, speed, until)
    assert until is None or event_time(origin, 1) > until
    assert origin >= pass_origin(now, cycles, speed, None)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def published(
    cycles: list[int], speed: float | None, should_stop: Callable[[Clock], bool]
) -> list[float]:
    """When each row was published, in seconds from the start."""
    clock = Clock()
    rows = pace(np.array(cycles), speed, clock, clock.sleep, lambda: should_stop(clock))
    return [round(clock.now - 100, 6) for _ in rows]


# Speed 2 is two rows a second of each engine; engines of one cycle go together.
def test_speed_is_rows_a_second_of_each_engine() -> None:
    assert published([1, 1, 2, 2, 3], 2.0, lambda _: False) == [0, 0, 0.5, 0.5, 1]


# As fast as possible means no waiting at all.
def test_no_speed_no_waiting() -> None:
    assert published([1, 2, 300], None, lambda _: False) == [0, 0, 0]


# A resumed pass begins at once with the cycle it stopped at, not after a wait for those it has.
def test_resumed_at_once() -> None:
    assert published([90, 91], 1.0, lambda _: False) == [0, 1]


# A request to stop is noticed while waiting for the next row, within a tenth of a second.
def test_stops_while_waiting() -> None:
    assert published([1, 2, 3], 0.01, lambda clock: clock.now > 101) == [0]


# Engines are chosen by numbers and ranges; without a choice it is all of them.
def test_engines_are_chosen() -> None:
    fleet = fleet_of([1] * 9)
    assert select_engines("1,2,5-7, 2", fleet) == (1, 2, 5, 6, 7)
    assert select_engines(None, fleet) == tuple(range(1, 10))


# A choice that means nothing is answered with what there is.
@pytest.mark.parametrize("text", ["", "1,", "a", "3-", "-3", "5-2", "0", "8-10", "1 2"])
def test_bad_choice_of_engines(text: str) -> None:
    with pytest.raises(ConfigError, match="engines"):
        select_engines(text, fleet_of([1] * 9))

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plantwatch.alarms import first_alarm
from plantwatch.settings import AlarmRule
from training.events import alarmed, events, onsets

RULES = st.integers(1, 6).flatmap(
    lambda of: st.builds(AlarmRule, of=st.just(of), hits=st.integers(1, of))
)


# Offline, an alarm begins at the very row at which the live rule would raise it, engine by engine.
@given(lives=st.lists(st.lists(st.booleans(), min_size=1), min_size=1), rule=RULES)
def test_alarms_are_those_of_the_stream(lives: list[list[bool]], rule: AlarmRule) -> None:
    engine = np.repeat(np.arange(len(lives)), [len(life) for life in lives])
    alarm = alarmed(np.concatenate(lives).astype(bool), engine, rule)
    for number, life in enumerate(lives):
        of_engine = alarm[engine == number].tolist()
        first = of_engine.index(True) if True in of_engine else None
        assert first == first_alarm(life, rule.hits, rule.of)


# An alarm that ends and comes back is two; one that stands when its engine ends is not the next's.
def test_an_alarm_begins_once() -> None:
    alarm = np.array([True, True, False, True, True, True])
    engine = np.array([1, 1, 1, 1, 2, 2])
    assert onsets(alarm, engine).tolist() == [True, False, False, True, True, False]


def life(engine: int, length: int, *alarms: int) -> tuple[np.ndarray, ...]:
    """An engine run to failure, in alarm at these RULs."""
    rul = np.arange(length)[::-1]
    return np.isin(rul, alarms), np.full(length, engine), rul


# One engine is alarmed in time, one at the last moment, one never, one far too early.
def test_engines_are_sorted_by_their_first_alarm() -> None:
    lives = life(1, 200, 30, 29), life(2, 200, 9), life(3, 200), life(4, 200, 150, 20)
    alarm, engine, rul = map(np.concatenate, zip(*lives, strict=True))
    seen = events(alarm, engine, rul, (10, 125)).summary()
    assert seen["engines"] == 4
    assert (seen["on_time"], seen["early"], seen["late_or_missed"]) == (1, 1, 2)
    assert seen["lead_median"] == np.median([30, 9, 0, 150])
    assert seen["healthy_rows"] == 4 * 74
    assert seen["alarmed_per_1000_healthy"] == round(1000 / (4 * 74), 3)


# An engine that was taken out long before its failure could not be alarmed in time: it counts only
# where it gave false alarms.
def test_engines_not_watched_to_the_end_do_not_count() -> None:
    alarm, engine, rul = life(1, 200, 190)
    seen = events(alarm[:60], engine[:60], rul[:60], (10, 125))
    assert seen.engines == 0
    assert seen.alarmed_healthy_rows == 1

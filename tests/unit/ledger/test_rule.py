"""The judge's window rule, held against the words of its definition."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rule import Expected, Logged, judge
from plantwatch.settings import Window
from tests.support.logs import logged, run_of, spread, steady

SMALL = Window(length=5, history=8, max_gap=2, horizon=25, max_machines=100)
RANDOM_LOGS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 14), st.integers(0, 14), st.integers(0, 1)),
    max_size=60,
).map(lambda readings: [logged(offset, *reading) for offset, reading in enumerate(readings)])


def in_so_many_words(log: list[Logged], index: int, rule: Window) -> Expected:
    """The definition sentence by sentence, as slow as it reads."""
    reading, before = log[index], log[:index]
    newest = [r for r in before if r.machine == reading.machine][1 - rule.history :]
    history = [r for r in newest if r.offset > reading.offset - rule.horizon]
    copies = [r for r in history if (r.cycle, r.time) == (reading.cycle, reading.time)]
    if copies:
        return Expected("duplicate" if copies[0].values == reading.values else "conflict")
    window = [reading]
    while len(window) < rule.length and (
        below := [
            r
            for r in history
            if r.time < window[0].time and 1 <= window[0].cycle - r.cycle <= 1 + rule.max_gap
        ]
    ):
        # max() keeps the first of equals: the first copy of the identity.
        window.insert(0, max(below, key=lambda r: (r.cycle, r.time)))
    if len(window) == rule.length:
        return Expected("scored", tuple(window))
    return Expected("late" if any(r.time > reading.time for r in history) else "warm_up")


def assert_says_what_is_defined(log: list[Logged], rule: Window) -> None:
    assert list(judge(log, rule)) == [in_so_many_words(log, i, rule) for i in range(len(log))]


# The judge's one pass over a history finds what the definition's walk finds, in any disorder.
@settings(max_examples=500, deadline=None)
@given(RANDOM_LOGS)
def test_disorder_is_judged_by_the_definition(log: list[Logged]) -> None:
    assert_says_what_is_defined(log, SMALL)


# The same for machines that run on, and with a horizon that passes within the log.
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_running_machines_are_judged_by_the_definition(seed: int) -> None:
    log = steady(seed, 100)
    assert_says_what_is_defined(log, SMALL)
    sparse = SMALL.model_copy(update={"horizon": 2500})
    assert_says_what_is_defined(spread(log, 100, seed), sparse)


#   1 2 3 4 4 6      the window of 6 is 1 2 3 4 6, and of the two 4s it holds the first
def test_a_window_holds_first_copies() -> None:
    last = list(judge(run_of([1, 2, 3, 4, 4, 6]), SMALL))[-1]
    assert [r.offset for r in last.window] == [0, 1, 2, 3, 5]

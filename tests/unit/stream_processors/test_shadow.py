"""A challenger beside production: heard on its own topic, and unable to do harm."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from plantwatch.scoring import UnscorableError, Verdicts
from stream_processors import chunks
from stream_processors.chunks import Outcome
from stream_processors.shadow import Budget
from tests.support.streams import (
    CHOKING_VALUE,
    Message,
    SumDetector,
    empty_partition,
    message,
    small_window_settings,
)

SETTINGS = small_window_settings()
SHADOW = SETTINGS.topics.shadow_scores


class Challenger(SumDetector):
    """Sees an anomaly in every window, with a score of the window's own; knows how often asked."""

    version = "sum_v2"
    digest = "7" * 64

    def __init__(self) -> None:
        self.calls = 0

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        self.calls += 1
        last = windows[:, -1, 3].astype(np.float64)
        return Verdicts(last, last, np.ones(len(last), bool), last)


class Dumb(Challenger):
    """Has an answer for no window."""

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        self.calls += 1
        raise UnscorableError(range(len(windows)))


class Broken(Challenger):
    """Was exported for something else."""

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        self.calls += len(windows)
        raise RuntimeError("Got invalid dimensions for input:\n features")


def log(length: int = 60) -> list[Message]:
    """Two machines; production has no answer for one window, and one message is none."""
    found = [message(i, i % 2, i // 2 + 1, float(i)) for i in range(length)]
    found[30] = message(30, 0, 16, CHOKING_VALUE)
    found[41] = Message(41, b"m1", b"{broken")
    return found


def process(challenger: Challenger | None) -> Outcome:
    return chunks.process([(empty_partition(SETTINGS), log())], SumDetector(), challenger)


def on(outcome: Outcome, *topics: str) -> list[dict[str, object]]:
    return [json.loads(output.value) for output in outcome.outputs if output.topic in topics]


# The challenger judges the windows that production scored, the very same, in one call, and its
# verdicts go to its own topic in its own name.
def test_it_judges_what_production_judged() -> None:
    challenger = Challenger()
    outcome = process(challenger)
    scores, shadows = on(outcome, SETTINGS.topics.scores), on(outcome, SHADOW)
    where = ("id", "partition", "offset", "first_offset", "published_at")
    assert [[one[key] for key in where] for one in shadows] == [
        [one[key] for key in where] for one in scores
    ]
    assert [one["raw"] for one in shadows] == [float(str(one["offset"])) for one in scores]
    assert {one["model_version"] for one in shadows} == {"sum_v2"}
    assert {one["model_digest"] for one in shadows} == {"7" * 64}
    assert challenger.calls == 1
    assert outcome.shadow.windows == {"scored": len(scores), "failed": 0}


# Where the two do not agree is counted: production finds an anomaly in every window.
def test_disagreement_is_counted() -> None:
    class Calm(Challenger):
        def score(self, windows: NDArray[np.float32]) -> Verdicts:
            verdicts = super().score(windows)
            verdicts.is_anomaly[:3] = False
            return verdicts

    assert process(Calm()).shadow.disagreed == 3
    assert process(Challenger()).shadow.disagreed == process(Dumb()).shadow.disagreed == 0


# Whatever a challenger says or fails to say, what production does is the same, byte for byte.
@pytest.mark.parametrize("challenger", [Challenger(), Dumb(), Broken()])
def test_production_is_the_same_with_and_without(challenger: Challenger) -> None:
    alone, beside = process(None), process(challenger)
    assert [one for one in beside.outputs if one.topic != SHADOW] == alone.outputs
    assert (beside.kinds, beside.reasons, beside.anomalies) == (
        alone.kinds,
        alone.reasons,
        alone.anomalies,
    )


# A window it has no answer for is left out and counted; the others are judged.
def test_a_window_without_an_answer_is_left_out() -> None:
    class Choosy(Challenger):
        def score(self, windows: NDArray[np.float32]) -> Verdicts:
            odd = np.flatnonzero(windows[:, -1, 3] == 20)
            if len(odd):
                raise UnscorableError(odd)
            return super().score(windows)

    outcome = process(Choosy())
    scores, shadows = on(outcome, SETTINGS.topics.scores), on(outcome, SHADOW)
    left_out = {one["id"] for one in scores} - {one["id"] for one in shadows}
    assert [one["offset"] for one in scores if one["id"] in left_out] == [20]
    assert all(one["raw"] == one["offset"] for one in shadows)
    assert outcome.shadow.windows == {"scored": len(scores) - 1, "failed": 1}
    assert "no finite score" in outcome.shadow.why


# Several without an answer cost a second call, not one each; the others are judged all the same.
def test_many_windows_without_an_answer_cost_one_more_call() -> None:
    class Picky(Challenger):
        def score(self, windows: NDArray[np.float32]) -> Verdicts:
            odd = np.flatnonzero(windows[:, -1, 3] % 4 == 0)
            if len(odd):
                self.calls += 1
                raise UnscorableError(odd)
            return super().score(windows)

    challenger = Picky()
    outcome = process(challenger)
    scores, shadows = on(outcome, SETTINGS.topics.scores), on(outcome, SHADOW)
    wanted = [one["offset"] for one in scores if int(str(one["offset"])) % 4]
    assert len(scores) - len(wanted) > 4
    assert [one["offset"] for one in shadows] == wanted
    assert challenger.calls == 2


# What it answers may be no verdicts at all: that is one line, and nothing else.
@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_verdicts_of_a_wrong_shape_stop_nothing(shape: tuple[int, ...]) -> None:
    class Misshapen(Challenger):
        def score(self, windows: NDArray[np.float32]) -> Verdicts:
            self.calls += len(windows[:1])
            few = np.zeros(shape)
            return Verdicts(few, few, few > 0, few)

    outcome = process(Misshapen())
    assert outcome.shadow.why
    assert on(outcome, SHADOW) == []
    assert outcome.outputs == process(None).outputs


# One that fails on everything costs one call a chunk, not one a window.
def test_a_dumb_one_is_soon_given_up() -> None:
    dumb = Dumb()
    outcome = process(dumb)
    assert on(outcome, SHADOW) == []
    assert outcome.shadow.windows == {
        "scored": 0,
        "failed": len(on(outcome, SETTINGS.topics.scores)),
    }
    assert dumb.calls == 1


# One that cannot be run at all says why in one line.
def test_a_broken_one_says_why() -> None:
    outcome = process(Broken())
    assert outcome.shadow.why == "Got invalid dimensions for input: features"
    assert outcome.shadow.windows["scored"] == 0


# Its time is measured, from the call to its messages, by the clock that is given.
def test_its_time_is_measured() -> None:
    ticks = iter([5.0, 7.5])
    outcome = chunks.process(
        [(empty_partition(SETTINGS), log())], SumDetector(), Challenger(), lambda: next(ticks)
    )
    assert outcome.shadow.seconds == 2.5


# One slow chunk is forgiven; one that is slow for twenty has used its budget up.
def test_a_budget_looks_at_many_chunks() -> None:
    budget = Budget(0.8)
    budget.spend(9.0, 10.0)
    for _ in range(19):
        assert not budget.exceeded
        budget.spend(0.5, 1.0)
    assert not budget.exceeded
    slow = Budget(0.8)
    for _ in range(20):
        assert not slow.exceeded
        slow.spend(0.9, 1.0)
    assert slow.exceeded

"""A challenger beside production: heard on its own topic, and unable to do harm."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from plantwatch.scoring import UnscorableError, Verdicts
from stream_processors.partition import Outcome
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
        raise UnscorableError(len(windows) - 1)


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
    return empty_partition(SETTINGS).process(log(), SumDetector(), challenger)


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
    assert outcome.shadowed == {"scored": len(scores), "failed": 0}


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
                raise UnscorableError(int(odd[0]))
            return super().score(windows)

    outcome = process(Choosy())
    scores, shadows = on(outcome, SETTINGS.topics.scores), on(outcome, SHADOW)
    left_out = {one["id"] for one in scores} - {one["id"] for one in shadows}
    assert [one["offset"] for one in scores if one["id"] in left_out] == [20]
    assert all(one["raw"] == one["offset"] for one in shadows)
    assert outcome.shadowed == {"scored": len(scores) - 1, "failed": 1}
    assert "no finite score" in outcome.shadow_why


# One that fails on everything costs a few calls a chunk, not one a window.
def test_a_dumb_one_is_soon_given_up() -> None:
    dumb = Dumb()
    outcome = process(dumb)
    assert on(outcome, SHADOW) == []
    assert outcome.shadowed == {"scored": 0, "failed": len(on(outcome, SETTINGS.topics.scores))}
    assert dumb.calls <= 4


# One that cannot be run at all says why in one line.
def test_a_broken_one_says_why() -> None:
    outcome = process(Broken())
    assert outcome.shadow_why == "Got invalid dimensions for input: features"
    assert outcome.shadowed["scored"] == 0

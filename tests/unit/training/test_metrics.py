import numpy as np
import pytest

from plantwatch.scoring import Verdicts
from training.metrics import f1_interval, row_metrics


def verdicts(raw: list[float]) -> Verdicts:
    scores = np.array(raw)
    return Verdicts(scores, scores, scores >= 0.5, scores)


# Two of three alarms are right and two of four failing windows are found.
def test_metrics_of_a_small_example() -> None:
    positive = np.array([True, True, True, True, False, False])
    metrics = row_metrics(verdicts([0.9, 0.8, 0.2, 0.1, 0.7, 0.0]), positive)
    assert metrics["precision"] == pytest.approx(2 / 3)
    assert metrics["recall"] == pytest.approx(1 / 2)
    assert metrics["f1"] == pytest.approx(4 / 7)
    assert metrics["auc_roc"] == pytest.approx(6 / 8)


# A detector that says nothing scores nothing, and is no division by zero.
def test_silence_scores_zero() -> None:
    metrics = row_metrics(verdicts([0.1, 0.2]), np.array([True, False]))
    assert metrics["f1"] == metrics["precision"] == metrics["recall"] == 0


# Areas under curves need both kinds of windows; without, they are not made up.
def test_areas_are_left_out_without_both_kinds() -> None:
    assert "auc_roc" not in row_metrics(verdicts([0.1, 0.9]), np.array([False, False]))


# The interval surrounds F1 and shrinks as engines grow in number.
def test_the_interval_shrinks_with_engines() -> None:
    rng = np.random.default_rng(0)

    def width(engines: int) -> float:
        engine = np.repeat(np.arange(engines), 20)
        positive = rng.random(len(engine)) < 0.3
        flagged = positive ^ (rng.random(len(engine)) < 0.2)
        low, high = f1_interval(flagged, positive, engine, 300)
        score = 2 * (flagged & positive).sum() / (flagged.sum() + positive.sum())
        assert low < score < high
        return high - low

    assert width(200) < width(10) / 2

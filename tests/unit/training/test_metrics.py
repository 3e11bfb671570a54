import numpy as np
import pytest

from plantwatch.scoring import Verdicts
from training.metrics import intervals, reliability, row_metrics


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


def noisy(engines: int) -> tuple[Verdicts, np.ndarray, np.ndarray]:
    """Verdicts on 20 windows of each engine, of which a fifth are wrong."""
    rng = np.random.default_rng(0)
    engine = np.repeat(np.arange(engines), 20)
    positive = rng.random(len(engine)) < 0.3
    raw = np.where(positive, 0.7, 0.3) + rng.normal(0, 0.24, len(engine))
    return verdicts(raw.tolist()), positive, engine


# The intervals surround the metrics and shrink as engines grow in number.
def test_intervals_shrink_with_engines() -> None:
    def widths(engines: int) -> dict[str, float]:
        judged, positive, engine = noisy(engines)
        metrics = row_metrics(judged, positive)
        ends = intervals(judged, positive, engine, 300)
        assert all(low < metrics[name] < high for name, (low, high) in ends.items())
        return {name: high - low for name, (low, high) in ends.items()}

    few, many = widths(10), widths(200)
    assert set(few) == {"f1", "precision", "recall", "auc_roc", "auc_pr"}
    assert all(many[name] < few[name] / 2 for name in few)


# Where every engine is drawn as often as it is there, the areas are scikit-learn's, ties included.
def test_areas_are_the_usual_ones() -> None:
    judged, positive, engine = noisy(1)
    rounded = verdicts(judged.raw.round(1).tolist())
    metrics = row_metrics(rounded, positive)
    ends = intervals(rounded, positive, engine, 5)
    for name in ("auc_roc", "auc_pr"):
        assert ends[name] == pytest.approx((metrics[name], metrics[name]))


# Confidence that is always right costs nothing; that is sure and wrong costs everything.
def test_reliability_of_the_sure() -> None:
    failing = np.array([True, False])
    right = reliability(np.array([1.0, 0.0]), failing, 10)
    wrong = reliability(np.array([0.0, 1.0]), failing, 10)
    assert (right.ece, right.brier) == (0, 0)
    assert (wrong.ece, wrong.brier) == (1, 1)


# Of four windows called 0.5, one is failing: the bin is off by 0.25.
def test_reliability_counts_by_bins() -> None:
    seen = reliability(np.full(4, 0.5), np.array([True, False, False, False]), 10)
    assert seen.ece == pytest.approx(0.25)
    assert seen.windows.sum() == seen.windows[5] == 4
    assert seen.failing[5] == 0.25

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plantwatch.scoring import Calibration

RAW = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e6, 1e6))


def calibration(threshold: float | None = 2.0, fallback: float = 0.65) -> Calibration:
    return Calibration(threshold=threshold, scale=0.5, platt_a=1.3, platt_b=-0.7, fallback=fallback)


# At the threshold a window is anomalous, and its score says 0.5.
def test_the_threshold_itself_is_anomalous_at_one_half() -> None:
    verdicts = calibration().judge(np.array([2.0]))
    assert verdicts.anomaly_score.tolist() == [0.5]
    assert verdicts.is_anomaly.tolist() == [True]


# A higher raw score never reads as less anomalous or less certain, and all stay within [0, 1].
@given(RAW)
def test_scores_rise_with_raw_within_zero_and_one(raw: np.ndarray) -> None:
    verdicts = calibration().judge(np.sort(raw))
    for values in (verdicts.anomaly_score, verdicts.confidence):
        assert (np.diff(values) >= 0).all()
        assert ((values >= 0) & (values <= 1)).all()


# A verdict and its score never contradict each other.
@given(RAW)
def test_anomalies_score_at_least_one_half(raw: np.ndarray) -> None:
    verdicts = calibration().judge(raw)
    assert (verdicts.anomaly_score[verdicts.is_anomaly] >= 0.5).all()
    assert (verdicts.anomaly_score[~verdicts.is_anomaly] <= 0.5).all()


# Without a threshold in the card, the configured one decides on the anomaly score.
def test_the_configured_threshold_decides_where_the_card_has_none() -> None:
    raw = np.linspace(-2.0, 2.0, 401)
    verdicts = calibration(threshold=None, fallback=0.65).judge(raw)
    assert verdicts.is_anomaly.tolist() == (verdicts.anomaly_score >= 0.65).tolist()
    assert verdicts.anomaly_score[200] == pytest.approx(0.5)

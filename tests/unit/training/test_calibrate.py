import numpy as np
import pytest

from plantwatch.errors import BadDataError
from tests.support.small_training import small_sample, small_settings
from training.calibrate import calibrate, remaining_life, threshold_curve
from training.dataset import Windows


def windows() -> Windows:
    return small_sample().validation


def noisy_life(seed: int = 0) -> np.ndarray:
    """Raw scores that rise towards failure, with noise."""
    rng = np.random.default_rng(seed)
    return -windows().rul / 30 + rng.normal(0, 0.3, len(windows()))


# The threshold lies where the label ends, and about as many windows are called failing as are.
def test_the_threshold_parts_failing_from_healthy() -> None:
    raw = noisy_life()
    calibration = calibrate(raw, windows(), small_settings())
    assert calibration.threshold == pytest.approx(-1.0, abs=0.3)
    flagged, failing = calibration.judge(raw).is_anomaly, windows().rul < 30
    assert (flagged == failing).mean() > 0.95


# Confidence is a probability: of the windows it calls p, about p are failing.
def test_confidence_is_calibrated() -> None:
    raw = noisy_life()
    confidence = calibrate(raw, windows(), small_settings()).judge(raw).confidence
    failing = windows().rul < 30
    assert confidence.mean() == pytest.approx(failing.mean(), abs=0.005)
    assert confidence[failing].mean() > 0.8
    assert confidence[~failing].mean() < 0.1


# The scale is the spread of normal windows.
def test_the_scale_is_the_spread_of_normal_windows() -> None:
    raw = noisy_life()
    calibration = calibrate(raw, windows(), small_settings())
    assert calibration.scale == pytest.approx(raw[windows().rul > 50].std())


# Without a failing window there is nothing to choose by, and the refusal says what to do.
def test_nothing_failing_is_refused() -> None:
    healthy = windows().where(windows().rul >= 30)
    with pytest.raises(BadDataError, match="runs to failure"):
        calibrate(np.zeros(len(healthy)), healthy, small_settings())


# A score that never changes, as of dead sensors, is refused in words.
def test_a_score_that_stands_still_is_refused() -> None:
    with pytest.raises(BadDataError, match="use sensors that move"):
        calibrate(np.ones(len(windows())), windows(), small_settings())


# What remained at a score: bins of equally many windows, shorter lives at higher scores, and the
# truth about as often within the interval as it says.
def test_remaining_life_falls_with_the_score() -> None:
    raw, rul = noisy_life(), windows().rul
    bins = remaining_life(raw, rul, 20)
    assert len(bins) == 20
    medians = [one.median for one in bins]
    assert medians[-1] < 10
    assert medians[0] > 100
    assert all(one.low <= one.median <= one.high for one in bins)
    found = np.searchsorted([one.raw for one in bins], raw)
    inside = [bins[i].low <= life <= bins[i].high for i, life in zip(found, rul, strict=True)]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


# The curve's best F1 is what one gets by trying every threshold.
def test_the_curve_equals_trying_every_threshold() -> None:
    raw, failing = noisy_life(), windows().rul < 30
    curve = threshold_curve(raw, failing)
    tried = [2 * (failing & (raw >= t)).sum() / (failing.sum() + (raw >= t).sum()) for t in raw]
    assert curve.f1.max() == pytest.approx(max(tried))

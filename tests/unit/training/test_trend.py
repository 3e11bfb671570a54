import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.support.small_training import small_sample, small_settings
from training.summary import Summary
from training.trend import trend_weights

WINDOWS = small_sample().fit
NORMAL = WINDOWS.rul > 50


def drifting(sign: np.ndarray | float = 1.0) -> Summary:
    """Three numbers that drift up, down and not at all, standardised on normal windows."""
    drift = sign * np.exp(-WINDOWS.rul / 20)
    x = drift[:, None] * np.array([8.0, -8.0, 0.0])
    x += np.random.default_rng(0).normal(size=x.shape)
    return Summary.of(x, WINDOWS, NORMAL)


# On normal windows the score has mean 0 and deviation 1; close to failure it is far beyond.
def test_the_score_is_standardised_on_normal_windows() -> None:
    summary = drifting()
    (raw,) = trend_weights(summary, small_settings().trend_head) @ summary.x.T
    assert_allclose([raw[NORMAL].mean(), raw[NORMAL].std()], [0, 1], atol=1e-9)
    assert np.median(raw[WINDOWS.rul < 10]) > 4


# Numbers that drift towards failure carry the weight, with the sign of their drift.
def test_weights_follow_the_drift() -> None:
    config = small_settings().trend_head
    ((up, down, still),) = trend_weights(drifting(), config)
    assert up > 0 > down
    assert abs(still) < 0.2 * min(up, -down)


# Two ways to fail are told apart: each finds its own failures, though they drift oppositely.
@pytest.mark.parametrize("parity", [0, 1])
def test_opposite_ways_to_fail_are_both_found(parity: int) -> None:
    summary = drifting(np.where(WINDOWS.engine % 2 == 0, 1.0, -1.0))
    config = small_settings(TREND_HEAD_DIRECTIONS="2").trend_head
    raw = (trend_weights(summary, config) @ summary.x.T).max(axis=0)
    assert np.median(raw[(WINDOWS.rul < 10) & (WINDOWS.engine % 2 == parity)]) > 3

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.lstm_autoencoder import TrendHead
from tests.support.small_training import small_sample, small_settings
from training.trend import trend_weights


def residuals_and_raw() -> tuple[np.ndarray, np.ndarray]:
    windows = small_sample().fit
    drift = np.exp(-windows.rul / 40)[:, None, None] * np.array([2.0, -2.0, 0.0])
    noise = np.random.default_rng(0).normal(size=(len(windows), 30, 3))
    residuals = (drift + noise).astype(np.float32)
    weights, bias = trend_weights(residuals, windows, small_settings())
    head = TrendHead(weights, bias)
    return weights, head(torch.from_numpy(residuals)).numpy()


# On normal windows the head's score has mean 0 and deviation 1.
def test_the_score_is_standardised_on_normal_windows() -> None:
    _, raw = residuals_and_raw()
    normal = raw[small_sample().fit.rul > 50]
    assert_allclose([normal.mean(), normal.std()], [0, 1], atol=1e-4)


# Channels that drift towards failure carry the weight, with the sign of their drift.
def test_weights_follow_the_drift() -> None:
    weights, _ = residuals_and_raw()
    up, down, still = weights[0].sum(axis=0)
    assert up > 0 > down
    assert abs(still) < 0.2 * min(up, -down)


# Windows close to failure score far beyond normal ones.
def test_failing_windows_score_high() -> None:
    _, raw = residuals_and_raw()
    assert np.median(raw[small_sample().fit.rul < 10]) > 4


# Two ways to fail are told apart: each finds its own failures, though they drift oppositely.
def test_opposite_ways_to_fail_are_both_found() -> None:
    windows = small_sample().fit
    sign = np.where(windows.engine % 2 == 0, 1.0, -1.0)
    drift = sign[:, None, None] * np.exp(-windows.rul / 40)[:, None, None] * np.array([2.0, 2.0])
    noise = np.random.default_rng(0).normal(size=(len(windows), 30, 2))
    residuals = (drift + noise).astype(np.float32)
    settings = small_settings(LSTM_AE_DIRECTIONS="2")
    raw = TrendHead(*trend_weights(residuals, windows, settings))(torch.from_numpy(residuals))
    failing = windows.rul < 10
    for parity in (0, 1):
        chosen = failing & (windows.engine % 2 == parity)
        assert float(raw.numpy()[chosen].mean()) == pytest.approx(
            float(raw.numpy()[failing].mean()), rel=0.3
        )
        assert np.median(raw.numpy()[chosen]) > 3

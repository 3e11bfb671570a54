"""The trend head's weights: how residuals drift, over an engine's life, towards its failure."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plantwatch.features import level_and_slope, slope_weights
from plantwatch.settings import Settings
from training.dataset import Windows

Array = NDArray[np.float64]


def trend_weights(
    residuals: NDArray[np.float32], windows: Windows, settings: Settings
) -> tuple[Array, Array]:
    """Weights [K, length, channels] and bias [K] of `models.lstm_autoencoder.TrendHead`.

    Residuals [n, length, channels] become level and slope, standardised on normal windows. An
    engine's drift is the mean of its last windows minus that of its first. K-means finds K ways to
    drift; each weights a feature by the mean of its engines' drifts / (their spread + a floor), and
    its weighted sum has mean 0 and standard deviation 1 on normal windows.

    All of this is linear in the residuals, so it folds into one weight per row and channel.
    """
    knobs, level_rows = settings.lstm_ae, settings.features.level_rows
    features = level_and_slope(residuals, level_rows).astype(np.float64)
    normal = features[windows.rul > settings.training.normal_rul]
    centre, spread = normal.mean(axis=0), normal.std(axis=0)
    features = (features - centre) / spread
    drifts = _drifts(features, windows.engine, settings.training.end_windows)
    labels = _ways_to_fail(drifts, knobs.directions)
    weights = np.array(
        [_weights(drifts[labels == k], knobs.spread_floor) for k in np.unique(labels)]
    )
    weights /= ((normal - centre) / spread @ weights.T).std(axis=0)[:, None]
    weights /= spread
    return _per_row(weights, residuals.shape[1], level_rows), -weights @ centre


def _drifts(features: Array, engine: NDArray[np.int64], ends: int) -> Array:
    lives = (features[engine == one] for one in np.unique(engine))
    return np.array([life[-ends:].mean(axis=0) - life[:ends].mean(axis=0) for life in lives])


def _ways_to_fail(drifts: Array, directions: int) -> NDArray[np.int32]:
    unit = drifts / np.linalg.norm(drifts, axis=1, keepdims=True)
    return cast(
        "NDArray[np.int32]", KMeans(directions, n_init=10, random_state=0).fit_predict(unit)
    )


def _weights(drifts: Array, floor: float) -> Array:
    return cast("Array", drifts.mean(axis=0) / (drifts.std(axis=0) + floor))


def _per_row(weights: Array, length: int, level_rows: int) -> Array:
    """Weights of level and slope, [K, 2 channels], as weights of rows, [K, length, channels]."""
    level, slope = np.split(weights, 2, axis=1)
    last_rows = (np.arange(length) >= length - level_rows) / level_rows
    return last_rows[:, None] * level[:, None] + slope_weights(length)[:, None] * slope[:, None]

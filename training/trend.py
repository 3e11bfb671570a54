"""The trend head's weights: how windows drift, over an engine's life, towards its failure."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plantwatch.settings import TrendHead
from training.summary import Summary

Array = NDArray[np.float64]


def trend_weights(summary: Summary, config: TrendHead) -> Array:
    """Weights [K, D] of `models.heads.LinearHead`.

    An engine's drift is the mean of its last windows minus that of its first. K-means finds K ways
    to drift; each weights a number by the mean of its engines' drifts / (their spread + a floor),
    and its weighted sum has standard deviation 1 on normal windows.
    """
    drifts = _drifts(summary.x, summary.windows.engine, config.end_windows)
    labels = _ways_to_fail(drifts, config.directions)
    weights = np.array(
        [_weights(drifts[labels == k], config.spread_floor) for k in np.unique(labels)]
    )
    return cast("Array", weights / (summary.x[summary.normal] @ weights.T).std(axis=0)[:, None])


def _drifts(x: Array, engine: NDArray[np.int64], ends: int) -> Array:
    lives = (x[engine == one] for one in np.unique(engine))
    return np.array([life[-ends:].mean(axis=0) - life[:ends].mean(axis=0) for life in lives])


def _ways_to_fail(drifts: Array, directions: int) -> NDArray[np.int32]:
    unit = drifts / np.linalg.norm(drifts, axis=1, keepdims=True)
    return cast(
        "NDArray[np.int32]", KMeans(directions, n_init=10, random_state=0).fit_predict(unit)
    )


def _weights(drifts: Array, floor: float) -> Array:
    return cast("Array", drifts.mean(axis=0) / (drifts.std(axis=0) + floor))

"""The trend head's weights: how windows drift, over an engine's life, towards its failure."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from plantwatch.scoring import Float64
from plantwatch.settings import TrendHead
from training.directions import clusters
from training.summary import Summary


def trend_weights(summary: Summary, config: TrendHead) -> Float64:
    """Weights [K, D] of `models.heads.LinearHead`.

    An engine's drift is the mean of its last windows minus that of its first. K-means finds K ways
    to drift; each weights a number by the mean of its engines' drifts / (their spread + a floor),
    and its weighted sum has standard deviation 1 on normal windows.
    """
    drifts = _drifts(summary.x, summary.windows.engine, config.end_windows)
    labels = clusters(drifts, config.directions)
    weights = np.array(
        [_weights(drifts[labels == k], config.spread_floor) for k in np.unique(labels)]
    )
    return cast("Float64", weights / (summary.x[summary.normal] @ weights.T).std(axis=0)[:, None])


def _drifts(x: Float64, engine: NDArray[np.int64], ends: int) -> Float64:
    lives = (x[engine == one] for one in np.unique(engine))
    return np.array([life[-ends:].mean(axis=0) - life[:ends].mean(axis=0) for life in lives])


def _weights(drifts: Float64, floor: float) -> Float64:
    return cast("Float64", drifts.mean(axis=0) / (drifts.std(axis=0) + floor))

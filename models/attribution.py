"""Contributions of sensors to a score whose network does not tell them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plantwatch.scoring import Float64

_NORMAL = np.float32(0)
"""What a number is in the mean of normal windows, when it is standardised; min-max: the lowest."""


def by_occlusion(
    raw_of: Callable[[NDArray[np.float32]], Float64], features: NDArray[np.float32], sensors: int
) -> Float64:
    """Contributions [n, sensors] by occlusion (Zeiler and Fergus 2014): how far raw falls when a
    sensor's numbers are set to normal, one sensor after another. Raw is shared out in proportion,
    so they sum to it; a sensor without which it would rise gets nothing.

    Args:
        raw_of: scores features [m, ...], which costs `sensors` + 1 times as much as scoring.
        features: [n, ..., C], where number c of the last axis is of sensor c % `sensors`.
        sensors: how many.
    """
    without = np.repeat(features[None], sensors, axis=0)
    for sensor in range(sensors):
        without[sensor, ..., sensor::sensors] = _NORMAL
    raw = raw_of(features)
    hidden = raw_of(without.reshape(-1, *features.shape[1:])).reshape(sensors, -1)
    falls = np.maximum(raw - hidden, 0).T
    total = falls.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, falls / np.where(total > 0, total, 1), 1 / sensors)
    return raw[:, None] * shares

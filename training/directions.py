"""Ways to fail: engines, or windows, that left the normal mean in like directions."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plantwatch.scoring import Float64

Labels = NDArray[np.int32]


def clusters(moves: Float64, count: int) -> Labels:
    """The cluster, from 0, of each of `moves` [n, D] from the normal mean, however far it goes.

    At most `count` clusters, and no more than there are moves.
    """
    unit = moves / np.linalg.norm(moves, axis=1, keepdims=True)
    means = KMeans(min(count, len(moves)), n_init=10, random_state=0)
    return cast("Labels", means.fit_predict(unit))

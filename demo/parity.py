"""Online equals offline: what the stream stored against the same model on the same readings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from data.fleet import Fleet
from demo.account import Identity
from plantwatch.scoring import Detector
from training.dataset import cut

_BATCH: Final = 1000
"""Windows scored at once: what the networks need of memory grows with them."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How many windows were compared, and the largest difference of `anomaly_score`."""

    windows: int
    largest: float


def compare(
    fleet: Fleet, length: int, detector: Detector, stored: Mapping[Identity, float]
) -> Parity:
    """Score every window offline and hold it against the stored `anomaly_score`.

    The windows are cut from the files, with no code of the stream: only the model is the same.
    """
    windows = cut(fleet, length).values
    offline = np.concatenate(
        [
            detector.score(windows[at : at + _BATCH]).anomaly_score
            for at in range(0, len(windows), _BATCH)
        ]
    )
    rows = np.flatnonzero(fleet.cycle >= length).tolist()
    differences = [
        abs(stored[identity] - score)
        for row, score in zip(rows, offline, strict=True)
        if (identity := fleet.identity(row)) in stored
    ]
    return Parity(len(differences), max(differences, default=0.0))

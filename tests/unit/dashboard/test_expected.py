"""Where a sensor of a healthy machine would be."""

from pathlib import Path

import numpy as np
import pytest

from dashboard.expected import band
from tests.support.small_training import small_detector, small_fleet


# The band is that of the card: most of what healthy engines send lies within, and there is none
# for a sensor that the model does not look at.
def test_healthy_readings_lie_within(tmp_path: Path) -> None:
    card = small_detector("isolation_forest", tmp_path).card
    fleet = small_fleet("train")
    healthy = fleet.values[fleet.rul > 100]
    sensor = card.features.sensors[0]
    found = band(card, healthy.tolist(), sensor)
    assert found is not None
    values = healthy[:, 3 + sensor - 1]
    within = (values >= np.array(found.low)) & (values <= np.array(found.high))
    assert within.mean() > 0.97
    assert np.mean(np.array(found.high) - found.low) == pytest.approx(
        6 * card.features.spread[0][0], rel=1e-6
    )
    unwatched = next(n for n in range(1, 22) if n not in card.features.sensors)
    assert band(card, healthy.tolist(), unwatched) is None

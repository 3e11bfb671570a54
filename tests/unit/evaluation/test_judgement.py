"""What a contestant is judged by, for each label."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.judgement import judgement
from evaluation.outcome import Outcome
from plantwatch.scoring import Calibration
from tests.support.small_training import small_settings
from training.dataset import Scored


def scored(shift: float) -> Scored:
    """Engines whose raw score falls by 1 with each cycle left."""
    rul = np.tile(np.arange(100)[::-1], 5)
    return Scored(shift - rul.astype(float), np.repeat(np.arange(5), 100), rul)


OUTCOME = Outcome(
    known=scored(0),
    validation=scored(40),
    test=scored(0),
    calibration=Calibration(-29.0, 10.0, 1.0, 0.0, 0.65),
    supervision="W",
    fit_seconds=1.0,
    us_per_window=1.0,
    size_mb=None,
    by_sensor=None,
)


# Another label's threshold comes from the engines that the contestant's own came from.
@pytest.mark.parametrize("label", [20, 30, 50])
def test_each_label_has_its_threshold_from_the_same_engines(label: int) -> None:
    found = judgement([OUTCOME], label, small_settings())
    assert (found.verdicts.is_anomaly == found.failing).all()


# The configured label is judged as the model went into production.
def test_the_configured_label_has_the_calibration_of_production() -> None:
    early = replace(OUTCOME, calibration=replace(OUTCOME.calibration, threshold=-49.0))
    found = judgement([early], 30, small_settings())
    assert (found.verdicts.is_anomaly == (found.rul < 50)).all()

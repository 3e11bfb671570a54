"""What of a sensor the others do not explain."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plantwatch.drift import DriftReference, is_unseen, residuals, scaled
from plantwatch.features import FeatureSpec
from tests.support.small_training import small_sample, small_settings
from training.drift import drift_reference

SPEC = FeatureSpec(
    kind="sequence",
    length=2,
    sensors=(1, 2),
    setting_scale=(1.0,),
    centroids=((0.0,), (1.0,)),
    centre=((10.0, 20.0), (30.0, 40.0)),
    spread=((1.0, 2.0), (3.0, 4.0)),
    level_rows=1,
    rolling_rows=1,
    regime_radius=0.1,
)
FIELDS: dict[str, Any] = {
    "features": SPEC,
    "mixing": ((1.0, -0.5), (-0.5, 1.0)),
    "centre": (0.0, 1.0),
    "spread": (1.0, 0.5),
}
REFERENCE = DriftReference(**FIELDS)


# By hand: z of the reading's own regime, less what the other says, standardised.
def test_residuals_by_hand() -> None:
    readings = np.array([[0, 11, 20], [1, 33, 48]], np.float32)
    assert scaled(REFERENCE, readings).tolist() == [[1, 0], [1, 2]]
    assert residuals(REFERENCE, readings).tolist() == [[1, -3], [0, 1]]


# What moves both sensors as they move together leaves nothing; that is how machines wear.
@given(st.floats(-100, 100, width=32))
def test_what_sensors_do_together_leaves_nothing(wear: float) -> None:
    together = DriftReference(**FIELDS | {"mixing": ((1.0, -1.0), (-1.0, 1.0))})
    worn = np.array([[0, 10 + wear, 20 + 2 * wear]], np.float32)
    assert residuals(together, worn)[0] == pytest.approx([0, -2], abs=1e-3)


# Far from all regimes of training: said, not judged; and no number makes it fail.
def test_an_unseen_regime_is_told() -> None:
    readings = np.array([[0.05, 1, 1], [0.5, 1, 1], [1, 3e38, -3e38]], np.float32)
    assert is_unseen(REFERENCE, readings).tolist() == [False, True, False]
    assert residuals(REFERENCE, readings).shape == (3, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"mixing": ((1.0, 0.0),)},
        {"mixing": ((1.0,), (0.0,))},
        {"centre": (0.0,)},
        {"spread": (1.0, 0.0)},
        {"features": SPEC.model_copy(update={"kind": "rolling"})},
    ],
)
def test_a_reference_that_could_not_be_used_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DriftReference(**FIELDS | changes)


# Fitted: healthy rows are centred and one wide, whatever their sensors have in common.
def test_healthy_training_rows_are_standardised() -> None:
    sample, settings = small_sample(), small_settings()
    reference = drift_reference(sample, settings)
    fleet = sample.fleet
    healthy = np.isin(fleet.engine, sample.fit_engines) & (fleet.rul > settings.training.normal_rul)
    left = residuals(reference, fleet.values[healthy])
    assert left.mean(axis=0) == pytest.approx(np.zeros(14), abs=1e-4)
    assert left.std(axis=0) == pytest.approx(np.ones(14), abs=1e-3)
    assert np.diag(reference.tables[0]) == pytest.approx(np.ones(14))

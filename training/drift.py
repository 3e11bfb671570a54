"""What drift is told by: sensors of healthy machines, and what they say of one another."""

import numpy as np

from plantwatch.drift import DriftReference, residuals, scaled
from plantwatch.features import FeatureSpec
from plantwatch.scoring import Float64
from plantwatch.settings import Settings
from training.dataset import Sample
from training.scaling import fit_features

_RIDGE = 1e-3
"""Added to each variance of z, so that sensors that say the same can be told apart; what is left of
a sensor that varies by less counts as it is.
"""


def drift_reference(sample: Sample, settings: Settings) -> DriftReference:
    """Learn from the fit engines' whole lives what sensors do together, from their healthy rows how
    much is left of each.

    The part of a sensor that the others explain is that of least squares, whose coefficients are
    the rows of the inverse covariance over its diagonal.
    """
    fleet = sample.fleet
    fitted = np.isin(fleet.engine, sample.fit_engines)
    healthy = fitted & (fleet.rul > settings.training.normal_rul)
    features = fit_features(sample, "sequence", "zscore", settings)
    one = np.eye(len(features.sensors))
    none, unit = np.zeros(len(one)), np.ones(len(one))
    z = scaled(_reference(features, one, none, unit), fleet.values[fitted]).astype(np.float64)
    # Of one sensor, numpy's covariance is a number.
    precision = np.linalg.inv(np.atleast_2d(np.cov(z.T)) + _RIDGE * one)
    mixing = precision / np.diag(precision)[:, None]
    left = residuals(_reference(features, mixing, none, unit), fleet.values[healthy])
    centre, spread = left.mean(axis=0, dtype=np.float64), left.std(axis=0, dtype=np.float64)
    return _reference(features, mixing, centre, np.where(spread > _RIDGE, spread, 1.0))


def _reference(
    features: FeatureSpec, mixing: Float64, centre: Float64, spread: Float64
) -> DriftReference:
    rows = tuple(map(tuple, mixing.tolist()))
    return DriftReference(
        features=features,
        mixing=rows,
        centre=tuple(centre.tolist()),
        spread=tuple(spread.tolist()),
    )

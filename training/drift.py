"""What drift is told by: sensors of healthy machines, and what they say of one another."""

import numpy as np

from plantwatch.drift import DriftReference, residuals, scaled
from plantwatch.settings import Settings
from training.dataset import Sample
from training.scaling import fit_features

_RIDGE = 1e-3
"""Added to each variance of z, so that sensors that say the same can be told apart."""


def drift_reference(sample: Sample, settings: Settings) -> DriftReference:
    """Learn from the fit engines' whole lives what sensors do together, from their healthy rows how
    much is left of each.

    The part of a sensor that the others explain is that of least squares, whose coefficients are
    the rows of the inverse covariance over its diagonal.
    """
    fleet = sample.fleet
    fitted = np.isin(fleet.engine, sample.fit_engines)
    healthy = fleet.rul[fitted] > settings.training.normal_rul
    features = fit_features(sample, "sequence", "zscore", settings)
    size = len(features.sensors)
    plain = DriftReference(
        features=features,
        mixing=tuple(map(tuple, np.eye(size).tolist())),
        centre=(0.0,) * size,
        spread=(1.0,) * size,
    )
    readings = fleet.values[fitted]
    z = scaled(plain, readings).astype(np.float64)
    precision = np.linalg.inv(np.cov(z.T) + _RIDGE * np.eye(size))
    mixing = precision / np.diag(precision)[:, None]
    mixed = plain.model_copy(update={"mixing": tuple(map(tuple, mixing.tolist()))})
    left = residuals(mixed, readings[healthy]).astype(np.float64)
    spread = np.where(left.std(axis=0) > _RIDGE, left.std(axis=0), 1.0)
    return DriftReference(
        features=features,
        mixing=mixed.mixing,
        centre=tuple(left.mean(axis=0).tolist()),
        spread=tuple(spread.tolist()),
    )

"""The feature specification, from the normal rows of the fit engines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plantwatch.features import FeatureSpec, Kind, level_and_slope, model_input
from plantwatch.settings import Scaling, Settings
from training.dataset import Sample

_FLAT = 1e-6
"""Spreads below this share of a sensor's size are float32's noise; its spread counts as 1."""


def fit_features(sample: Sample, kind: Kind, scaling: Scaling, settings: Settings) -> FeatureSpec:
    """Regimes, scaling and, for `level_slope`, the features' own standardisation.

    `zscore` scales by mean and standard deviation per operating regime; `minmax` by the smallest
    and largest value, regimes or not.
    """
    knobs = settings.features
    fleet = sample.fleet
    normal = np.isin(fleet.engine, sample.fit_engines) & (fleet.rul > settings.training.normal_rul)
    rows = fleet.values[normal].astype(np.float64)
    scaled_settings = rows[:, : settings.reading.settings] / knobs.setting_scale
    sensors = rows[:, np.asarray(knobs.sensors) + settings.reading.settings - 1]
    one_regime = scaling == "minmax" or np.ptp(scaled_settings[:, 0]) < knobs.min_setting_range
    centroids = _centroids(scaled_settings, 1 if one_regime else knobs.regimes)
    regime = ((scaled_settings[:, None] - centroids) ** 2).sum(axis=2).argmin(axis=1)
    statistics = _zscore if scaling == "zscore" else _minmax
    tables = [statistics(sensors[regime == index]) for index in range(len(centroids))]
    spec: dict[str, Any] = {
        "kind": "sequence",
        "length": settings.window.length,
        "sensors": knobs.sensors,
        "setting_scale": knobs.setting_scale,
        "centroids": centroids.tolist(),
        "centre": [centre.tolist() for centre, _ in tables],
        "spread": [spread.tolist() for _, spread in tables],
        "level_rows": knobs.level_rows,
        "rolling_rows": knobs.rolling_rows,
    }
    if kind == "level_slope":
        spec |= _standardisation(FeatureSpec.model_validate(spec), sample, settings)
    return FeatureSpec.model_validate(spec | {"kind": kind})


def _centroids(scaled_settings: NDArray[np.float64], regimes: int) -> NDArray[np.float64]:
    """Centres of the operating regimes, [regimes, settings]."""
    if regimes == 1:
        return np.atleast_2d(scaled_settings.mean(axis=0))
    clusters = KMeans(regimes, n_init=4, random_state=0).fit(scaled_settings)
    centres: NDArray[np.float64] = np.unique(clusters.cluster_centers_, axis=0)  # in order
    return centres


def _zscore(sensors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return sensors.mean(axis=0), _spread(sensors, sensors.std(axis=0))


def _minmax(sensors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return sensors.min(axis=0), _spread(sensors, np.ptp(sensors, axis=0))


def _spread(sensors: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(spread > _FLAT * np.abs(sensors).max(axis=0), spread, 1.0)


def _standardisation(spec: FeatureSpec, sample: Sample, settings: Settings) -> dict[str, Any]:
    """Mean and standard deviation of level and slope over normal fit windows."""
    normal = sample.fit.where(sample.fit.rul > settings.training.normal_rul)
    features = level_and_slope(model_input(spec, normal.values), spec.level_rows)
    spread = features.std(axis=0, dtype=np.float64)
    return {
        "feature_centre": features.mean(axis=0, dtype=np.float64).tolist(),
        "feature_spread": np.where(spread > _FLAT, spread, 1.0).tolist(),
    }

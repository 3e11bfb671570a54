"""The feature specification, from the normal rows of the fit engines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from plantwatch.errors import BadDataError
from plantwatch.features import FeatureSpec, Kind, model_input
from plantwatch.features import regimes as regimes_of
from plantwatch.scoring import Float64
from plantwatch.settings import Features, Scaling, Settings
from training.dataset import Sample, Windows

_FLAT = 1e-6
"""Spreads below this share of a sensor's size are float32's noise; its spread counts as 1."""

_LEAST_NOISE = 1e-3
"""Added to a variance in units of z^2, so that no row weighs beyond measure."""


def fit_features(sample: Sample, kind: Kind, scaling: Scaling, settings: Settings) -> FeatureSpec:
    """Regimes, scaling and, for `level_slope`, the features' own standardisation.

    `zscore` scales by mean and standard deviation per operating regime, `gain` also by how strongly
    each regime shows a sensor's drift (see `_with_gains`); `minmax` by the smallest and largest
    value, regimes or not.

    Raises:
        BadDataError: no fit engine has a normal row.
    """
    rows = _normal_rows(sample, settings)
    spec = _scaled_by_regime(rows, scaling, settings)
    if scaling == "gain" and len(spec["centroids"]) > 1:
        spec |= _with_gains(FeatureSpec.model_validate(spec), sample.fit, settings)
    if kind == "level_slope":
        spec |= _standardisation(spec, sample, settings)
    return FeatureSpec.model_validate(spec | {"kind": kind})


def _normal_rows(sample: Sample, settings: Settings) -> Float64:
    """Settings, then sensors, of the fit engines' rows while they are healthy."""
    fleet, normal_rul = sample.fleet, settings.training.normal_rul
    normal = np.isin(fleet.engine, sample.fit_engines) & (fleet.rul > normal_rul)
    if not normal.any():
        raise BadDataError(
            f"no machine of {fleet.subset} is farther than {normal_rul} readings from its failure, "
            "so nothing shows what is normal; bring longer lives, or set training.normal_rul"
        )
    return fleet.values[normal].astype(np.float64)


def _scaled_by_regime(rows: Float64, scaling: Scaling, settings: Settings) -> dict[str, Any]:
    """A `sequence` specification: the regimes, and centre and spread of each sensor in each."""
    config = settings.features
    scaled_settings = rows[:, : settings.reading.settings] / config.setting_scale
    sensors = rows[:, np.asarray(config.sensors) + settings.reading.settings - 1]
    if scaling == "minmax":
        statistics, centroids = _minmax, _centroids(scaled_settings, 1)
    else:
        statistics, centroids = _zscore, regime_centres(scaled_settings, config)
    regime = nearest(scaled_settings, centroids)
    tables = [statistics(sensors[regime == index]) for index in range(len(centroids))]
    return {
        "kind": "sequence",
        "length": settings.window.length,
        "sensors": config.sensors,
        "setting_scale": config.setting_scale,
        "centroids": centroids.tolist(),
        "centre": [centre.tolist() for centre, _ in tables],
        "spread": [spread.tolist() for _, spread in tables],
        "level_rows": config.level_rows,
        "rolling_rows": config.rolling_rows,
        "regime_radius": max(config.regime_radius, _farthest(scaled_settings, centroids)),
    }


def regime_centres(scaled_settings: Float64, config: Features) -> Float64:
    """Centres of the operating regimes, [regimes, settings], of settings over `setting_scale`."""
    # Machines without settings are all operated alike.
    if not scaled_settings.size or np.ptp(scaled_settings[:, 0]) < config.min_setting_range:
        return _centroids(scaled_settings, 1)
    return _centroids(scaled_settings, config.regimes)


def nearest(scaled_settings: Float64, centres: Float64) -> NDArray[np.intp]:
    """The number of each row's regime."""
    distance = ((scaled_settings[:, None] - centres) ** 2).sum(axis=2)
    return np.asarray(distance.argmin(axis=1))


def _with_gains(spec: FeatureSpec, windows: Windows, settings: Settings) -> dict[str, Any]:
    """`spread` times each regime's gain, and the weight of a row: gain^2 / noise. No labels.

    The gain is how far a sensor moves in a regime when it moves by 1 over the window: the slope of
    the last row's z on m, the window's mean, over the mean of the regimes' slopes. The noise is the
    variance of what is left. Once more with an m that weighs the rows by what was found.
    """
    config = settings.features
    z = model_input(spec, windows.values).astype(np.float64)
    regime = regimes_of(spec, windows.values)
    spread = np.asarray(spec.spread)
    gain, noise = np.ones_like(spread), np.ones_like(spread)
    for _ in range(2):
        precision = (gain**2 / noise)[regime]
        mean = (z / gain[regime] * precision).sum(axis=1) / precision.sum(axis=1)
        for index in range(len(spread)):
            here = regime[:, -1] == index
            gain[index], noise[index] = _slope_and_noise(z[here, -1], mean[here])
        gain = np.clip(gain / gain.mean(axis=0), *config.gain_range)
    return {"spread": (spread * gain).tolist(), "weight": (gain**2 / noise).tolist()}


def _farthest(scaled_settings: Float64, centroids: Float64) -> float:
    """The largest distance of a row from its regime's centroid."""
    distance = np.linalg.norm(scaled_settings[:, None] - centroids, axis=2).min(axis=1)
    return float(distance.max())


def _centroids(scaled_settings: Float64, regimes: int) -> Float64:
    """Centres of the operating regimes, [regimes, settings]."""
    if regimes == 1:
        return np.atleast_2d(scaled_settings.mean(axis=0))
    clusters = KMeans(regimes, n_init=4, random_state=0).fit(scaled_settings)
    centres: Float64 = np.unique(clusters.cluster_centers_, axis=0)  # in order
    return centres


def _zscore(sensors: Float64) -> tuple[Float64, Float64]:
    return sensors.mean(axis=0), _spread(sensors, sensors.std(axis=0))


def _minmax(sensors: Float64) -> tuple[Float64, Float64]:
    return sensors.min(axis=0), _spread(sensors, np.ptp(sensors, axis=0))


def _spread(sensors: Float64, spread: Float64) -> Float64:
    return np.where(spread > _FLAT * np.abs(sensors).max(axis=0), spread, 1.0)


def _slope_and_noise(z: Float64, mean: Float64) -> tuple[Float64, Float64]:
    """Slope of z on mean and variance of the rest, sensor by sensor; both [n, S] -> [S]."""
    centred = mean - mean.mean(axis=0)
    slope = (centred * z).sum(axis=0) / (centred**2).sum(axis=0)
    return slope, (z - slope * mean).var(axis=0) + _LEAST_NOISE


def _standardisation(spec: dict[str, Any], sample: Sample, settings: Settings) -> dict[str, Any]:
    """Mean and standard deviation of level and slope over normal fit windows."""
    normal = sample.fit.where(sample.fit.rul > settings.training.normal_rul)
    neutral = {
        "kind": "level_slope",
        "feature_centre": (0.0,) * 2 * len(spec["sensors"]),
        "feature_spread": (1.0,) * 2 * len(spec["sensors"]),
    }
    features = model_input(FeatureSpec.model_validate(spec | neutral), normal.values)
    spread = features.std(axis=0, dtype=np.float64)
    return {
        "feature_centre": features.mean(axis=0, dtype=np.float64).tolist(),
        "feature_spread": np.where(spread > _FLAT, spread, 1.0).tolist(),
    }

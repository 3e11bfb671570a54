import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from plantwatch.features import model_input, regimes
from tests.support.small_training import small_sample, small_settings
from training.dataset import Sample, cut
from training.scaling import fit_features


def in_two_regimes() -> Sample:
    """The small fleet, every other row flown high, where all sensors read 100 more."""
    sample = small_sample()
    high = sample.fleet.cycle % 2 == 0
    fleet = dataclasses.replace(
        sample.fleet,
        settings=sample.fleet.settings + high[:, None] * np.array([35.0, 0.84, 0.0]),
        sensors=sample.fleet.sensors + 100.0 * high[:, None],
    )
    windows = cut(fleet, 30)
    fit, validation = windows.of(sample.fit_engines), windows.of(sample.validation_engines)
    return dataclasses.replace(sample, fleet=fleet, fit=fit, validation=validation)


# On normal fit windows the recipe's features have mean 0 and deviation 1.
def test_features_are_standardised_on_normal_windows() -> None:
    sample = small_sample()
    spec = fit_features(sample, "level_slope", "zscore", small_settings())
    features = model_input(spec, sample.fit.values[sample.fit.rul > 50])
    assert features.shape[1] == 28
    assert_allclose(features.mean(axis=0), 0, atol=1e-3)
    assert_allclose(features.std(axis=0), 1, atol=1e-3)


# Where the first setting varies, each reading is scaled within its regime: flying high, which moves
# every sensor by a hundred, leaves no trace in a healthy machine.
def test_regimes_leave_no_trace() -> None:
    sample = in_two_regimes()
    settings = small_settings(FEATURES_REGIMES="2")
    spec = fit_features(sample, "sequence", "zscore", settings)
    assert len(spec.centroids) == 2
    normal = sample.fit.values[sample.fit.rul > 50]
    high = regimes(spec, normal) == 1
    scaled = model_input(spec, normal)
    for one in (high, ~high):
        assert_allclose(scaled[one].mean(axis=0), 0, atol=0.2)


# Where the settings do not vary there is one regime, whatever is configured.
def test_one_regime_where_settings_stand_still() -> None:
    assert len(fit_features(small_sample(), "sequence", "zscore", small_settings()).centroids) == 1


# Min-max puts normal readings between 0 and 1.
def test_minmax_puts_normal_rows_between_zero_and_one() -> None:
    sample = small_sample()
    spec = fit_features(sample, "sequence", "minmax", small_settings())
    scaled = model_input(spec, sample.fit.values[sample.fit.rul > 50])
    assert scaled.min() >= -1e-6
    assert scaled.max() <= 1 + 1e-6


# A sensor that never moves is not divided by zero.
@pytest.mark.parametrize("scaling", ["zscore", "minmax"])
def test_a_constant_sensor_scales_to_finite_numbers(scaling: str) -> None:
    settings = small_settings(FEATURES_SENSORS="[1, 2]")
    spec = fit_features(small_sample(), "level_slope", scaling, settings)  # type: ignore[arg-type]  # a literal
    assert np.isfinite(model_input(spec, small_sample().validation.values)).all()


def shown_twice_as_strongly_when_high(seed: int = 0) -> Sample:
    """As above, but high every sensor drifts twice as far and is noisier by half."""
    sample = in_two_regimes()
    rng, high = np.random.default_rng(seed), (sample.fleet.cycle % 2 == 0)[:, None]
    drift = np.exp(-sample.fleet.rul / 30)[:, None] * np.where(high, 16.0, 8.0)
    noise = rng.normal(size=sample.fleet.sensors.shape) * np.where(high, 1.5, 1.0)
    sensors = 100.0 * high + drift + noise
    fleet = dataclasses.replace(sample.fleet, sensors=sensors)
    windows = cut(fleet, 30)
    fit, validation = windows.of(sample.fit_engines), windows.of(sample.validation_engines)
    return dataclasses.replace(sample, fleet=fleet, fit=fit, validation=validation)


# A regime that shows a drift more clearly has the higher gain and weighs more.
def test_clearer_regimes_weigh_more() -> None:
    settings = small_settings(FEATURES_REGIMES="2")
    sample = shown_twice_as_strongly_when_high()
    spec = fit_features(sample, "level_slope", "gain", settings)
    plain = fit_features(sample, "level_slope", "zscore", settings)
    low, high = np.asarray(spec.weight).mean(axis=1)
    gains = (np.asarray(spec.spread) / np.asarray(plain.spread)).mean(axis=1)
    assert high > 1.3 * low
    assert gains[1] / gains[0] == pytest.approx(2 / 1.5, rel=0.15)


# With one regime there is nothing to compare: gain is zscore.
def test_gains_need_regimes() -> None:
    sample, settings = small_sample(), small_settings()
    zscore = fit_features(sample, "level_slope", "zscore", settings)
    assert fit_features(sample, "level_slope", "gain", settings) == zscore

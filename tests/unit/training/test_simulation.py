"""Fitted to made-up engines whose parameters are known, the fit finds them again."""

import dataclasses

import numpy as np
import pytest

from data import datasets
from data.datasets import Engines, Simulated
from data.fleet import Fleet
from data.simulate import coefficients, simulate
from plantwatch.errors import BadDataError
from tests.support.small_training import small_fleet, small_settings
from training.simulation import fit_engines


def known(subset: str, engines: int) -> Simulated:
    parameters = datasets.simulated(datasets.CONFIGS, subset)
    fleet = parameters.fleet.model_copy(update={"engines": engines})
    return parameters.model_copy(update={"fleet": fleet})


def fitted(parameters: Simulated, faults: int = 1) -> Engines:
    fleets = simulate(parameters, "train"), simulate(parameters, "test")
    return fit_engines(*fleets, faults, small_settings())


# Means, noise, drifts, lives and steepness are those of the engines it is shown, in one operating
# regime and in six.
@pytest.mark.parametrize("subset", ["FD001", "FD002"])
def test_known_parameters_are_found(subset: str) -> None:
    parameters = known(subset, 300)
    found, true = fitted(parameters), parameters.engines
    assert found.wear.steepness == pytest.approx(true.wear.steepness, rel=0.05)
    assert found.life.cycles == pytest.approx(true.life.cycles, rel=0.08)
    assert found.decimals.sensors[:4] == true.decimals.sensors[:4]
    assert len(found.operation.regimes) == len(true.operation.regimes)
    for one in true.operation.regimes:
        other = min(
            found.operation.regimes,
            key=lambda regime: np.abs(np.subtract(regime.settings_mean, one.settings_mean)).sum(),
        )
        used = np.array(small_settings().features.sensors) - 1
        spread = np.array(one.spread)[used]
        assert other.share == pytest.approx(one.share, abs=0.02)
        assert np.array(other.spread)[used] == pytest.approx(spread, rel=0.1)
        assert np.abs(np.subtract(other.mean, one.mean)[used] / spread).max() < 0.3
        drifts = np.subtract(other.faults[0].drift, one.faults[0].drift)[used] / spread
        reach = np.linalg.norm(coefficients(one)[4:6, used] / spread, axis=0)
        assert (np.abs(drifts) < 0.3 + 0.2 * reach).all()  # engines differ at their ends by reach


def with_two_faults(parameters: Simulated, share: float) -> Simulated:
    """A second way to fail: sensors 2, 4 and 11 go the other way."""
    flip = np.ones(21)
    flip[[1, 3, 10]] = -1
    document = parameters.model_dump()
    (fault,) = document["engines"]["wear"]["faults"]
    document["engines"]["wear"]["faults"] = [fault | {"share": s} for s in (share, 1 - share)]
    for regime in document["engines"]["operation"]["regimes"]:
        (one,) = regime["faults"]
        other = one | {"drift": (flip * one["drift"]).tolist()}
        regime["faults"] = [one, other]
    return Simulated.model_validate(document)


# Two ways to fail are told apart by the directions in which engines go, with the share of each.
def test_two_ways_to_fail_are_told_apart() -> None:
    parameters = with_two_faults(known("FD001", 200), 0.7)
    found, (regime,) = fitted(parameters, faults=2), parameters.engines.operation.regimes
    assert [one.share for one in found.wear.faults] == pytest.approx([0.7, 0.3], abs=0.07)
    for one, other in zip(regime.faults, found.operation.regimes[0].faults, strict=True):
        used = [1, 2, 3, 6, 10]
        apart = np.subtract(other.drift, one.drift)[used] / np.array(regime.spread)[used]
        assert np.abs(apart).max() < 0.5


# A fleet fitted to a fleet is like it: sensors of healthy and of failing engines lie as they did.
def test_what_is_fitted_and_drawn_again_is_alike() -> None:
    parameters = known("FD001", 300)
    first = simulate(parameters, "train")
    again = simulate(parameters.model_copy(update={"engines": fitted(parameters)}), "train")
    for low, high in ((126, 400), (40, 50), (0, 5)):
        one, other = (
            fleet.sensors[(fleet.rul >= low) & (fleet.rul < high)] for fleet in (first, again)
        )
        spread = np.maximum(one.std(axis=0), 1e-9)
        assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < 0.3 * spread + 1e-6).all()


def stuck(fleet: Fleet, sensor: int) -> Fleet:
    sensors = fleet.sensors.copy()
    sensors[:, sensor - 1] = 1
    return dataclasses.replace(fleet, sensors=sensors)


# What cannot be fitted is refused in one line that says why.
def test_unfit_fleets_are_refused() -> None:
    train, test, settings = small_fleet("train"), small_fleet("test"), small_settings()
    with pytest.raises(BadDataError, match=r"12 training engines are too few to fit 2 ways"):
        fit_engines(train, test, 2, settings)
    with pytest.raises(BadDataError, match=r"sensor 11 never moves in training"):
        fit_engines(stuck(train, 11), test, 1, settings)

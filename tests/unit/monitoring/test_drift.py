"""Drift of a fleet: what is one, how soon it is seen, and what is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.drift import FleetDrift
from plantwatch.drift import DriftReference
from plantwatch.settings import Drift
from tests.support.drift import alarms, in_turn, nasa, shifted
from tests.support.small_training import small_settings
from training.dataset import Sample

SENSORS = (2, 7)
SETTINGS = small_settings()
CONFIG = SETTINGS.drift
MACHINES = 20
HEALTHY = 125


def config(**changes: Any) -> Drift:
    return CONFIG.model_copy(update=changes)


def feed(fleet: FleetDrift, values: NDArray[np.float32], machines: int = MACHINES) -> list[int]:
    """Each machine's residuals in turn; the readings at which the first sensor began to drift."""
    return [
        at
        for at, value in enumerate(values, start=1)
        if SENSORS[0] in fleet.update(str(at % machines), np.array([value, 0.0], np.float32))
    ]


def noise(readings: int, seed: int = 0, mean: float = 0.0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(mean, 1, readings).astype(np.float32)


def lives(sample: Sample, seed: int, *, healthy: bool) -> list[NDArray[np.float32]]:
    """Twenty engines that the reference was not fitted on: to the end, or before they degrade."""
    fleet = sample.fleet
    rul = {engine: fleet.rul[rows] for engine, rows in fleet.slices.items()}
    old = [one for one in sample.validation_engines if (rul[one] > HEALTHY).sum() >= 40]
    chosen = np.random.default_rng(seed).choice(old, MACHINES, replace=False)
    whole = [(fleet.values[fleet.slices[one]], rul[one] > HEALTHY) for one in chosen]
    return [values[is_healthy] if healthy else values for values, is_healthy in whole]


@pytest.fixture
def fd001(cmapss_dir: Path) -> tuple[Sample, DriftReference]:
    return nasa(cmapss_dir, "FD001")


# Nobody is woken for nothing: healthy engines do not drift, whichever twenty they are.
@pytest.mark.nasa
@pytest.mark.parametrize("seed", range(5))
def test_healthy_engines_do_not_drift(fd001: tuple[Sample, DriftReference], seed: int) -> None:
    sample, reference = fd001
    names, readings = in_turn(lives(sample, seed, healthy=True), CONFIG.machines)
    assert len(readings) > 1000
    assert alarms(reference, names, readings, SETTINGS) == []


# Machines that fail are no drift, not even when all of them fail at about the same time.
@pytest.mark.nasa
@pytest.mark.parametrize("seed", range(3))
def test_a_fleet_that_wears_out_does_not_drift(
    fd001: tuple[Sample, DriftReference], seed: int
) -> None:
    sample, reference = fd001
    names, readings = in_turn(lives(sample, seed, healthy=False), CONFIG.machines)
    assert alarms(reference, names, readings, SETTINGS) == []


# A sensor off by one healthy spread, up or down, is named within 200 readings of the fleet, be it
# off from the start or later; so may be the one that always says the same (9 and 14).
@pytest.mark.nasa
@pytest.mark.parametrize("by", [1.0, -1.0])
@pytest.mark.parametrize("start", [0, 703])
def test_a_shift_of_one_sensor_is_reported_within_200_readings(
    fd001: tuple[Sample, DriftReference], by: float, start: int
) -> None:
    sample, reference = fd001
    names, readings = in_turn(lives(sample, 0, healthy=True), CONFIG.machines)
    for sensor in reference.features.sensors:
        moved = shifted(reference, readings, sensor, by, start)
        until = slice(start + 200)
        raised = alarms(reference, names[until], moved[until], SETTINGS)
        found = {name: at for at, name in raised}
        assert start < found[sensor] <= start + 200
        assert found.keys() - {sensor} <= ({9, 14} if sensor in {9, 14} else set())


# One machine's sensor that is stuck far away is that machine's affair.
@given(stuck=st.floats(-1e6, 1e6), seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_one_machine_is_no_fleet(stuck: float, seed: int) -> None:
    values = noise(2000, seed) * 0.5
    values[::MACHINES] = stuck
    fleet = FleetDrift(SENSORS, CONFIG)
    assert feed(fleet, values) == []
    assert not fleet.states[SENSORS[0]].drifting


# Kafka hands out readings by partition, some machines' at a time: no reading is lost by it.
def test_bursts_of_few_machines_are_as_good() -> None:
    fleet = FleetDrift(SENSORS, CONFIG)
    values = noise(200, mean=1.2).reshape(MACHINES, 10)
    burst = [
        fleet.update(str(machine), np.array([value, 0], np.float32))
        for machine, row in enumerate(values)
        for value in row
    ]
    assert [sensor for sensors in burst for sensor in sensors] == [SENSORS[0]]


# One machine that talks alone is forgotten but for its last readings.
def test_what_waits_is_bounded() -> None:
    fleet = FleetDrift(SENSORS, CONFIG)
    assert feed(fleet, noise(10_000), machines=1) == []
    assert sum(map(len, fleet._pending.values())) == CONFIG.pending


# A fleet of fewer machines than make a point says nothing, however long.
def test_too_few_machines_say_nothing() -> None:
    fleet = FleetDrift(SENSORS, CONFIG)
    assert feed(fleet, noise(5000, mean=9), machines=CONFIG.machines - 1) == []
    assert fleet.states == {}


# Wherever in the test's life a shift falls, it is seen in time: renewing its past costs no more.
@given(start=st.integers(0, 13_000), sign=st.sampled_from([1, -1]))
@settings(max_examples=15)
def test_a_shift_is_seen_whenever_it_comes(start: int, sign: int) -> None:
    values = noise(start + 200, start)
    values[start:] += sign * 1.2
    found = feed(FleetDrift(SENSORS, CONFIG), values)
    assert len(found) == 1
    assert start < found[0] <= start + 200


# Drift is one alarm as long as it lasts, then it is over, and may come again.
def test_drift_begins_lasts_ends_and_comes_again() -> None:
    fleet = FleetDrift(SENSORS, CONFIG)
    assert len(feed(fleet, noise(20_000, mean=1.2))) == 1
    assert fleet.states[SENSORS[0]].drifting
    assert fleet.states[SENSORS[0]].shift == pytest.approx(1.2, abs=0.3)
    assert not fleet.states[SENSORS[1]].drifting
    assert feed(fleet, noise(1000)) == []
    assert not fleet.states[SENSORS[0]].drifting
    assert len(feed(fleet, noise(1000, mean=1.2))) == 1


# A drift that takes a hundred thousand readings is held against training, not against last week.
def test_a_slow_drift_is_seen() -> None:
    values = noise(100_000) + np.linspace(0, 1.5, 100_000, dtype=np.float32)
    found = feed(FleetDrift(SENSORS, CONFIG), values)
    assert len(found) >= 1
    assert 0.5 < found[0] / 100_000 * 1.5 < 1.1


# The numbers are those of the configuration.
def test_tolerance_is_what_is_tolerated() -> None:
    assert feed(FleetDrift(SENSORS, config(tolerance=2.0)), noise(5000, mean=1.2)) == []

"""Fleets to look for drift in: a data set's rows as machines send them, a reading each in turn."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data import cmapss
from monitoring.drift import FleetDrift
from plantwatch.drift import DriftReference, residuals
from plantwatch.settings import Settings
from tests.support.small_training import small_settings
from training.dataset import Sample, split
from training.drift import drift_reference

Floats = NDArray[np.float32]


@cache
def nasa(folder: Path, subset: str) -> tuple[Sample, DriftReference]:
    """A subset split as for training, and what its fleet is held against."""
    fleet = cmapss.read(folder, subset, "train", source="NASA C-MAPSS")
    sample = split(fleet, 30, 0.4, 0)
    return sample, drift_reference(sample, small_settings())


def in_turn(lives: Sequence[Floats], least: int) -> tuple[list[str], Floats]:
    """Names and readings of machines that begin together, while `least` of them live."""
    names: list[str] = []
    values: list[Floats] = []
    for cycle in range(max(map(len, lives))):
        alive = [number for number, life in enumerate(lives) if cycle < len(life)]
        if len(alive) >= least:
            names += [f"machine {number}" for number in alive]
            values += [lives[number][cycle] for number in alive]
    return names, np.array(values)


def alarms(
    reference: DriftReference, names: Sequence[str], readings: Floats, settings: Settings
) -> list[tuple[int, int]]:
    """(reading from 1, sensor) of each alarm."""
    fleet = FleetDrift(reference.features.sensors, settings.drift)
    return [
        (at, sensor)
        for at, (name, left) in enumerate(
            zip(names, residuals(reference, readings), strict=True), start=1
        )
        for sensor in fleet.update(name, left)
    ]


def shifted(
    reference: DriftReference, readings: Floats, sensor: int, by: float, start: int = 0
) -> Floats:
    """From reading `start` on, a sensor off by so many healthy spreads (of the first regime)."""
    spec = reference.features
    moved = readings.copy()
    moved[start:, len(spec.setting_scale) + sensor - 1] += (
        by * spec.spread[0][spec.sensors.index(sensor)]
    )
    return moved

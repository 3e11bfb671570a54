"""Oddities of data that must be named beside results on them."""

import dataclasses

import numpy as np
import pytest

from data.fleet import Fleet
from evaluation.remarks import remarks
from tests.support.small_training import small_fleet, small_settings

TRAIN, TEST = small_fleet("train"), small_fleet("test")


def found(train: Fleet = TRAIN, test: Fleet = TEST) -> list[str]:
    return remarks(train, test, small_settings())


def with_sensor(fleet: Fleet, sensor: int, value: float, engine: int | None = None) -> Fleet:
    sensors = fleet.sensors.copy()
    rows = slice(None) if engine is None else fleet.slices[engine]
    sensors[rows, sensor - 1] = value
    return dataclasses.replace(fleet, sensors=sensors)


# Sound data: only the columns that no model uses are named.
def test_sound_data_cause_no_alarm() -> None:
    assert [line for line in found() if "no model uses them" not in line] == []


# A sensor that a model uses but that never moved in training is named.
def test_a_constant_column_is_named() -> None:
    assert any("sensors 7 never move" in line for line in found(with_sensor(TRAIN, 7, 550.0)))


# A sensor that stands still on one engine is stuck; on all of them it is dead.
@pytest.mark.parametrize(
    ("engine", "words"), [(3, "sensor 4 is stuck on FD001-engine-003:"), (None, "sensor 4 is dead")]
)
def test_stuck_and_dead_sensors_are_named(engine: int | None, words: str) -> None:
    assert any(words in line for line in found(test=with_sensor(TEST, 4, 1400.0, engine)))


# Rows flown where no training engine ever was are counted, and an example given.
def test_an_unseen_regime_is_named() -> None:
    settings = TEST.settings.copy()
    settings[TEST.slices[2]] += np.array([35.0, 0.84, 0.0])
    remarked = found(test=dataclasses.replace(TEST, settings=settings))
    (line,) = (line for line in remarked if "regime" in line)
    assert "on 1 engine," in line
    assert "settings 3" in line

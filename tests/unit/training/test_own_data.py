"""Machines that are not C-MAPSS: other columns, another window, one description."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.fleet import Fleet
from models.card import check_fits
from models.onnx_detector import OnnxScorer
from plantwatch.errors import BadDataError, ConfigError
from tests.support.own_data import pump_settings, pumps, write_pumps
from training.dataset import cut, split
from training.fitters import FITTERS
from training.judge import judge
from training.train import build_card


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pumps")
    write_pumps(made)
    return made


def few(fleet: Fleet, chosen: Any) -> Fleet:
    columns = ("engine", "cycle", "settings", "sensors", "rul")
    return dataclasses.replace(fleet, **{name: getattr(fleet, name)[chosen] for name in columns})


# The example's script writes the same pumps every time, and they are not in the order of machines.
def test_the_pumps_are_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    write_pumps(tmp_path)
    for name in ("train.csv", "test.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    fleet = pumps(folder, "test")
    assert len(fleet.names) == 12
    assert fleet.sensor_id(1) == "pump-test-01"
    assert fleet.values.shape == (len(fleet.rul), 6)


# Every detector learns them as it learns turbofans, with the window of the description, and finds
# those that fail.
@pytest.mark.parametrize("model_type", FITTERS)
def test_every_detector_learns_them(folder: Path, model_type: str) -> None:
    settings = pump_settings()
    sample = split(pumps(folder, "train"), 20, 0.2, 0)
    judged = judge(model_type, sample, cut(pumps(folder, "test"), 20), settings, 0)
    assert judged.fitted.features.length == 20
    assert judged.fitted.features.sensors == (1, 2, 3, 4, 5)
    assert len(judged.fitted.features.centroids) == 2
    assert judged.metrics["auc_roc"] > 0.9
    contributions = OnnxScorer(judged.fitted.network, judged.fitted.features).contributions(
        sample.validation.values[:3]
    )
    assert contributions.shape == (3, 5)


# Machines of which nothing says how they are operated are all operated alike; one sensor is enough.
@pytest.mark.parametrize("sensors", ["[1]", "[1, 2, 3, 4, 5]"])
def test_settings_are_not_needed(folder: Path, sensors: str) -> None:
    none = {"READING_SETTINGS": "0", "FEATURES_SETTING_SCALE": "[]", "FEATURES_SENSORS": sensors}
    settings = pump_settings(**none)
    fleets = [pumps(folder, "train"), pumps(folder, "test")]
    train, test = (dataclasses.replace(one, settings=np.empty((len(one.rul), 0))) for one in fleets)
    sample = split(train, 20, 0.2, 0)
    judged = judge("direction_mixture", sample, cut(test, 20), settings, 0)
    card = build_card(judged, sample, settings, datetime(2026, 1, 1, tzinfo=UTC))
    assert len(card.features.centroids) == 1
    assert card.drift is not None
    check_fits(card, settings)
    assert judged.metrics["auc_roc"] > 0.5


# Settings that cannot be are refused before anything is fitted, with the name of what to change.
@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"FEATURES_SENSORS": "[1, 6]"}, "features.sensors must be numbers from 1 to 5"),
        ({"FEATURES_SETTING_SCALE": "[1, 1]"}, "features.setting_scale must have 1 numbers"),
        ({"FEATURES_LEVEL_ROWS": "21"}, "features.level_rows and rolling_rows must be at most 20"),
        ({"PATCHTST_CONTEXT": "20"}, "patchtst.context must be below window.length, 20"),
        ({"PATCHTST_CONTEXT": "12"}, "patchtst.context must be a multiple of patchtst.patch"),
    ],
)
def test_settings_that_do_not_fit_are_named(
    folder: Path, variables: dict[str, str], says: str
) -> None:
    sample = split(pumps(folder, "train"), 20, 0.2, 0)
    with pytest.raises(ConfigError, match=says) as refused:
        judge("direction_mixture", sample, sample.validation, pump_settings(**variables), 0)
    assert "configs/datasets/pumps.yaml" in str(refused.value)


# Too few machines, too short lives, nothing healthy: each is said in a line.
def test_data_that_say_too_little_are_refused(folder: Path) -> None:
    fleet = pumps(folder, "train")
    with pytest.raises(BadDataError, match="has one machine to train on"):
        split(few(fleet, fleet.engine == 1), 20, 0.2, 0)
    with pytest.raises(BadDataError, match="no machine of pumps train has the 20 readings"):
        cut(few(fleet, fleet.cycle < 20), 20)
    failing = split(few(fleet, fleet.rul < 50), 20, 0.2, 0)
    with pytest.raises(BadDataError, match="nothing shows what is normal"):
        judge("direction_mixture", failing, failing.validation, pump_settings(), 0)

"""Each verdict names its sensors: tried on every kind of model, trained small."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose

from data import datasets
from models.attribution import by_occlusion
from models.card import ModelType
from models.onnx_detector import OnnxScorer
from plantwatch.scoring import by_size
from plantwatch.settings import Head, Settings
from tests.support.servers import CONFIGS
from tests.support.small_training import (
    small_detector,
    small_fleet,
    small_sample,
    small_settings,
)
from training.dataset import cut, split
from training.fitters import FITTERS
from training.judge import judge

VALIDATION = small_sample().validation


def with_head(head: Head) -> Settings:
    return small_settings(DIRECTION_MIXTURE_HEAD=head, PATCHTST_HEAD=head, LSTM_AE_HEAD=head)


# A verdict's contributions sum to its raw score; normal windows have none, and name no sensor.
@pytest.mark.parametrize("model_type", FITTERS)
def test_contributions_sum_to_raw(model_type: ModelType, tmp_path: Path) -> None:
    verdicts = small_detector(model_type, tmp_path).score(VALIDATION.values)
    assert verdicts.contributions is not None
    anomalous = verdicts.is_anomaly
    sums = verdicts.contributions[anomalous].sum(axis=1)
    assert_allclose(sums, verdicts.raw[anomalous], rtol=1e-6)
    assert np.isnan(verdicts.contributions[~anomalous]).all()
    row = int(anomalous.argmax())
    (first, largest), *others = verdicts.top_sensors(row, 3)
    assert first in verdicts.sensors
    assert all(abs(largest) >= abs(value) for _, value in others)
    assert len(others) == 2
    assert verdicts.top_sensors(int(anomalous.argmin()), 3) == []


# Any head on any representation tells its contributions, of any window.
@pytest.mark.parametrize("head", get_args(Head))
@pytest.mark.parametrize("model_type", ["direction_mixture", "patchtst", "lstm_ae"])
def test_any_pair_tells_its_contributions(model_type: ModelType, head: Head) -> None:
    windows = cut(small_fleet("test"), 30)
    judged = judge(model_type, small_sample(), windows, with_head(head), 0)
    scorer = OnnxScorer(judged.fitted.network, judged.fitted.features)
    contributions = scorer.contributions(windows.values)
    assert contributions.shape == (len(windows), 14)
    assert_allclose(contributions.sum(axis=1), scorer.raw(windows.values), rtol=1e-6, atol=1e-6)
    assert judged.metrics["auc_roc"] > 0.9


# In a healthy machine one sensor begins to drift as it does when machines fail: it is named first.
@pytest.mark.parametrize("model_type", FITTERS)
def test_the_drifting_sensor_is_named_first(model_type: ModelType) -> None:
    sample = split(small_fleet("train", engines=40), 30, 0.25, 0)
    settings = small_settings(ISOLATION_FOREST_TREES="300", ISOLATION_FOREST_MAX_SAMPLES="2048")
    fitted = FITTERS[model_type](sample, settings, 0)
    scorer, sensors = OnnxScorer(fitted.network, fitted.features), fitted.features.sensors
    drift = np.sign(
        datasets.simulated(CONFIGS, "FD001").engines.operation.regimes[0].faults[0].drift
    )
    healthy = sample.validation.where(sample.validation.rul > 100).values[::40]
    ramp = 12 * np.linspace(0, 1, 30, dtype=np.float32)
    hits = []
    for sensor, spread in zip(sensors, fitted.features.spread[0], strict=True):
        drifting = healthy.copy()
        drifting[:, :, 2 + sensor] += drift[sensor - 1] * spread * ramp
        contributions = scorer.contributions(drifting)
        hits.append(np.mean([by_size(sensors, one)[0][0] == sensor for one in contributions]))
    assert np.mean(hits) >= 0.95


# Occlusion finds what a score is made of: of a weighted sum, each part's share.
def test_occlusion_finds_the_parts_of_a_sum() -> None:
    features = np.array([[1, 2, 0, 3, 0, 1]], np.float32)  # three sensors, two numbers each
    weights = np.array([1, 1, 1, 2, 1, 3])
    contributions = by_occlusion(lambda x: (x * weights).sum(axis=-1), features, 3)
    assert_allclose(contributions, [[7, 2, 3]])


# Where no sensor alone matters, the score is shared out evenly: the sum still is the score.
def test_occlusion_without_a_cause_shares_evenly() -> None:
    contributions = by_occlusion(lambda x: np.full(len(x), 0.6), np.ones((2, 6), np.float32), 3)
    assert_allclose(contributions, 0.2)

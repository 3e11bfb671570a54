import numpy as np
import pytest

from models.card import ModelType
from tests.support.small_training import small_fleet, small_model, small_sample, small_settings
from training.budget import Choice, spend
from training.dataset import Scored, cut
from training.fitters import FITTERS
from training.judge import judge


# Every model, trained small on a simulated fleet, tells failing engines from healthy ones.
@pytest.mark.parametrize("model_type", FITTERS)
def test_a_small_training_finds_failures(model_type: ModelType) -> None:
    metrics = small_model(model_type).metrics
    assert metrics["f1"] > 0.6
    assert metrics["auc_roc"] > 0.95


# The same data, settings and seed give the same network: what was measured can be had again.
@pytest.mark.parametrize("model_type", FITTERS)
def test_training_repeats(model_type: ModelType) -> None:
    windows = cut(small_fleet("test"), 30)
    again = judge(model_type, small_sample(), windows, small_settings(), 0)
    first = small_model(model_type)
    assert (again.validation_raw == first.validation_raw).all()
    assert again.calibration == first.calibration


# Told to keep to the alarm budget, a model brings a threshold and a rule that do on validation
# engines. Its confidence and the figure that it is compared by stay as they are.
def test_a_model_keeps_to_the_alarm_budget() -> None:
    sample, first = small_sample(), small_model("direction_mixture")
    settings = small_settings(TRAINING_THRESHOLD="budget", ALARM_BUDGET_FALSE_ALARMS="0")
    judged = judge("direction_mixture", sample, cut(small_fleet("test"), 30), settings, 0)
    assert first.alarm is None
    assert judged.alarm is not None
    scored = Scored.of(judged.validation_raw, sample.validation)
    choice = Choice(judged.threshold, judged.alarm, 0)
    assert spend(scored, choice, settings.evaluation.on_time).false_alarms == 0
    assert judged.threshold != first.threshold
    np.testing.assert_allclose(judged.test.confidence, first.test.confidence)
    assert judged.metrics["validation_f1"] == first.metrics["validation_f1"]

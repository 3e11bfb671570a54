import pytest

from models.card import ModelType
from tests.support.small_training import small_fleet, small_model, small_sample, small_settings
from training.dataset import cut
from training.fit import FITTERS
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

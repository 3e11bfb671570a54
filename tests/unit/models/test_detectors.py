"""What every detector promises, tried on each kind of model as trained and exported."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models import isolation_forest
from models.card import CARD, NETWORK, ModelType, write_artifact
from models.onnx_detector import OnnxDetector, OnnxScorer
from plantwatch.errors import ConfigError
from plantwatch.features import model_input, regimes
from plantwatch.messages import IncidentRule
from plantwatch.scoring import Detector, UnscorableError
from plantwatch.settings import AlarmRule
from tests.support.small_training import small_detector, small_model, small_sample, small_settings
from training.fitters import FITTERS
from training.train import build_card

MODEL_TYPES: tuple[ModelType, ...] = tuple(FITTERS)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def artifact(model_type: ModelType, parent: Path) -> Path:
    judged = small_model(model_type)
    card = build_card(judged, small_sample(), small_settings(), NOW)
    return write_artifact(card, judged.fitted.network, parent)


# A window with one reading in an operating regime that training never saw is flagged, not silently
# scaled as if it were in another.
@pytest.mark.parametrize("model_type", FITTERS)
def test_an_unseen_regime_is_flagged(model_type: ModelType, tmp_path: Path) -> None:
    windows = small_sample().validation.values[:4].copy()
    windows[2, 7, :3] = (35.0, 0.84, 100.0)
    verdicts = small_detector(model_type, tmp_path).score(windows)
    assert verdicts.unseen_regime is not None
    assert verdicts.unseen_regime.tolist() == [False, False, True, False]


# A verdict tells the regime of its window's last reading, as the card numbers them.
def test_the_regime_of_the_last_reading_is_told(tmp_path: Path) -> None:
    detector = small_detector("direction_mixture", tmp_path)
    windows = small_sample().validation.values[:50]
    verdicts = detector.score(windows)
    assert verdicts.regime is not None
    assert_array_equal(verdicts.regime, regimes(detector.card.features, windows)[:, -1])


# The rule of incidents is the configured one, but for what the card brings of its own.
def test_the_rule_is_the_cards_where_it_has_one(tmp_path: Path) -> None:
    usual = small_detector("isolation_forest", tmp_path)
    own = usual.card.model_copy(update={"alarm": AlarmRule(hits=1, of=2)})
    folder = write_artifact(own, small_model("isolation_forest").fitted.network, tmp_path)
    config = small_settings().anomaly
    windows = small_sample().validation.values[:1]
    assert usual.score(windows).rule == config.rule()
    assert OnnxDetector(folder, "v4", config).score(windows).rule == IncidentRule(
        1, 2, config.alarm_clean, config.critical_score
    )


# What is scored from the artifact is what training saw, to the last bit, and fits the contract.
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_detector_says_what_training_saw(model_type: ModelType, tmp_path: Path) -> None:
    subject: Detector = small_detector(model_type, tmp_path)
    verdicts = subject.score(small_sample().validation.values)
    assert_array_equal(verdicts.raw, small_model(model_type).validation_raw)
    assert subject.version == f"{model_type}_v3"
    for values in (verdicts.raw, verdicts.anomaly_score, verdicts.confidence):
        assert values.dtype == np.float64
        assert values.shape == (len(small_sample().validation),)


# A verdict depends on its window alone: alone, in any batch, or all at once it is the same.
@pytest.mark.parametrize("model_type", MODEL_TYPES)
@pytest.mark.parametrize("size", [1, 2, 7, 64, 100])
def test_scores_do_not_depend_on_the_batch(
    model_type: ModelType, size: int, tmp_path: Path
) -> None:
    subject = small_detector(model_type, tmp_path)
    windows = small_sample().validation.values[:200]
    parts = [windows[start : start + size] for start in range(0, len(windows), size)]
    in_parts = np.concatenate([subject.score(part).anomaly_score for part in parts])
    assert_allclose(in_parts, subject.score(windows).anomaly_score, rtol=0, atol=1e-7)


# Failing machines score higher than healthy ones, or high would not mean anomalous.
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_high_means_anomalous(model_type: ModelType, tmp_path: Path) -> None:
    windows = small_sample().validation
    verdicts = small_detector(model_type, tmp_path).score(windows.values)
    failing, healthy = windows.rul < 10, windows.rul > 100
    for values in (verdicts.raw, verdicts.anomaly_score, verdicts.confidence):
        assert np.median(values[failing]) > np.quantile(values[healthy], 0.99)


# A window that overflows is refused by its row; the others can then be scored without it.
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_window_without_a_score_is_named(model_type: ModelType, tmp_path: Path) -> None:
    subject = small_detector(model_type, tmp_path)
    windows = small_sample().validation.values[:5].copy()
    windows[3] = 3e38
    with pytest.raises(UnscorableError, match="row 3") as refusal:
        subject.score(windows)
    assert refusal.value.rows == (3,)
    assert len(subject.score(np.delete(windows, 3, axis=0)).raw) == 4


# Several are named at once: whoever asks needs one more call, not one for each.
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_all_windows_without_a_score_are_named(model_type: ModelType, tmp_path: Path) -> None:
    windows = small_sample().validation.values[:5].copy()
    windows[[1, 3]] = 3e38
    with pytest.raises(UnscorableError, match="row 1 and 1 more") as refusal:
        small_detector(model_type, tmp_path).score(windows)
    assert refusal.value.rows == (1, 3)


# No window, no verdict, no error.
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_an_empty_batch_has_no_verdicts(model_type: ModelType, tmp_path: Path) -> None:
    assert (
        len(small_detector(model_type, tmp_path).score(np.empty((0, 30, 24), np.float32)).raw) == 0
    )


# A damaged, truncated or missing file is one line that says what to do, before anything parses it.
@pytest.mark.parametrize("name", [CARD, NETWORK])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_artifact_is_refused(name: str, damage: str, tmp_path: Path) -> None:
    folder = artifact("isolation_forest", tmp_path)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    match damage:
        case "flip":
            path.write_bytes(content)
        case "truncate":
            path.write_bytes(content[: len(content) // 2])
        case _:
            path.unlink()
    with pytest.raises(ConfigError, match="make train") as refusal:
        OnnxDetector(folder, "isolation_forest_v1", small_settings().anomaly)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


# A network swapped for another does not pass with the card of the first.
def test_a_swapped_network_is_refused(tmp_path: Path) -> None:
    folder = artifact("isolation_forest", tmp_path)
    (folder / NETWORK).write_bytes(small_model("lstm_ae").fitted.network)
    with pytest.raises(ConfigError, match="corrupted"):
        OnnxDetector(folder, "isolation_forest_v1", small_settings().anomaly)


# Bytes that are no network end in one line too.
def test_no_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="onnxruntime"):
        OnnxScorer(b"no network", small_model("lstm_ae").fitted.features)


# The exported forest is sklearn's: same scores, up to float32.
def test_the_exported_forest_is_sklearns() -> None:
    sample, fitted = small_sample(), small_model("isolation_forest").fitted
    normal = sample.fit.values[sample.fit.rul > 50]
    config = small_settings().isolation_forest
    forest = isolation_forest.fit(model_input(fitted.features, normal), config, seed=0)
    inputs = model_input(fitted.features, sample.validation.values)
    raw = OnnxScorer(fitted.network, fitted.features).raw(sample.validation.values)
    assert_allclose(raw, -forest.score_samples(inputs), rtol=0, atol=1e-6)

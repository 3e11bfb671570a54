"""One model fitted, calibrated and judged, by the scores of its ONNX network."""

import time
from dataclasses import dataclass

import numpy as np

from models.card import LifeAtScore, ModelType
from models.onnx_detector import OnnxScorer
from plantwatch.scoring import Calibration, Float64, Verdicts
from plantwatch.settings import Settings
from training.calibrate import calibrate, remaining_life
from training.dataset import Sample, Windows
from training.fit import FITTERS, Fitted
from training.metrics import row_metrics


@dataclass(frozen=True, eq=False)
class Judged:
    """A fitted model with its calibration and what it says of the windows.

    `known_raw` is what it was calibrated by: the raw of fit windows, then of validation windows.
    """

    model_type: ModelType
    fitted: Fitted
    calibration: Calibration
    remaining_life: tuple[LifeAtScore, ...]
    known_raw: Float64
    validation_raw: Float64
    test: Verdicts
    seconds: float
    metrics: dict[str, float]

    @property
    def threshold(self) -> float:
        assert self.calibration.threshold is not None, "calibrate always chooses one"
        return self.calibration.threshold


def judge(
    model_type: ModelType, sample: Sample, test: Windows, settings: Settings, seed: int
) -> Judged:
    """Fit on the fit engines, calibrate on all of the sample, then look at the test.

    A few directions or trees are fitted to thousands of windows: what they say of the fit engines
    is hardly flattered, and a threshold of all engines is steadier than one of a fifth of them.

    `metrics` holds those of the test under their own names, those of validation as `validation_*`.

    Raises:
        BadDataError: the sample has nothing to calibrate by.
    """
    started = time.perf_counter()
    fitted = FITTERS[model_type](sample, settings, seed)
    seconds = time.perf_counter() - started
    scorer = OnnxScorer(fitted.network, fitted.features)
    validation_raw = scorer.raw(sample.validation.values)
    known = np.concatenate([scorer.raw(sample.fit.values), validation_raw])
    windows = sample.fit.followed_by(sample.validation)
    calibration = calibrate(known, windows, settings)
    life = remaining_life(known, windows.rul, settings.training.life_bins)
    verdicts = calibration.judge(scorer.raw(test.values))
    label = settings.anomaly.label_rul
    on_validation = row_metrics(calibration.judge(validation_raw), sample.validation.rul < label)
    metrics = row_metrics(verdicts, test.rul < label)
    metrics |= {f"validation_{name}": value for name, value in on_validation.items()}
    return Judged(
        model_type,
        fitted,
        calibration,
        life,
        known,
        validation_raw,
        verdicts,
        seconds,
        metrics,
    )

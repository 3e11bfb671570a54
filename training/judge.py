"""One model fitted, calibrated and judged, by the scores of its ONNX network."""

import time
from dataclasses import dataclass

import numpy as np

from models.card import LifeAtScore, ModelType
from models.onnx_detector import OnnxScorer
from plantwatch.scoring import Calibration, Float64, Verdicts
from plantwatch.settings import AlarmRule, Settings
from training.budget import choose
from training.calibrate import at_threshold, calibrate, remaining_life
from training.dataset import Sample, Scored, Windows
from training.fit import Fitted
from training.fitness import check_fits
from training.fitters import FITTERS
from training.metrics import row_metrics


@dataclass(frozen=True, eq=False)
class Judged:
    """A fitted model with its calibration and what it says of the windows.

    `alarm` is the rule that goes with the threshold, None where the configured one does.
    `known_raw` is what it was calibrated by: the raw of fit windows, then of validation windows.
    """

    model_type: ModelType
    fitted: Fitted
    calibration: Calibration
    alarm: AlarmRule | None
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

    With `training.threshold: budget` threshold and rule are then those that keep to the alarm
    budget on validation engines; alarms on the fit engines, which the model knows, say too little.

    `metrics` holds those of the test under their own names. `validation_*` are those of validation
    at the threshold of the highest F1, whatever its own is: versions are compared by them.

    Raises:
        BadDataError: the sample has nothing to calibrate by.
        ConfigError: settings do not fit the data, or one another.
    """
    check_fits(sample.fleet, settings)
    started = time.perf_counter()
    fitted = FITTERS[model_type](sample, settings, seed)
    seconds = time.perf_counter() - started
    scorer = OnnxScorer(fitted.network, fitted.features)

    validation_raw = scorer.raw(sample.validation.values)
    known_raw = np.concatenate([scorer.raw(sample.fit.values), validation_raw])
    known = sample.fit.followed_by(sample.validation)
    by_f1 = calibrate(known_raw, known, settings)
    calibration, alarm = _within_budget(by_f1, validation_raw, sample, settings)

    verdicts = calibration.judge(scorer.raw(test.values))
    label = settings.anomaly.label_rul
    on_validation = row_metrics(by_f1.judge(validation_raw), sample.validation.rul < label)
    return Judged(
        model_type=model_type,
        fitted=fitted,
        calibration=calibration,
        alarm=alarm,
        remaining_life=remaining_life(known_raw, known.rul, settings.training.life_bins),
        known_raw=known_raw,
        validation_raw=validation_raw,
        test=verdicts,
        seconds=seconds,
        metrics=row_metrics(verdicts, test.rul < label)
        | {f"validation_{name}": value for name, value in on_validation.items()},
    )


def _within_budget(
    by_f1: Calibration, validation_raw: Float64, sample: Sample, settings: Settings
) -> tuple[Calibration, AlarmRule | None]:
    """Threshold and rule that keep to the alarm budget; what there is if none is asked for."""
    if settings.training.threshold != "budget":
        return by_f1, None
    scored = Scored.of(validation_raw, sample.validation)
    choice = choose(scored, settings.alarm_budget, settings.evaluation.on_time)
    return at_threshold(by_f1, choice.threshold), choice.rule

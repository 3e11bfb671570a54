"""What a contestant's calibrated verdicts on all judged engines of one seed are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.outcome import Outcome
from plantwatch.configuration import with_changes
from plantwatch.scoring import Calibration, Verdicts
from plantwatch.settings import Settings
from training.calibrate import calibrate


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdicts on n windows, engine after engine; folds are joined, each by its own threshold.

    `verdicts.raw` is (raw - threshold) / scale of each trial, so that folds can be compared.
    """

    verdicts: Verdicts
    engine: NDArray[np.int64]
    rul: NDArray[np.int64]
    label_rul: int

    @property
    def failing(self) -> NDArray[np.bool_]:
        return self.rul < self.label_rul


def judgement(outcomes: list[Outcome], label_rul: int, settings: Settings) -> Judgement:
    """Judge the outcomes of one seed's trials.

    For another label than the configured one, threshold and confidence are chosen anew on the
    engines that it was calibrated on; the contestant stays as it was fitted.

    Raises:
        BadDataError: no engine that it was calibrated on comes that close to its end.
    """
    parts = [_verdicts(one, _calibration(one, label_rul, settings)) for one in outcomes]
    raw, score, anomaly, confidence = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("raw", "anomaly_score", "is_anomaly", "confidence")
    )
    return Judgement(
        Verdicts(raw, score, anomaly, confidence),
        np.concatenate([one.test.engine for one in outcomes]),
        np.concatenate([one.test.rul for one in outcomes]),
        label_rul,
    )


def _calibration(outcome: Outcome, label_rul: int, settings: Settings) -> Calibration:
    if label_rul == settings.anomaly.label_rul:
        return outcome.calibration
    other = with_changes(settings, "anomaly", label_rul=label_rul)
    return calibrate(outcome.known.raw, outcome.known.truth, other)


def _verdicts(outcome: Outcome, calibration: Calibration) -> Verdicts:
    verdicts = calibration.judge(outcome.test.raw)
    distance = (outcome.test.raw - (calibration.threshold or 0.0)) / calibration.scale
    return Verdicts(distance, verdicts.anomaly_score, verdicts.is_anomaly, verdicts.confidence)

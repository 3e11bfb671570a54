"""From raw scores on engines that ran to failure to threshold, scale and confidence."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from models.card import LifeAtScore
from plantwatch.errors import BadDataError
from plantwatch.scoring import Calibration, Float64
from plantwatch.settings import Settings
from training.dataset import Windows


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """Precision, recall and F1 at each threshold that changes a verdict; all [thresholds]."""

    threshold: Float64
    precision: Float64
    recall: Float64

    @property
    def f1(self) -> Float64:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / np.where(both > 0, both, 1)


def threshold_curve(raw: Float64, positive: NDArray[np.bool_]) -> ThresholdCurve:
    precision, recall, threshold = precision_recall_curve(positive, raw)
    return ThresholdCurve(threshold, precision[:-1], recall[:-1])


def calibrate(raw: Float64, windows: Windows, settings: Settings) -> Calibration:
    """Threshold of the highest F1, spread of normal windows, and Platt's logistic.

    The best threshold on a score of engines jumps from engine to engine: it is averaged over
    resamples of the engines. Platt (1999) without his smoothing of targets, which so many windows
    do not need.

    Raises:
        BadDataError: the windows are all failing or none is, or all score the same: nothing to
            choose a threshold by.
    """
    positive = windows.rul < settings.anomaly.label_rul
    normal = raw[windows.rul > settings.training.normal_rul]
    if positive.all() or not positive.any() or not len(normal):
        raise BadDataError(
            "the engines have no failing or no normal windows; train on a fleet that runs to "
            "failure, or lower TRAINING_NORMAL_RUL"
        )
    threshold = _threshold(raw, positive, windows.engine, settings.training.threshold_resamples)
    scale = float(normal.std())
    if scale == 0:
        raise BadDataError(
            "the score is the same on every normal validation window, so nothing can be told from "
            "it; use sensors that move (FEATURES_SENSORS), or another model"
        )
    platt = LogisticRegression(C=np.inf).fit(((raw - threshold) / scale)[:, None], positive)
    return Calibration(
        threshold=threshold,
        scale=scale,
        platt_a=float(platt.coef_[0, 0]),
        platt_b=float(platt.intercept_[0]),
        fallback=settings.anomaly.threshold,
    )


def at_threshold(calibration: Calibration, threshold: float) -> Calibration:
    """The same but for the threshold; what confidence a raw score has stays."""
    assert calibration.threshold is not None, "calibrate always chooses one"
    moved = (threshold - calibration.threshold) / calibration.scale
    platt_b = calibration.platt_b + calibration.platt_a * moved
    return replace(calibration, threshold=threshold, platt_b=platt_b)


def remaining_life(raw: Float64, rul: NDArray[np.int64], bins: int) -> tuple[LifeAtScore, ...]:
    """How long engines had at a score: windows in `bins` of equal number, by ascending raw.

    A machine's score stays low for most of its life: the bins at the top, each about one part in
    `bins` of a life, are the narrow ones in cycles, where it matters.
    """
    order = np.argsort(raw, kind="stable")
    return tuple(
        LifeAtScore(
            raw=float(raw[part[-1]]),
            low=float(np.quantile(rul[part], 0.05)),
            median=float(np.median(rul[part])),
            high=float(np.quantile(rul[part], 0.95)),
        )
        for part in np.array_split(order, min(bins, len(order)))
    )


def _threshold(
    raw: Float64, positive: NDArray[np.bool_], engine: NDArray[np.int64], resamples: int
) -> float:
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(engine == one) for one in np.unique(engine)]
    best = []
    for _ in range(resamples):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        if positive[drawn].any():
            curve = threshold_curve(raw[drawn], positive[drawn])
            best.append(curve.threshold[curve.f1.argmax()])
    return float(np.mean(best))

"""What is reported of a detector's scores against the truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from plantwatch.scoring import Verdicts

Flags = NDArray[np.bool_]


def row_metrics(verdicts: Verdicts, positive: Flags) -> dict[str, float]:
    """F1, precision and recall of the verdicts, areas under the curves of raw; over windows.

    Areas need both kinds of windows: without them they are left out.
    """
    flagged = verdicts.is_anomaly
    hits = int((flagged & positive).sum())
    metrics = {
        "f1": f1(hits, int(flagged.sum()), int(positive.sum())),
        "precision": hits / max(1, int(flagged.sum())),
        "recall": hits / max(1, int(positive.sum())),
    }
    if positive.any() and not positive.all():
        metrics["auc_roc"] = float(roc_auc_score(positive, verdicts.raw))
        metrics["auc_pr"] = float(average_precision_score(positive, verdicts.raw))
    return metrics


def f1(hits: int, flagged: int, positive: int) -> float:
    """2 hits / (flagged + positive): the harmonic mean of precision and recall, 0 without either.

    >>> f1(hits=2, flagged=2, positive=6)
    0.5
    """
    return 2 * hits / max(1, flagged + positive)


def intervals(
    verdicts: Verdicts, positive: Flags, engine: NDArray[np.int64], resamples: int
) -> dict[str, tuple[float, float]]:
    """The 95 % interval of each of `row_metrics` over resamples of engines.

    Engines, not windows: those of one engine go together.
    """
    index = np.unique(engine, return_inverse=True)[1]
    engines = int(index.max()) + 1
    drawn = np.random.default_rng(0).integers(engines, size=(resamples, engines))
    weights = np.stack([np.bincount(one, minlength=engines) for one in drawn])
    flagged = verdicts.is_anomaly
    hits, alarms, truths = (
        weights @ np.bincount(index, of, minlength=engines)
        for of in (flagged & positive, flagged, positive)
    )
    samples = {
        "f1": 2 * hits / np.maximum(1, alarms + truths),
        "precision": hits / np.maximum(1, alarms),
        "recall": hits / np.maximum(1, truths),
    }
    if positive.any() and not positive.all():
        curve = _Areas(verdicts.raw, positive, index)
        areas = np.array([curve.weighted(one) for one in weights])
        samples |= {"auc_roc": areas[:, 0], "auc_pr": areas[:, 1]}
    return {name: _middle(values) for name, values in samples.items()}


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


class _Areas:
    """Both areas under the curves for any weights of engines, sorted only once."""

    def __init__(self, raw: NDArray[np.float64], positive: Flags, index: NDArray[np.intp]) -> None:
        order = np.argsort(-raw, kind="stable")
        self._positive, self._index = positive[order], index[order]
        self._ends = np.append(np.flatnonzero(np.diff(raw[order])), len(raw) - 1)

    def weighted(self, weights: NDArray[np.int64]) -> tuple[float, float]:
        """(AUC-ROC, AUC-PR), NaN where the drawn engines are all of one kind."""
        rows = weights[self._index]
        hits = np.cumsum(rows * self._positive)[self._ends]
        alarms = np.cumsum(rows)[self._ends]
        misses = alarms - hits
        if not hits[-1] or not misses[-1]:
            return np.nan, np.nan
        roc = np.trapezoid(hits, misses) / (hits[-1] * misses[-1])
        precision = hits / np.maximum(1, alarms)
        return float(roc), float((np.diff(hits, prepend=0) * precision).sum() / hits[-1])


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins of equal width over confidence in [0, 1]; arrays of as many, NaN where a bin is empty.

    `ece`, the expected calibration error, is the mean over windows of the distance between their
    bin's mean confidence and its share of failing windows (Naeini et al. 2015); `brier` is the
    mean squared distance between confidence and truth.
    """

    ece: float
    brier: float
    windows: NDArray[np.int64]
    confidence: NDArray[np.float64]
    failing: NDArray[np.float64]


def reliability(confidence: NDArray[np.float64], positive: Flags, bins: int) -> Reliability:
    """How well confidence says how often windows are failing; high = failing."""
    index = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    windows = np.bincount(index, minlength=bins)
    sums = [np.bincount(index, of, minlength=bins) for of in (confidence, positive)]
    with np.errstate(invalid="ignore"):
        mean, failing = (total / windows for total in sums)
    return Reliability(
        ece=float(np.abs(sums[0] - sums[1]).sum() / len(confidence)),
        brier=float(((confidence - positive) ** 2).mean()),
        windows=windows,
        confidence=mean,
        failing=failing,
    )

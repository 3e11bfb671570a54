"""What is reported of a detector's scores against the truth."""

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


def f1_interval(
    flagged: Flags, positive: Flags, engine: NDArray[np.int64], resamples: int
) -> tuple[float, float]:
    """The 95 % interval of F1 over resamples of engines, since windows of one go together."""
    index = np.unique(engine, return_inverse=True)[1]
    counts = np.stack([np.bincount(index, x) for x in (flagged & positive, flagged, positive)], 1)
    drawn = np.random.default_rng(0).integers(len(counts), size=(resamples, len(counts)))
    hits, alarms, truths = counts[drawn].sum(axis=1).T
    low, high = np.quantile(2 * hits / np.maximum(1, alarms + truths), [0.025, 0.975])
    return float(low), float(high)

"""The two pictures of a run: F1 over the threshold, and who was right how often."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.calibrate import ThresholdCurve


def threshold_plot(curve: ThresholdCurve, threshold: float, title: str, path: Path) -> None:
    """Precision, recall and F1 on validation engines over the raw threshold, as PNG."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    draw_thresholds(figure.add_subplot(title=title), curve, threshold)
    figure.savefig(path)


def confusion_plot(
    flagged: NDArray[np.bool_], positive: NDArray[np.bool_], title: str, path: Path
) -> None:
    """Windows of the official test by truth (rows) and verdict (columns), as PNG."""
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    draw_confusion(figure.add_subplot(title=title), flagged, positive)
    figure.savefig(path)


def draw_thresholds(axes: Axes, curve: ThresholdCurve, threshold: float) -> None:
    axes.set(xlabel="threshold on raw", ylim=(0, 1.02))
    axes.plot(curve.threshold, curve.precision, label="precision", linewidth=1)
    axes.plot(curve.threshold, curve.recall, label="recall", linewidth=1)
    axes.plot(curve.threshold, curve.f1, label="F1", linewidth=2)
    axes.axvline(threshold, color="black", linestyle=":", label=f"chosen: {threshold:.4g}")
    axes.legend()


def draw_confusion(axes: Axes, flagged: NDArray[np.bool_], positive: NDArray[np.bool_]) -> None:
    counts = np.array(
        [[int(((positive == t) & (flagged == v)).sum()) for v in (False, True)] for t in (0, 1)]
    )
    axes.set(xlabel="verdict", ylabel="truth")
    axes.imshow(np.log1p(counts), cmap="Blues")
    axes.set_xticks([0, 1], ["normal", "anomaly"])
    axes.set_yticks([0, 1], ["normal", "failing"])
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, f"{count:,}", ha="center", va="center", backgroundcolor="white")

"""The gate before production: a version must score as it was trained to, and be no worse."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plantwatch.errors import ConfigError
from plantwatch.scoring import TOLERANCE, Detector
from training.dataset import Windows
from training.metrics import f1

Flags = NDArray[np.bool_]
_FEWEST_FAILING = 5


@dataclass(frozen=True, eq=False)
class Golden:
    """Windows [n, length, settings + sensors] with the `anomaly_score` of each, [n]."""

    windows: NDArray[np.float32]
    anomaly_score: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> Self:
        """What training left.

        Raises:
            ConfigError: it is not there or not to be read.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["windows"], file["anomaly_score"])
        except (OSError, KeyError, ValueError) as error:
            raise ConfigError(
                f"{path.name}: {error}; the version cannot be checked, train it again"
            ) from None


@dataclass(frozen=True, slots=True)
class Comparison:
    """F1 of both on the same windows, and the 95 % interval of candidate - production.

    `failing` is how many engines have failing windows: of too few no interval can be had.
    """

    candidate: float
    production: float
    low: float
    high: float
    failing: int

    @property
    def telling(self) -> bool:
        """Whether enough engines fail for the interval to mean something."""
        return self.failing >= _FEWEST_FAILING

    @property
    def worse(self) -> bool:
        """By more than chance in the choice of engines explains."""
        return self.telling and self.high < 0

    def __str__(self) -> str:
        interval = f"difference {self.low:+.3f} to {self.high:+.3f} in 95 %"
        few = f"{self.failing} engines fail there, too few to tell"
        return (
            f"F1 {self.candidate:.3f} against production's {self.production:.3f} "
            f"({interval if self.telling else few})"
        )


def misses_golden(detector: Detector, golden: Golden) -> str | None:
    """Why the detector is not the one that was trained, if so."""
    now = detector.score(golden.windows).anomaly_score
    off = float(np.abs(now - golden.anomaly_score).max())
    if off <= TOLERANCE:
        return None
    return f"{len(now)} golden windows score up to {off:.2g} away from what training said"


def compare(
    candidate: Detector, production: Detector, windows: Windows, label_rul: int, resamples: int
) -> Comparison:
    """Both on the same windows; whole engines are drawn, the same for both.

    Draws without a failing window are left out: on them every F1 is 0, which says nothing.
    """
    positive = windows.rul < label_rul
    index = np.unique(windows.engine, return_inverse=True)[1]
    engines = int(index.max()) + 1
    counts = [
        _counts(one.score(windows.values).is_anomaly, positive, index)
        for one in (candidate, production)
    ]
    drawn = np.random.default_rng(0).integers(engines, size=(resamples, engines))
    ours, theirs = (one[drawn].sum(axis=1) for one in counts)
    telling = ours[:, 2] > 0
    low, high = np.quantile(_f1(ours[telling]) - _f1(theirs[telling]), [0.025, 0.975])
    exact = [f1(*(int(number) for number in one.sum(axis=0))) for one in counts]
    failing = int((counts[0][:, 2] > 0).sum())
    return Comparison(exact[0], exact[1], float(low), float(high), failing)


def _counts(flagged: Flags, positive: Flags, index: NDArray[np.intp]) -> NDArray[np.int64]:
    """Hits, alarms and truths of each engine, [engines, 3]."""
    columns = flagged & positive, flagged, positive
    return np.stack([np.bincount(index, one).astype(np.int64) for one in columns], axis=1)


def _f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    hits, alarms, truths = counts.T
    return np.asarray(2 * hits / np.maximum(1, alarms + truths), np.float64)

"""What a detector is, and how its raw score becomes a verdict.

Everywhere high means anomalous. The raw score is the model's own; `anomaly_score` is a monotone map
of it to [0, 1] that puts the threshold at 0.5; `confidence` is a probability. Score and decision
stay apart: metrics are computed from raw, and contributions of sensors sum to raw.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from plantwatch.messages import IncidentRule

Float64 = NDArray[np.float64]

TOLERANCE: Final = 1e-6
"""How far two `anomaly_score`s or confidences of one window by one model may lie apart."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts on n windows, as arrays of n in the order of the windows.

    `raw` is high when anomalous, in the model's unit; `anomaly_score` in [0, 1], 0.5 at the
    threshold; `is_anomaly` says raw >= threshold; `confidence` is the calibrated probability, in
    [0, 1], that the machine fails within the label's horizon (RUL < 30 cycles).

    `contributions` [n, sensors] say what each of `sensors` (numbers from 1) adds to raw, high when
    it speaks for an anomaly; they sum to raw (for a network in float32, within 1e-6 of its size).
    Only for anomalous windows: the rows of others are NaN. `unseen_regime` says that a reading of
    the window was in an operating regime that training never saw: its score means little. `regime`
    is that of the last reading, a number from 0. `rule` is by which such verdicts become an
    incident. All four are None from a detector that does not tell.
    """

    raw: Float64
    anomaly_score: Float64
    is_anomaly: NDArray[np.bool_]
    confidence: Float64
    contributions: Float64 | None = None
    sensors: tuple[int, ...] = ()
    unseen_regime: NDArray[np.bool_] | None = None
    regime: NDArray[np.intp] | None = None
    rule: IncidentRule | None = None

    def top_sensors(self, row: int, count: int) -> list[tuple[int, float]]:
        """The `count` sensors that move an anomalous window's score most, and by how much.

        Largest by size first, so one that speaks against an anomaly may be among them, with a
        minus; empty for a normal window, or where contributions are not told.
        """
        if self.contributions is None or not self.is_anomaly[row]:
            return []
        return by_size(self.sensors, self.contributions[row])[:count]


def by_size(sensors: tuple[int, ...], contributions: Float64) -> list[tuple[int, float]]:
    """(sensor, contribution) of one window, the largest by size first."""
    order = np.argsort(-np.abs(contributions), kind="stable")
    return [(sensors[i], float(contributions[i])) for i in order]


class Detector(Protocol):
    """A model ready to score, whichever its kind.

    `version` is its type and registry version (`isolation_forest_v3`); `digest` the sha256 of its
    card, which holds that of its network: equal digests give equal scores.
    """

    @property
    def version(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        """Judge n windows of raw readings, float32 [n, length, settings + sensors].

        A verdict depends on its window alone, not on the batch (within 1e-6 of `anomaly_score`).
        May block for milliseconds; touches nothing outside the process.

        Raises:
            UnscorableError: the model has no finite answer for some windows; it names them all.
                The caller scores the others without them, as `answers` does.
        """
        ...


class UnscorableError(ValueError):
    """The model has no finite answer for the windows `rows`, indices in the batch; at least one."""

    def __init__(self, rows: Iterable[int]) -> None:
        self.rows = tuple(int(row) for row in rows)
        more = f" and {len(self.rows) - 1} more" if len(self.rows) > 1 else ""
        super().__init__(
            f"row {self.rows[0]}{more}: the model has no finite score for the readings"
        )


class Answers(NamedTuple):
    """The verdicts on the windows `rows`, ascending indices in a batch; None where it is empty."""

    rows: list[int]
    verdicts: Verdicts | None


def answers(detector: Detector, windows: NDArray[np.float32]) -> Answers:
    """Judge n windows but those that the model has no finite answer for.

    One model call; a second where there are such windows, since the first names them all.
    """
    rows = list(range(len(windows)))
    while rows:
        try:
            left = windows if len(rows) == len(windows) else windows[rows]
            return Answers(rows, detector.score(left))
        except UnscorableError as error:
            unscorable = set(error.rows)
            rows = [row for at, row in enumerate(rows) if at not in unscorable]
    return Answers(rows, None)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw scores become verdicts; from the model's card.

    `threshold` is in the unit of raw, None where the card carries none: raw is then taken as
    centred at 0, and `fallback`, an `anomaly_score` in (0, 1), decides. `scale` > 0 is the spread
    of raw on normal windows. Confidence is logistic(`platt_a` * (raw - threshold) / scale +
    `platt_b`) (Platt 1999, with the raw score in units of its scale).
    """

    threshold: float | None
    scale: float
    platt_a: float
    platt_b: float
    fallback: float

    def judge(self, raw: Float64) -> Verdicts:
        """The verdicts on n finite raw scores."""
        if self.threshold is None:
            distance = raw / self.scale
            is_anomaly = distance >= math.log(self.fallback / (1 - self.fallback))
        else:
            distance = (raw - self.threshold) / self.scale
            is_anomaly = raw >= self.threshold
        return Verdicts(
            raw=raw,
            anomaly_score=logistic(distance),
            is_anomaly=is_anomaly,
            confidence=logistic(self.platt_a * distance + self.platt_b),
        )


def logistic(x: Float64) -> Float64:
    """1 / (1 + exp(-x)), by tanh: exact at 0 and without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))

"""Windows to model input: the one feature code of training, stream and API.

The input of every function is `windows`, float32 [n, length, settings + sensors], raw readings in
the order of time. The features of a window never depend on its batch, not in the last bit: all sums
run over the time steps in a fixed order with elementwise numpy. `np.mean`, `einsum` and BLAS choose
their order by the shape of the array, and one flipped branch of a forest is a different verdict.
"""

from functools import cached_property
from typing import Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.float32]
Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

Kind = Literal["level_slope", "sequence", "rolling"]


class FeatureSpec(BaseModel):
    """How a model sees a window; travels in its card.

    `kind`, with S sensors and L rows:

    - `level_slope`, [n, 2 S]: mean of the last `level_rows` rows and least-squares slope per row
      over all L of each scaled sensor, each standardised by `feature_centre`, `feature_spread`;
      where there is a `weight`, both weigh a row by that of its regime;
    - `sequence`, [n, L, S]: the scaled sensors;
    - `rolling`, [n, L, 2 S]: mean and standard deviation of the last `rolling_rows` rows up to
      each row (fewer at the window's beginning) of each scaled sensor.

    A sensor is scaled by (x - centre) / spread of the reading's operating regime: that of the
    centroid nearest to its settings / `setting_scale`; with equal distances the first. Farther
    than `regime_radius` from it, the regime is one that training never saw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Kind
    length: int = Field(ge=2)
    sensors: tuple[int, ...] = Field(min_length=1, description="numbers from 1, as in the files")
    setting_scale: Vector
    centroids: Matrix = Field(min_length=1, description="[regimes, settings], scaled")
    centre: Matrix = Field(description="[regimes, S]")
    spread: Matrix = Field(description="[regimes, S], above 0")
    weight: Matrix = Field((), description="[regimes, S], above 0, or nothing: all rows weigh 1")
    level_rows: int = Field(ge=1)
    rolling_rows: int = Field(ge=1)
    regime_radius: float | None = Field(None, gt=0, description="scaled; None: not told")
    feature_centre: Vector = ()
    feature_spread: Vector = ()

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        """A spec that could fail or broadcast in the stream is refused when it is read."""
        regimes, sensors, settings = len(self.centroids), len(self.sensors), len(self.setting_scale)
        features = 2 * sensors if self.kind == "level_slope" else 0
        if any(len(row) != settings for row in self.centroids):
            raise ValueError(f"each centroid needs {settings} settings")
        for table in (self.centre, self.spread, self.weight or self.spread):
            if len(table) != regimes or any(len(row) != sensors for row in table):
                raise ValueError(f"each table needs {regimes} rows of {sensors} sensors")
        if len(self.feature_centre) != features or len(self.feature_spread) != features:
            raise ValueError(f"{self.kind} standardises {features} features")
        positive = (*self.spread, *self.weight, self.feature_spread or (1.0,))
        if min(min(row) for row in positive) <= 0:
            raise ValueError("spreads and weights must be above 0")
        if max(self.level_rows, self.rolling_rows) > self.length:
            raise ValueError(f"level_rows and rolling_rows must not exceed {self.length}")
        return self

    @cached_property
    def columns(self) -> NDArray[np.intp]:
        """Where the sensors stand among a reading's values, settings first."""
        return np.asarray(self.sensors, dtype=np.intp) + (len(self.setting_scale) - 1)

    @cached_property
    def tables(self) -> tuple[Floats, Floats]:
        """`centre` and `spread` as float32 [regimes, S]."""
        return np.asarray(self.centre, np.float32), np.asarray(self.spread, np.float32)

    @cached_property
    def weights(self) -> Floats:
        """`weight` as float32 [regimes, S]."""
        return np.asarray(self.weight, np.float32)


def model_input(spec: FeatureSpec, windows: Floats) -> Floats:
    """What the model of `spec` is given for each window; shapes as in `FeatureSpec.kind`.

    Readings beyond float32's range after scaling come out infinite or NaN, silently: the detector
    refuses such windows.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = _scale(spec, windows)
        match spec.kind:
            case "level_slope":
                return _standardise(spec, _level_and_slope(spec, scaled, windows))
            case "sequence":
                return scaled
            case "rolling":
                return rolling_statistics(scaled, spec.rolling_rows)


def regimes(spec: FeatureSpec, windows: Floats) -> NDArray[np.intp]:
    """The operating regime of each reading, [n, length], as a row of `spec.centroids`."""
    return _nearest(spec, windows)[0]


def operation(spec: FeatureSpec, windows: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """How the machine of each window was operated, two arrays [n].

    The regime of its last reading, as a row of `spec.centroids`; and whether one of its readings
    is in a regime that training never saw.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        nearest, distance = _nearest(spec, windows)
    if spec.regime_radius is None:
        return nearest[:, -1], np.zeros(len(windows), dtype=np.bool_)
    unseen = (distance > np.float32(spec.regime_radius**2)).any(axis=1)
    return nearest[:, -1], cast("NDArray[np.bool_]", unseen)


def _nearest(spec: FeatureSpec, windows: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The nearest centroid of each reading and its squared distance, both [n, length]."""
    settings = windows[:, :, : len(spec.setting_scale)] / np.asarray(spec.setting_scale, np.float32)
    nearest = np.zeros(windows.shape[:2], dtype=np.intp)
    smallest = np.full(windows.shape[:2], np.inf, dtype=np.float32)
    for index, centroid in enumerate(np.asarray(spec.centroids, np.float32)):
        distance = np.zeros(windows.shape[:2], dtype=np.float32)
        for column, position in enumerate(centroid):
            distance += (settings[:, :, column] - position) ** 2
        nearer = distance < smallest
        nearest[nearer] = index
        smallest[nearer] = distance[nearer]
    return nearest, smallest


def level_and_slope(scaled: Floats, level_rows: int) -> Floats:
    """Mean of the last `level_rows` rows and least-squares slope per row, [n, L, S] -> [n, 2 S]."""
    length = scaled.shape[1]
    weights = slope_weights(length).astype(np.float32)
    level = _sum_rows(scaled, length - level_rows, length) / np.float32(level_rows)
    slope = weights[0] * scaled[:, 0]
    for row in range(1, length):
        slope += weights[row] * scaled[:, row]
    return np.concatenate([level, slope], axis=1)


def weighted_level_and_slope(scaled: Floats, weight: Floats, level_rows: int) -> Floats:
    """The same with a weight for each row and sensor, [n, L, S]: weighted mean, and the slope of
    weighted least squares, (Sp Spty - Spt Spy) / (Sp Sptt - Spt^2) with sums over the rows.
    """
    length = scaled.shape[1]
    weighted = weight * scaled
    # Offsets from the middle are small numbers, so that little is lost in the differences.
    t = (np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2))[:, None]
    p, py, pt, pty, ptt = (
        _sum_rows(values, 0, length)
        for values in (weight, weighted, t * weight, t * weighted, t * t * weight)
    )
    last = length - level_rows
    level = _sum_rows(weighted, last, length) / _sum_rows(weight, last, length)
    return np.concatenate([level, (p * pty - pt * py) / (p * ptt - pt * pt)], axis=1)


def slope_weights(length: int) -> NDArray[np.float64]:
    """What to weight `length` rows with so that their sum is the least-squares slope per row.

    The slope of z over t = 0 .. L-1 is sum((t - m) z) / sum((t - m)^2) with m = (L - 1) / 2.
    """
    offsets = np.arange(length) - (length - 1) / 2
    weights: NDArray[np.float64] = offsets / (offsets**2).sum()
    return weights


def rolling_statistics(scaled: Floats, rows: int) -> Floats:
    """Rolling mean and standard deviation (population's) along time, [n, L, S] -> [n, L, 2 S]."""
    n, length, sensors = scaled.shape
    result = np.empty((n, length, 2 * sensors), dtype=np.float32)
    for row in range(length):
        start, stop = max(0, row + 1 - rows), row + 1
        mean = _sum_rows(scaled, start, stop) / np.float32(stop - start)
        squares = (scaled[:, start:stop] - mean[:, None]) ** 2
        variance = _sum_rows(squares, 0, stop - start) / np.float32(stop - start)
        result[:, row, :sensors], result[:, row, sensors:] = mean, np.sqrt(variance)
    return result


def _scale(spec: FeatureSpec, windows: Floats) -> Floats:
    centre, spread = spec.tables
    values = np.take(windows, spec.columns, axis=2)
    if len(centre) == 1:
        return cast("Floats", (values - centre[0]) / spread[0])
    regime = regimes(spec, windows)
    return cast("Floats", (values - centre[regime]) / spread[regime])


def _level_and_slope(spec: FeatureSpec, scaled: Floats, windows: Floats) -> Floats:
    if not spec.weight:
        return level_and_slope(scaled, spec.level_rows)
    weight = spec.weights[regimes(spec, windows)]
    return weighted_level_and_slope(scaled, weight, spec.level_rows)


def _standardise(spec: FeatureSpec, features: Floats) -> Floats:
    centre = np.asarray(spec.feature_centre, np.float32)
    return cast("Floats", (features - centre) / np.asarray(spec.feature_spread, np.float32))


def _sum_rows(scaled: Floats, start: int, stop: int) -> Floats:
    """The sum over rows start .. stop - 1, oldest first."""
    total = scaled[:, start].copy()
    for row in range(start + 1, stop):
        total += scaled[:, row]
    return total

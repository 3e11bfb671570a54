"""The parameters of `data.simulate` from the engines of a real fleet."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from data.datasets import Engines
from data.fleet import Fleet
from data.simulate import design, worn
from plantwatch.errors import BadDataError
from plantwatch.scoring import Float64
from plantwatch.settings import Settings
from training.directions import clusters
from training.scaling import nearest, regime_centres

Ints = NDArray[np.int64]

FACTORS: Final = 2
"""By how many numbers engines differ at each end: they leave 1 or 2 % of the variance there."""

_FEWEST: Final = 10
"""Engines that the deciles of a way to fail need."""

_EARLY: Final = 0.4
"""Up to this share of their life engines are taken for healthy, to scale their sensors by."""

_STEEPNESS: Final = (0.5, 12.0)
"""The range that is searched: from all but a straight line to a cliff."""

_DECIMALS: Final = 6
"""Of settings and sensors, at most; NASA's have 4."""


def fit_engines(train: Fleet, test: Fleet, faults: int, settings: Settings) -> Engines:
    """How the engines of `train`, which ran to failure, live and fail, in `faults` ways.

    `test` says only how long a test engine is seen. Not told by the files are the factors of an
    engine: they are the principal components of what lines in g say of its start and its end.

    Raises:
        BadDataError: too few engines, or a sensor that the models use never moves.
    """
    _check(train, faults, settings)
    engine = train.engine - 1
    share = train.cycle / np.bincount(engine)[engine]
    scaled = train.settings / settings.features.setting_scale
    centres = regime_centres(scaled, settings.features)
    regime = nearest(scaled, centres)
    z = _scaled(train.sensors, regime, share < _EARLY)
    steepness = _steepness(z, engine, share)
    g = worn(share, steepness)
    start, end, _ = _lines(z, engine, g)
    fault = _faults(end - start.mean(axis=0), faults)
    factors = _factors(start), _factors_of_each(end, fault)
    terms = design(g, engine, fault, *factors)
    decimals = {"settings": _decimals(train.settings), "sensors": _decimals(train.sensors)}
    regimes = [_regime(train, terms, regime == one, decimals) for one in range(len(centres))]
    return Engines.model_validate(
        {
            "life": _life(train, test),
            "wear": _wear(steepness, fault, *factors),
            "decimals": decimals,
            "operation": {"regimes": regimes},
        }
    )


def _check(train: Fleet, faults: int, settings: Settings) -> None:
    number = len(train.slices)
    if number < _FEWEST * faults:
        raise BadDataError(
            f"{train.subset}: {number} training engines are too few to fit {faults} "
            f"way{'s' * (faults > 1)} to fail, {_FEWEST * faults} are needed; give it more engines"
        )
    still = [one for one in settings.features.sensors if not np.ptp(train.sensors[:, one - 1])]
    if still:
        raise BadDataError(
            f"{train.subset}: sensor {still[0]} never moves in training although the models use "
            "it; mend the file, or take the sensor out of features.sensors"
        )


def _scaled(sensors: Float64, regime: Ints, early: NDArray[np.bool_]) -> Float64:
    """In deviations of early rows, per regime; 0 where a sensor stands still."""
    z = np.zeros_like(sensors)
    for one in np.unique(regime):
        here = regime == one
        healthy = sensors[here & early]
        spread = healthy.std(axis=0)
        moving = spread > 1e-9 * np.abs(healthy).max(axis=0)
        spread = np.where(moving, spread, np.inf)
        z[here] = (sensors[here] - healthy.mean(axis=0)) / spread
    return z


def _steepness(z: Float64, engine: Ints, share: Float64) -> float:
    """That with which lines in g, one for each engine and sensor, leave the least over."""

    def left(steepness: float) -> float:
        return _lines(z, engine, worn(share, steepness))[2]

    return float(minimize_scalar(left, bounds=_STEEPNESS, method="bounded").x)


def _lines(z: Float64, engine: Ints, g: Float64) -> tuple[Float64, Float64, float]:
    """Least squares of z on g: values at g = 0 and g = 1, both [engines, sensors], and what is
    left over, as a sum of squares.
    """
    rows, of_g, of_gg = (np.bincount(engine, one)[:, None] for one in (np.ones_like(g), g, g * g))
    first = np.flatnonzero(np.diff(engine, prepend=-1))
    of_z, of_gz = (np.add.reduceat(one, first) for one in (z, g[:, None] * z))
    slope = (of_gz - of_g * of_z / rows) / (of_gg - of_g**2 / rows)
    start = (of_z - slope * of_g) / rows
    left = (z**2).sum() - (start * of_z).sum() - (slope * of_gz).sum()
    return start, start + slope, float(left)


def _faults(drift: Float64, faults: int) -> Ints:
    """Each engine's way to fail, by the direction in which it went; the most frequent is 0."""
    if faults == 1:
        return np.zeros(len(drift), np.int64)
    found = clusters(drift, faults)
    rank = np.argsort(np.argsort(-np.bincount(found, minlength=faults)))
    return np.asarray(rank[found], np.int64)


def _factors(values: Float64) -> Float64:
    """The first principal components of [engines, sensors], each of mean 0 and deviation 1.

    The sensor that a component moves most, it moves up: its sign would be the library's whim.
    """
    left, _, right = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    most = np.abs(right[:FACTORS]).argmax(axis=1)
    up = np.sign(right[range(FACTORS), most])
    return np.asarray(left[:, :FACTORS] * up * np.sqrt(len(values)))


def _factors_of_each(end: Float64, fault: Ints) -> Float64:
    factors = np.empty((len(end), FACTORS))
    for one in np.unique(fault):
        factors[fault == one] = _factors(end[fault == one])
    return factors


def _regime(
    train: Fleet, terms: Float64, here: NDArray[np.bool_], decimals: dict[str, list[int]]
) -> dict[str, Any]:
    """One least squares for all that a regime makes of `terms`, and the noise that it leaves."""
    sensors = train.sensors[here]
    found, *_ = np.linalg.lstsq(terms[here], sensors, rcond=None)
    left = ((sensors - terms[here] @ found) ** 2).sum(axis=0)
    spread = np.sqrt(left / max(1, len(sensors) - len(found)))
    mean, *others = (_short(row, decimals["sensors"]) for row in found)
    starts, faults = others[:FACTORS], np.arange(FACTORS, len(others), 1 + FACTORS)
    return {
        "share": round(float(here.mean()), 4),
        "settings_mean": _short(train.settings[here].mean(axis=0), decimals["settings"]),
        "settings_spread": _short(train.settings[here].std(axis=0), decimals["settings"]),
        "mean": mean,
        "spread": _short(spread, decimals["sensors"]),
        "start": starts,
        "faults": [{"drift": others[i], "end": others[i + 1 : i + 1 + FACTORS]} for i in faults],
    }


def _life(train: Fleet, test: Fleet) -> dict[str, Any]:
    last = [rows.stop - 1 for rows in test.slices.values()]
    return {
        "cycles": _deciles(train.cycle[train.rul == 0], 0),
        "unseen": _deciles(test.rul[last], 0),
        "min_observed": int(test.cycle[last].min()),
    }


def _wear(steepness: float, fault: Ints, start: Float64, end: Float64) -> dict[str, Any]:
    return {
        "steepness": round(steepness, 2),
        "start": [_deciles(one, 2) for one in start.T],
        "faults": [
            {
                "share": round(float((fault == one).mean()), 3),
                "end": [_deciles(factor, 2) for factor in end[fault == one].T],
            }
            for one in np.unique(fault)
        ],
    }


def _deciles(values: NDArray[np.generic], places: int) -> list[float]:
    found = np.quantile(values.astype(np.float64), np.linspace(0, 1, 11))
    return [round(float(one), places) for one in found]


def _decimals(values: Float64) -> list[int]:
    """How many each column has."""
    return [
        next(
            places
            for places in range(_DECIMALS + 1)
            if places == _DECIMALS or (column.round(places) == column).all()
        )
        for column in values.T
    ]


def _short(values: Float64, decimals: Sequence[int]) -> list[float]:
    """Two decimals more than the column has: below that nothing is seen of them."""
    short = [round(float(one), places + 2) for one, places in zip(values, decimals, strict=True)]
    return [one + 0.0 for one in short]  # -0.0 is 0

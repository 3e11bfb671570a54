"""Windows of a fleet with the truth about each, scores of them, and the split of its engines."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from data.fleet import Fleet
from plantwatch.errors import BadDataError
from plantwatch.scoring import Float64

_FEWEST: Final = 2
"""Engines that a split into fit and validation needs."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Every window of some engines, engine after engine, in the order of time.

    Attributes:
        values: float32 [n, length, settings + sensors], raw readings.
        engine: int64 [n].
        rul: int64 [n], remaining useful life in cycles after the window's last reading.
    """

    values: NDArray[np.float32]
    engine: NDArray[np.int64]
    rul: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rul)

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        return type(self)(self.values[chosen], self.engine[chosen], self.rul[chosen])

    def followed_by(self, others: Self) -> Self:
        return type(self)(
            np.concatenate([self.values, others.values]),
            np.concatenate([self.engine, others.engine]),
            np.concatenate([self.rul, others.rul]),
        )

    def of(self, engines: tuple[int, ...]) -> Self:
        return self.where(np.isin(self.engine, engines))


@dataclass(frozen=True, eq=False)
class Scored:
    """Raw scores and the truth of n windows, engine after engine in the order of time.

    Attributes:
        raw: float64 [n], high = anomalous, in the detector's unit.
        engine: int64 [n].
        rul: int64 [n], cycles left.
    """

    raw: Float64
    engine: NDArray[np.int64]
    rul: NDArray[np.int64]

    @classmethod
    def of(cls, raw: Float64, windows: Windows) -> Self:
        return cls(raw, windows.engine, windows.rul)

    @property
    def truth(self) -> Windows:
        """The windows without their readings, for what needs only the truth."""
        return Windows(np.empty((len(self.rul), 0, 0), np.float32), self.engine, self.rul)


@dataclass(frozen=True, eq=False)
class Sample:
    """A training fleet, split by engine; `fit` and `validation` share no engine."""

    fleet: Fleet
    fit_engines: tuple[int, ...]
    validation_engines: tuple[int, ...]
    fit: Windows
    validation: Windows


def split(fleet: Fleet, length: int, validation_share: float, seed: int) -> Sample:
    """Split by engine, at random: windows of one engine on both sides would flatter every score.

    Raises:
        BadDataError: there is only one engine, or none has a window.
    """
    if len(fleet.slices) < _FEWEST:
        raise BadDataError(f"{fleet.subset} has one machine to train on; bring {_FEWEST} or more")
    engines = np.random.default_rng(seed).permutation(list(fleet.slices)).tolist()
    held_out = max(1, round(validation_share * len(engines)))
    validation, fit = tuple(sorted(engines[:held_out])), tuple(sorted(engines[held_out:]))
    windows = cut(fleet, length)
    return Sample(fleet, fit, validation, windows.of(fit), windows.of(validation))


def cut(fleet: Fleet, length: int) -> Windows:
    """The window that ends at each row from an engine's row `length` on; before, it warms up.

    Raises:
        BadDataError: no engine has so many rows.
    """
    values, last = [], []
    for rows in fleet.slices.values():
        if rows.stop - rows.start >= length:
            values.append(sliding_window_view(fleet.values[rows], length, axis=0))
            last.append(np.arange(rows.start + length - 1, rows.stop))
    if not last:
        raise BadDataError(
            f"no machine of {fleet.subset} {fleet.split} has the {length} readings of a window; "
            "bring longer lives, or set window.length"
        )
    ends = np.concatenate(last)
    windows = np.ascontiguousarray(np.concatenate(values).transpose(0, 2, 1))
    return Windows(windows, fleet.engine[ends], fleet.rul[ends])

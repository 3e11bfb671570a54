"""What is odd about the data, in words: results on such data must be read with it in mind."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from data.fleet import Fleet
from plantwatch.settings import Settings

_STILL = 1e-9
"""A sensor stands still where it varies by less than this share of its size."""
_FAR = 0.1
"""Scaled settings further than this from all of training's are in a regime that it never saw."""


def remarks(fleet: Fleet, test: Fleet, settings: Settings) -> list[str]:
    """One line for each oddity: unseen regimes, dead or stuck sensors, constant columns."""
    return [*_constant(fleet, settings), *_unseen(fleet, test, settings), *_stuck(fleet, test)]


def _constant(fleet: Fleet, settings: Settings) -> Iterator[str]:
    """Columns that training never saw move; those the models use are named apart."""
    still = set((np.flatnonzero(_is_still(fleet.sensors)) + 1).tolist())
    used = still & set(settings.features.sensors)
    if used:
        yield (
            f"sensors {_names(used)} never move in training although the models use them: they "
            "say nothing, and any change of theirs is scaled by 1"
        )
    if still - used:
        yield f"sensors {_names(still - used)} never move in training; no model uses them"


def _unseen(fleet: Fleet, test: Fleet, settings: Settings) -> Iterator[str]:
    scale = np.asarray(settings.features.setting_scale)
    known = np.unique((fleet.settings / scale).round(2), axis=0)
    rows, index = np.unique((test.settings / scale).round(2), axis=0, return_inverse=True)
    distance = np.array([np.sqrt(((known - one) ** 2).sum(axis=1)).min() for one in rows])
    far = distance[index.ravel()] > _FAR
    if far.any():
        example = ", ".join(f"{value:g}" for value in test.settings[far][0])
        yield (
            f"{far.sum():,} of {len(far):,} judged rows, on {_count(test.engine[far])}, are in "
            f"operating regimes that training never saw, such as settings {example}: their scores "
            "mean nothing"
        )


def _stuck(fleet: Fleet, test: Fleet) -> Iterator[str]:
    """Sensors that stand still in an engine although they move in every other."""
    moving = np.flatnonzero(~_is_still(fleet.sensors))
    usual = {
        column
        for column in moving.tolist()
        if not any(_is_still(fleet.sensors[rows, column]) for rows in fleet.slices.values())
    }
    for column in sorted(usual):
        engines = [
            number
            for number, rows in test.slices.items()
            if rows.stop - rows.start > 1 and _is_still(test.sensors[rows, column])
        ]
        if len(engines) == len(test.slices):
            yield f"sensor {column + 1} is dead: it never moves on any judged engine"
        elif engines:
            names = ", ".join(test.sensor_id(one) for one in engines[:3])
            more = " ..." if len(engines) > 3 else ""  # noqa: PLR2004 - as many as it names
            yield f"sensor {column + 1} is stuck on {names}{more}: it moves on training engines"


def _is_still(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ptp(values, axis=0) <= _STILL * np.abs(values).max(axis=0)  # type: ignore[no-any-return]  # ptp


def _names(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _count(engine: NDArray[np.int64]) -> str:
    number = len(np.unique(engine))
    return f"{number} engine{'s' if number > 1 else ''}"

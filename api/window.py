"""The rows of a request as the windows that detectors judge, those of the stream.

A model looks at some of a reading's sensors only; a request has no others.
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from plantwatch.features import FeatureSpec, Floats


def columns(features: FeatureSpec) -> tuple[str, ...]:
    """What a row of a request holds, in order: the settings, then the card's sensors.

    Sensors have the numbers of the files, from 1.
    """
    settings = range(1, len(features.setting_scale) + 1)
    return (
        *(f"setting_{number}" for number in settings),
        *(f"sensor_{number}" for number in features.sensors),
    )


def misfit(features: FeatureSpec, window: Sequence[Sequence[float]]) -> str:
    """What is wrong with the shape of a request's window, in words; empty: nothing."""
    if len(window) != features.length:
        return f"{len(window)} rows, the model takes {features.length}: see GET /model"
    width = len(features.setting_scale) + len(features.sensors)
    for number, row in enumerate(window):
        if len(row) != width:
            return f"row {number} has {len(row)} values, the model takes {width}: see GET /model"
    return ""


def raw_windows(features: FeatureSpec, rows: Sequence[Sequence[Sequence[float]]]) -> Floats:
    """Windows of requests, [n, length, `columns`], as raw readings: [n, length, highest column].

    What no model of `features` looks at is 0.
    """
    places = _places(len(features.setting_scale), features.sensors)
    raw = np.zeros((len(rows), features.length, int(places.max()) + 1), np.float32)
    values = chain.from_iterable(chain.from_iterable(rows))  # a third faster than nested lists
    shape = len(rows), features.length, len(places)
    raw[:, :, places] = np.fromiter(values, np.float32, math.prod(shape)).reshape(shape)
    return raw


@cache
def _places(settings: int, sensors: tuple[int, ...]) -> NDArray[np.intp]:
    """Where the values of a request's row stand in a raw reading."""
    return np.array([*range(settings), *(settings + number - 1 for number in sensors)])

"""Where a sensor of a healthy machine would be: the card's mean and spread per operating regime."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from models.card import Card
from plantwatch.features import regimes

SPREADS: Final = 3


class Band(NamedTuple):
    """The ends of what is expected of a sensor, one number per reading."""

    low: Sequence[float]
    high: Sequence[float]


def band(card: Card, values: Sequence[Sequence[float]], sensor: int) -> Band | None:
    """Healthy mean +- 3 spreads of `sensor` in the regime of each reading.

    Args:
        card: of the model that judges them.
        values: readings [n, settings + sensors], n >= 1.
        sensor: its number, from 1.

    Returns:
        None where the card does not tell: a sensor that the model does not look at, or a model
        whose numbers are smallest and largest value instead (`rolling`).
    """
    spec = card.features
    if sensor not in spec.sensors or spec.kind == "rolling":
        return None
    regime = regimes(spec, np.asarray([values], np.float32))[0]
    column = spec.sensors.index(sensor)
    centre = np.asarray(spec.centre)[regime, column]
    margin = SPREADS * np.asarray(spec.spread)[regime, column]
    return Band((centre - margin).tolist(), (centre + margin).tolist())

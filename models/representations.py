"""Representations: what a head is told of a window, as numbers that each belong to one sensor.

The numbers come in runs of all channels, which are the scaled sensors in order, once, or twice for
rolling statistics: number d is of sensor d % sensors. So contributions add up to those of sensors.
"""

from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plantwatch.features import slope_weights

_AT_ONCE: Final = 2048
"""Windows: all of a fleet's at once would take gigabytes."""


class Representation(nn.Module):
    """From model input, float32 [n, ...], to what heads take, float64."""

    def summary(self, features: Tensor) -> Tensor:
        """[n, D]: what all heads but the textbook's take."""
        raise NotImplementedError

    def errors(self, features: Tensor) -> Tensor:
        """[n, E]: what the textbook's squares; of a network each row's residual."""
        raise NotImplementedError


class LevelSlope(Representation):
    """The features as they are: level and slope of each sensor, [n, 2 S]."""

    def summary(self, features: Tensor) -> Tensor:
        return features.double()

    def errors(self, features: Tensor) -> Tensor:
        return features.double()


class Predictor(Representation):
    """A network that predicts rows of a window; the residual is what it cannot."""

    def forward(self, window: Tensor) -> Tensor:
        """Its guess of `target`, from a window [n, length, channels]."""
        raise NotImplementedError

    def target(self, window: Tensor) -> Tensor:
        """The rows that are predicted, [n, rows, channels]."""
        raise NotImplementedError

    def residual(self, window: Tensor) -> Tensor:
        """[n, rows, channels]."""
        return cast("Tensor", (self.target(window) - self(window)).double())

    def errors(self, features: Tensor) -> Tensor:
        return self.residual(features).flatten(1)


class LevelAndSlope(nn.Module):
    """Mean of the last `level_rows` rows, then least-squares slope: [n, length, C] -> [n, 2 C]."""

    slope: Tensor

    def __init__(self, length: int, level_rows: int) -> None:
        super().__init__()
        self.level_rows = level_rows
        weights = torch.from_numpy(slope_weights(length)).reshape(1, length, 1)
        self.register_buffer("slope", weights, persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        level = rows[:, -self.level_rows :].mean(dim=1)
        return torch.cat([level, (rows * self.slope).sum(dim=1)], dim=1)


def summaries(model: Representation, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """`model.summary` of many windows, [n, D]."""
    with torch.inference_mode():
        parts = torch.split(torch.from_numpy(features), _AT_ONCE)
        return np.concatenate([model.summary(part).numpy() for part in parts])

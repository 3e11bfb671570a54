"""The Mahalanobis distance of a window's levels and slopes from those of normal windows."""

import numpy as np
import torch
from torch import Tensor, nn

from models.representations import LevelSlope
from plantwatch.scoring import Float64
from plantwatch.settings import Section, Settings, Share
from training.dataset import Sample
from training.fit import Fitted, config_of, fit_network
from training.summary import Summary


class Config(Section):
    """What configs/detectors/mahalanobis.yaml may say."""

    shrinkage: Share


class Distance(nn.Module):
    """x [n, D], standardised on normal windows, to its squared distance, and each part's share."""

    precision: Tensor

    def __init__(self, precision: Float64) -> None:
        """`precision` [D, D], the inverse covariance of normal windows."""
        super().__init__()
        self.register_buffer("precision", torch.from_numpy(precision))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # Elementwise: a matrix product chooses its order of summation by the size of the batch.
        contributions = x * (x.unsqueeze(1) * self.precision).sum(dim=2)
        return contributions.sum(dim=1), contributions


def fit(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """The covariance of normal windows, a part of it (`shrinkage`) a sphere."""
    config = config_of("mahalanobis", Config, settings)

    def head(summary: Summary) -> Distance:
        covariance = np.cov(summary.x[summary.normal].T)
        sphere = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
        mixed = (1 - config.shrinkage) * covariance + config.shrinkage * sphere
        return Distance(np.linalg.inv(mixed))

    return fit_network(
        sample,
        settings,
        seed,
        kind="level_slope",
        scaling="gain",
        represent=lambda _: LevelSlope(),
        head=head,
        supervision="U",
        parameters=config.model_dump(),
    )

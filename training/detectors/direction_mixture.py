"""Level and slope of the sensors, and a head on them."""

from models.representations import LevelSlope
from plantwatch.settings import Settings
from training.dataset import Sample
from training.fit import Fitted, fit_configured


def fit(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """A head on level and slope themselves."""
    return fit_configured(
        sample, settings, settings.direction_mixture, seed, lambda _: LevelSlope()
    )

"""PatchTST, and a head on what it fails to forecast and what it forecasts from."""

from dataclasses import replace

from models.patchtst import PatchTst
from models.representations import Predictor
from plantwatch.settings import Settings
from training.dataset import Sample
from training.fit import Fitted, Inputs, fit_configured
from training.learn import learnt


def fit(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """A forecaster of normal windows, and a head over its residuals and what it forecasts from."""
    config, training = settings.patchtst, settings.patchtst_training

    def represent(normal: Inputs) -> Predictor:
        return learnt(PatchTst(normal.shape[1], config), normal, training, seed)

    fitted = fit_configured(sample, settings, config, seed, represent)
    return replace(fitted, parameters=fitted.parameters | training.model_dump())

"""The LSTM autoencoder, and a head on what it cannot reproduce."""

from dataclasses import replace

from models.lstm_autoencoder import LstmAutoencoder
from models.representations import Predictor
from plantwatch.settings import Settings
from training.dataset import Sample
from training.fit import Fitted, Inputs, fit_configured
from training.learn import learnt


def fit(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """An autoencoder of normal windows, and a head over its residuals."""
    config, training = settings.lstm_ae, settings.lstm_training
    rows = settings.features.level_rows

    def represent(normal: Inputs) -> Predictor:
        model = LstmAutoencoder(normal.shape[1], normal.shape[2], rows, config)
        return learnt(model, normal, training, seed)

    fitted = fit_configured(sample, settings, config, seed, represent)
    return replace(fitted, parameters=fitted.parameters | training.model_dump())

"""Fitting: one function per type of model, from a sample to an ONNX network."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from models import isolation_forest
from models.card import ModelType
from models.lstm_autoencoder import LstmAutoencoder
from models.patchtst import PatchTst
from models.representations import LevelSlope, Predictor, Representation, summaries
from models.scorer import Scorer, to_onnx
from plantwatch.features import FeatureSpec, model_input
from plantwatch.settings import DirectionMixture, LstmAe, NetworkTraining, Patchtst, Settings
from training.dataset import Sample
from training.heads import SUPERVISION, fit_head
from training.learn import learn
from training.scaling import fit_features
from training.summary import Summary

Inputs = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network, what it is fed, its weights as plain arrays, and what it was fitted with.

    `supervision` as in `models.card.Card`.
    """

    features: FeatureSpec
    network: bytes
    weights: dict[str, NDArray[Any]]
    supervision: Literal["U", "W", "S"]
    parameters: dict[str, Any]


def fit_isolation_forest(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """Trees on the normal windows of the fit engines."""
    knobs = settings.isolation_forest
    features = fit_features(sample, knobs.features, knobs.scaling, settings)
    inputs = model_input(features, sample.fit.values[_normal(sample, settings)])
    forest = isolation_forest.fit(inputs, knobs, seed)
    return Fitted(
        features,
        isolation_forest.to_onnx(forest, inputs.shape[1:]),
        isolation_forest.weights(forest),
        "U",
        knobs.model_dump(),
    )


def fit_direction_mixture(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """A head on level and slope themselves."""
    return _fit(sample, settings, settings.direction_mixture, seed, lambda _: LevelSlope())


def fit_lstm_ae(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """An autoencoder of normal windows, and a head over its residuals."""
    knobs, training = settings.lstm_ae, settings.lstm_training
    rows = settings.features.level_rows

    def learnt(normal: Inputs) -> Predictor:
        model = LstmAutoencoder(normal.shape[1], normal.shape[2], rows, knobs)
        return _learnt(model, normal, training, seed)

    fitted = _fit(sample, settings, knobs, seed, learnt)
    return replace(fitted, parameters=fitted.parameters | training.model_dump())


def fit_patchtst(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """A forecaster of normal windows, and a head over its residuals and what it forecasts from."""
    knobs, training = settings.patchtst, settings.patchtst_training

    def learnt(normal: Inputs) -> Predictor:
        return _learnt(PatchTst(normal.shape[1], knobs), normal, training, seed)

    fitted = _fit(sample, settings, knobs, seed, learnt)
    return replace(fitted, parameters=fitted.parameters | training.model_dump())


FITTERS: Final[dict[ModelType, Callable[[Sample, Settings, int], Fitted]]] = {
    "isolation_forest": fit_isolation_forest,
    "direction_mixture": fit_direction_mixture,
    "lstm_ae": fit_lstm_ae,
    "patchtst": fit_patchtst,
}


def _fit(
    sample: Sample,
    settings: Settings,
    knobs: DirectionMixture | LstmAe | Patchtst,
    seed: int,
    represent: Callable[[Inputs], Representation],
) -> Fitted:
    """A representation learnt from normal windows, and the configured head on what it says."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the networks are too small to share out; one order is repeatable
    features = fit_features(sample, knobs.features, knobs.scaling, settings)
    inputs, normal = model_input(features, sample.fit.values), _normal(sample, settings)
    representation = represent(inputs[normal])
    summary = Summary.of(summaries(representation, inputs), sample.fit, normal)
    head = fit_head(knobs.head, summary, settings, seed)
    scorer = Scorer(
        representation, head, len(features.sensors), centre=summary.centre, spread=summary.spread
    )
    return Fitted(
        features,
        to_onnx(scorer, inputs.shape[1:]),
        {name: tensor.numpy() for name, tensor in scorer.state_dict().items()},
        SUPERVISION[knobs.head],
        knobs.model_dump(),
    )


def _learnt(model: Predictor, normal: Inputs, knobs: NetworkTraining, seed: int) -> Predictor:
    learn(model, torch.from_numpy(normal), knobs, seed)
    return model


def _normal(sample: Sample, settings: Settings) -> NDArray[np.bool_]:
    return sample.fit.rul > settings.training.normal_rul

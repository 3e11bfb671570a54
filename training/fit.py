"""Fitting: one function per type of model, from a sample to an ONNX network."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import nn

from models import isolation_forest, lstm_autoencoder
from models.card import ModelType
from models.lstm_autoencoder import LstmAutoencoder, MseHead, Scorer, TrendHead
from plantwatch.features import FeatureSpec, model_input
from plantwatch.settings import LstmTraining, Settings
from training.dataset import Sample
from training.scaling import fit_features
from training.trend import trend_weights


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network, what it is fed, its weights as plain arrays, and what it was fitted with.

    `supervision` as in `models.card.Card`.
    """

    features: FeatureSpec
    network: bytes
    weights: dict[str, NDArray[Any]]
    supervision: Literal["U", "W"]
    parameters: dict[str, Any]


def fit_isolation_forest(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """Trees on the normal windows of the fit engines."""
    knobs = settings.isolation_forest
    features = fit_features(sample, knobs.features, knobs.scaling, settings)
    inputs = model_input(features, _normal(sample, settings))
    forest = isolation_forest.fit(inputs, knobs, seed)
    return Fitted(
        features,
        isolation_forest.to_onnx(forest, inputs.shape[1:]),
        isolation_forest.weights(forest),
        "U",
        knobs.model_dump(),
    )


def fit_lstm_ae(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """An autoencoder of normal windows, and its head over the residuals of all fit windows."""
    knobs = settings.lstm_ae
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the network is too small to share out, and one order is repeatable
    features = fit_features(sample, knobs.features, knobs.scaling, settings)
    normal = torch.from_numpy(model_input(features, _normal(sample, settings)))
    model = LstmAutoencoder(normal.shape[1], normal.shape[2], knobs)
    learn(model, normal, settings.lstm_training, seed)
    scorer = Scorer(model, _head(model, features, sample, settings))
    return Fitted(
        features,
        lstm_autoencoder.to_onnx(scorer, tuple(normal.shape[1:])),
        {name: tensor.numpy() for name, tensor in scorer.state_dict().items()},
        "W" if knobs.head == "trend" else "U",
        knobs.model_dump() | settings.lstm_training.model_dump(),
    )


def learn(model: LstmAutoencoder, windows: torch.Tensor, knobs: LstmTraining, seed: int) -> None:
    """Teach `model` to give the clean windows [n, length, channels] back from corrupted ones."""
    generator = torch.Generator().manual_seed(seed)
    windows = windows[torch.randperm(len(windows), generator=generator)[: knobs.windows]]
    batches = -(-len(windows) // knobs.batch_size)
    optimiser = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, knobs.learning_rate, total_steps=knobs.epochs * batches
    )
    for _ in _with_bar(range(knobs.epochs)):
        order = torch.randperm(len(windows), generator=generator)
        for chosen in torch.split(order, knobs.batch_size):
            clean = windows[chosen]
            guess = model(lstm_autoencoder.corrupt(clean, knobs, generator))
            optimiser.zero_grad()
            nn.functional.mse_loss(guess, clean).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), knobs.clip_norm)
            optimiser.step()
            schedule.step()
    model.eval()


FITTERS: Final[dict[ModelType, Callable[[Sample, Settings, int], Fitted]]] = {
    "isolation_forest": fit_isolation_forest,
    "lstm_ae": fit_lstm_ae,
}


def _head(
    model: LstmAutoencoder, features: FeatureSpec, sample: Sample, settings: Settings
) -> nn.Module:
    if settings.lstm_ae.head == "mse":
        return MseHead()
    residuals = lstm_autoencoder.residuals(model, model_input(features, sample.fit.values))
    return TrendHead(*trend_weights(residuals, sample.fit, settings))


def _normal(sample: Sample, settings: Settings) -> NDArray[np.float32]:
    return sample.fit.values[sample.fit.rul > settings.training.normal_rul]


def _with_bar(epochs: range) -> Any:
    console = Console(stderr=True)
    return track(epochs, "LSTM autoencoder", console=console, disable=not sys.stderr.isatty())

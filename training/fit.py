"""What fitting gives, and what detectors share; they themselves are in `training.detectors`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from models.representations import Representation, summaries
from models.scorer import Scorer, to_onnx
from plantwatch.errors import ConfigError
from plantwatch.features import FeatureSpec, Kind, model_input
from plantwatch.settings import DirectionMixture, LstmAe, Patchtst, Scaling, Section, Settings
from training.dataset import Sample
from training.heads import SUPERVISION, fit_head
from training.scaling import fit_features
from training.summary import Summary

Inputs = NDArray[np.float32]
Supervision = Literal["U", "W", "S"]
T = TypeVar("T", bound=Section)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network, what it is fed, its weights as plain arrays, and what it was fitted with.

    `supervision` as in `models.card.Card`.
    """

    features: FeatureSpec
    network: bytes
    weights: dict[str, NDArray[Any]]
    supervision: Supervision
    parameters: dict[str, Any]


def fit_configured(
    sample: Sample,
    settings: Settings,
    config: DirectionMixture | LstmAe | Patchtst,
    seed: int,
    represent: Callable[[Inputs], Representation],
) -> Fitted:
    """A representation learnt from normal windows, and the configured head on what it says."""
    return fit_network(
        sample,
        settings,
        seed,
        kind=config.features,
        scaling=config.scaling,
        represent=represent,
        head=lambda summary: fit_head(config.head, summary, settings, seed),
        supervision=SUPERVISION[config.head],
        parameters=config.model_dump(),
    )


def fit_network(
    sample: Sample,
    settings: Settings,
    seed: int,
    *,
    kind: Kind,
    scaling: Scaling,
    represent: Callable[[Inputs], Representation],
    head: Callable[[Summary], nn.Module],
    supervision: Supervision,
    parameters: dict[str, Any],
) -> Fitted:
    """A representation of windows and a head on it, as one network.

    Args:
        sample: its fit engines are learnt from.
        settings: what windows and features are.
        seed: of torch.
        kind: of the features that the representation is given.
        scaling: of the sensors.
        represent: makes the representation, from the features of normal windows.
        head: makes the head, from what the representation says of all fit windows.
        supervision: what the head takes of the labels.
        parameters: what is logged.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the networks are too small to share out; one order is repeatable
    features = fit_features(sample, kind, scaling, settings)
    inputs, healthy = model_input(features, sample.fit.values), normal(sample, settings)
    representation = represent(inputs[healthy])
    summary = Summary.of(summaries(representation, inputs), sample.fit, healthy)
    scorer = Scorer(
        representation,
        head(summary),
        len(features.sensors),
        centre=summary.centre,
        spread=summary.spread,
    )
    return Fitted(
        features,
        to_onnx(scorer, inputs.shape[1:]),
        {name: tensor.numpy() for name, tensor in scorer.state_dict().items()},
        supervision,
        parameters,
    )


def normal(sample: Sample, settings: Settings) -> NDArray[np.bool_]:
    """Which fit windows are of healthy machines."""
    return sample.fit.rul > settings.training.normal_rul


def config_of(name: str, kind: type[T], settings: Settings) -> T:
    """What configs/detectors/`name`.yaml says under `name`.

    Raises:
        ConfigError: there is no such file, or a key or value does not fit `kind`.
    """
    file = f"configs/detectors/{name}.yaml"
    if name not in settings.training.detectors:
        raise ConfigError(f"{file} has no section {name!r}; write one")
    try:
        return kind.model_validate(settings.training.detectors[name])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{file}: {name}.{key}: {first['msg']}; mend it there") from None

"""Fitting a head, whichever, on what a representation says of the fit windows."""

from typing import Final, Literal, cast

import numpy as np
from sklearn.linear_model import LogisticRegression
from torch import nn

from models.heads import ErrorHead, LinearHead, Mixture, MixtureHead
from plantwatch.scoring import Float64
from plantwatch.settings import Head, Settings
from training.mixture import fit_mixture, fit_self_trained
from training.summary import Summary
from training.trend import trend_weights

SUPERVISION: Final[dict[Head, Literal["U", "W", "S"]]] = {
    "mse": "U",
    "mixture_self_trained": "U",
    "mixture": "W",
    "trend": "W",
    "logistic": "S",
    "mixture_logistic": "S",
}


def fit_head(kind: Head, summary: Summary, settings: Settings, seed: int) -> nn.Module:
    """The head of that kind; `seed` is for its forest."""
    match kind:
        case "mse":
            return ErrorHead()
        case "mixture":
            return MixtureHead(fit_mixture(summary, settings.mixture_head))
        case "mixture_self_trained":
            config, forest = settings.mixture_head, settings.isolation_forest
            return MixtureHead(fit_self_trained(summary, config, forest, seed))
        case "trend":
            return LinearHead(trend_weights(summary, settings.trend_head))
        case "logistic":
            return LinearHead(_logistic(summary.x, summary, settings)[None])
        case "mixture_logistic":
            return MixtureHead(_weighed(summary, settings))


def _weighed(summary: Summary, settings: Settings) -> Mixture:
    """The mixture, its groups counting as the labels say, and one more direction of their own."""
    mixture = fit_mixture(summary, settings.mixture_head)
    scaled = mixture.scores(summary.x) / mixture.scale
    weights = _logistic(np.hstack([scaled, summary.x]), summary, settings)
    groups = len(mixture.groups)
    return Mixture(
        np.vstack([mixture.weights, weights[groups:]]),
        np.append(mixture.bias, 0.0),
        (*mixture.groups, 1),
        np.append(mixture.scale / weights[:groups], 1.0),
    )


def _logistic(x: Float64, summary: Summary, settings: Settings) -> Float64:
    """What logistic regression on the labels makes each column of x count, [D].

    Without its intercept: the threshold is chosen anyway.
    """
    failing = summary.windows.rul < settings.anomaly.label_rul
    penalty = settings.logistic_head.inverse_penalty
    fitted = LogisticRegression(C=penalty, max_iter=1000).fit(x, failing)
    return cast("Float64", fitted.coef_[0])

"""Fitting a head, whichever, on what a representation says of the fit windows."""

from typing import Final, Literal

from sklearn.linear_model import LogisticRegression
from torch import nn

from models.heads import ErrorHead, LinearHead, MixtureHead
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
}


def fit_head(kind: Head, summary: Summary, settings: Settings, seed: int) -> nn.Module:
    """The head of that kind; `seed` is for its forest."""
    match kind:
        case "mse":
            return ErrorHead()
        case "mixture":
            return MixtureHead(fit_mixture(summary, settings.mixture_head))
        case "mixture_self_trained":
            knobs, forest = settings.mixture_head, settings.isolation_forest
            return MixtureHead(fit_self_trained(summary, knobs, forest, seed))
        case "trend":
            return LinearHead(trend_weights(summary, settings.trend_head))
        case "logistic":
            failing = summary.windows.rul < settings.anomaly.label_rul
            penalty = settings.logistic_head.inverse_penalty
            logistic = LogisticRegression(C=penalty, max_iter=1000).fit(summary.x, failing)
            # Without its intercept: the threshold is chosen anyway.
            return LinearHead(logistic.coef_)

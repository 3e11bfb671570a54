"""What others use, fitted on the same windows and the same 28 features: level and slope per sensor.

Parameters are those that scikit-learn and PyOD ship. PyOD's COPOD and ECOD are not here: they score
a batch against itself, which no stream can.

Threshold and confidence are chosen on validation engines alone, those of our models on fit and
validation engines (`training.judge`). Neighbours and trees know the fit windows by heart: a
threshold from these would be too high for any other engine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from plantwatch.errors import ConfigError
from plantwatch.features import model_input
from plantwatch.scoring import Float64
from plantwatch.settings import Settings
from training.dataset import Sample
from training.scaling import fit_features

Score = Callable[[NDArray[np.float32]], Float64]
"""Windows of raw readings [n, length, settings + sensors] to raw scores [n], high = anomalous."""
_Rate = Callable[[NDArray[np.float32]], Any]
_Fit = Callable[["_Features", Settings, int], _Rate]


@dataclass(frozen=True, eq=False)
class _Features:
    """Features [n, 28] of the fit windows: the normal ones, thinned out; and all, with labels."""

    normal: NDArray[np.float32]
    every: NDArray[np.float32]
    failing: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Peer:
    """`supervision` as in `models.card.Card`; `package` is what it needs beyond scikit-learn."""

    fit: _Fit
    supervision: Literal["U", "S"]
    package: Literal["", "pyod"] = ""


def fit_peer(name: str, sample: Sample, settings: Settings, seed: int) -> Score:
    """Fit the peer `name` of `PEERS` on the fit engines.

    Raises:
        ConfigError: its package is not installed; the message says how to get it.
    """
    spec = fit_features(sample, "level_slope", "zscore", settings)
    every = model_input(spec, sample.fit.values)
    normal = every[sample.fit.rul > settings.training.normal_rul]
    most = settings.evaluation.peer_windows
    chosen = np.random.default_rng(seed).permutation(len(normal))[:most]
    features = _Features(normal[chosen], every, sample.fit.rul < settings.anomaly.label_rul)
    rate = PEERS[name].fit(features, settings, seed)
    return lambda windows: np.asarray(rate(model_input(spec, windows)), np.float64)


def _rms(features: _Features, settings: Settings, seed: int) -> _Rate:
    """The root mean square of z: no learning but mean and spread."""
    del features, settings, seed
    return lambda x: np.sqrt((x**2).mean(axis=1))


def _t2(features: _Features, settings: Settings, seed: int) -> _Rate:
    """Hotelling's T2: the squared distance within the principal components."""
    pca = PCA(settings.evaluation.pca_variance, random_state=seed).fit(features.normal)
    return lambda x: (pca.transform(x) ** 2 / pca.explained_variance_).sum(axis=1)


def _spe(features: _Features, settings: Settings, seed: int) -> _Rate:
    """The squared prediction error, also Q: the squared distance from the principal components."""
    pca = PCA(settings.evaluation.pca_variance, random_state=seed).fit(features.normal)
    return lambda x: ((x - pca.inverse_transform(pca.transform(x))) ** 2).sum(axis=1)


def _pyod(module: str, features: _Features, settings: Settings, seed: int) -> _Rate:
    """A detector of PyOD as it is shipped."""
    del settings, seed
    try:
        package = __import__(f"pyod.models.{module.lower()}", fromlist=[module])
    except ImportError:
        raise ConfigError(
            f"{module} needs PyOD; install plantwatch[peers] or evaluate with --no-peers"
        ) from None
    return cast("_Rate", getattr(package, module)().fit(features.normal).decision_function)


def _logistic(features: _Features, settings: Settings, seed: int) -> _Rate:
    del settings, seed
    model = LogisticRegression(max_iter=1000).fit(features.every, features.failing)
    return cast("_Rate", model.decision_function)


def _boosting(features: _Features, settings: Settings, seed: int) -> _Rate:
    del settings
    model = HistGradientBoostingClassifier(random_state=seed).fit(features.every, features.failing)
    return cast("_Rate", model.decision_function)


PEERS: Final[dict[str, Peer]] = {
    "rms_z": Peer(_rms, "U"),
    "hotelling_t2": Peer(_t2, "U"),
    "pca_spe": Peer(_spe, "U"),
    "hbos": Peer(partial(_pyod, "HBOS"), "U", "pyod"),
    "knn": Peer(partial(_pyod, "KNN"), "U", "pyod"),
    "lof": Peer(partial(_pyod, "LOF"), "U", "pyod"),
    "ocsvm": Peer(partial(_pyod, "OCSVM"), "U", "pyod"),
    "logistic": Peer(_logistic, "S"),
    "hist_gradient_boosting": Peer(_boosting, "S"),
}

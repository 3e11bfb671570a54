"""The Isolation Forest of normal windows."""

from models import isolation_forest
from plantwatch.features import model_input
from plantwatch.settings import Settings
from training.dataset import Sample
from training.fit import Fitted, normal
from training.scaling import fit_features


def fit(sample: Sample, settings: Settings, seed: int) -> Fitted:
    """Trees on the normal windows of the fit engines."""
    config = settings.isolation_forest
    features = fit_features(sample, config.features, config.scaling, settings)
    inputs = model_input(features, sample.fit.values[normal(sample, settings)])
    forest = isolation_forest.fit(inputs, config, seed)
    return Fitted(
        features,
        isolation_forest.to_onnx(forest, inputs.shape[1:]),
        isolation_forest.weights(forest),
        "U",
        config.model_dump(),
    )

"""One MLflow run per training: parameters, metrics, weights, network, card and plots."""

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.card import Card, ModelType
from models.registry import ARTIFACT, client
from plantwatch.settings import Settings
from training.calibrate import threshold_curve
from training.dataset import Sample, Windows
from training.judge import Judged
from training.plots import confusion_plot, threshold_plot

GOLDEN: Final = "golden.npz"
"""A run's artifact: `windows` and the `anomaly_score` of each when the model was trained."""
_GOLDEN_WINDOWS: Final = 64

_RUN_NAMES: Final[dict[ModelType, str]] = {"lstm_ae": "lstm_autoencoder_v1"}
"""Of those whose name does not say it."""


def run_name(model_type: ModelType) -> str:
    """What a training run of this type is called in MLflow."""
    return _RUN_NAMES.get(model_type, f"{model_type}_v1")


def ensure_experiment(settings: Settings) -> str:
    """The experiment's id, made where missing; asked before training, so that no run is lost.

    Raises:
        UnavailableError: the tracking server is away.
    """
    name = settings.mlflow.experiment_name
    with client(settings) as mlflow:
        found = mlflow.get_experiment_by_name(name)
        return str(found.experiment_id if found else mlflow.create_experiment(name))


def log_run(
    settings: Settings,
    experiment: str,
    *,
    judged: Judged,
    card: Card,
    folder: Path,
    sample: Sample,
    test: Windows,
) -> str:
    """Log everything about one trained model, whose artifact lies in `folder`; the run's id.

    Raises:
        UnavailableError: the tracking server went away; the run stays marked as running.
    """
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - takes seconds

    milliseconds = int(card.created_at.timestamp() * 1000)
    metrics = [Metric(name, v, milliseconds, 0) for name, v in card.metrics.items()]
    params = [Param(name, str(v)) for name, v in _parameters(settings, judged, sample).items()]
    with client(settings) as mlflow, tempfile.TemporaryDirectory() as plots:
        run = mlflow.create_run(
            experiment, tags=_tags(card), run_name=run_name(judged.model_type)
        ).info.run_id
        mlflow.log_batch(run, metrics, params)
        mlflow.log_artifacts(run, str(folder), ARTIFACT)
        mlflow.log_artifacts(run, str(_extras(Path(plots), judged, sample, test, settings)))
        mlflow.set_terminated(run)
    return str(run)


def _tags(card: Card) -> dict[str, str]:
    return {
        "model_type": card.model_type,
        "supervision": card.supervision,
        "dataset": card.trained_on.dataset,
        "source": card.trained_on.source,
        "data_hash": card.trained_on.data_hash,
    }


def _parameters(settings: Settings, judged: Judged, sample: Sample) -> dict[str, Any]:
    """`contamination` is the share of validation windows that the threshold calls anomalous."""
    threshold = judged.threshold
    return {
        "window_size": settings.window.length,
        "label_rul": settings.anomaly.label_rul,
        "normal_rul": settings.training.normal_rul,
        "threshold": threshold,
        "threshold_by": settings.training.threshold,
        "alarm": str(judged.alarm or settings.anomaly.alarm),
        "contamination": float((judged.validation_raw >= threshold).mean()),
        "fit_engines": len(sample.fit_engines),
        "validation_engines": len(sample.validation_engines),
        **judged.fitted.parameters,
    }


def _extras(
    folder: Path, judged: Judged, sample: Sample, test: Windows, settings: Settings
) -> Path:
    """Weights and golden windows as plain arrays (nothing pickled) and both plots, in `folder`."""
    label, name = settings.anomaly.label_rul, run_name(judged.model_type)
    where = f"{sample.fleet.subset}, {sample.fleet.source}"
    np.savez_compressed(folder / "weights.npz", allow_pickle=False, **judged.fitted.weights)
    _golden(folder / GOLDEN, judged, sample)
    curve = threshold_curve(judged.validation_raw, sample.validation.rul < label)
    title = f"{name}, validation, {where}"
    threshold_plot(curve, judged.threshold, title, folder / "threshold.png")
    confusion_plot(
        judged.test.is_anomaly, test.rul < label, f"{name}, test\n{where}", folder / "confusion.png"
    )
    return folder


def _golden(path: Path, judged: Judged, sample: Sample) -> None:
    """Validation windows and their scores, from the lowest to the highest: promotion tries them."""
    order = np.argsort(judged.validation_raw)
    chosen = order[np.linspace(0, len(order) - 1, min(_GOLDEN_WINDOWS, len(order))).astype(int)]
    scores = judged.calibration.judge(judged.validation_raw[chosen]).anomaly_score
    np.savez_compressed(path, windows=sample.validation.values[chosen], anomaly_score=scores)

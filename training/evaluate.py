"""The official protocol: several splits of the training engines, judged on the official test."""

from typing import Any, Final

import numpy as np

from data.fleet import Fleet
from models.card import ModelType
from plantwatch.settings import Settings
from training.dataset import Windows, cut, split
from training.judge import Judged, judge
from training.metrics import f1_interval

MODELS: Final[tuple[ModelType, ...]] = ("isolation_forest", "lstm_ae")
METRICS: Final = ("f1", "precision", "recall", "auc_roc", "auc_pr")

_PLAIN: Final[dict[str, dict[str, str]]] = {
    "isolation_forest": {"features": "rolling", "scaling": "minmax"},
    "lstm_ae": {"features": "rolling", "scaling": "minmax", "head": "mse"},
}


def plain(settings: Settings) -> Settings:
    """The textbook versions: rolling mean and deviation, min-max, mean squared error.

    The autoencoder then learns to reproduce its input as it is.
    """
    changes: dict[str, Any] = {
        name: getattr(settings, name).model_copy(update=change) for name, change in _PLAIN.items()
    }
    untouched = settings.lstm_training.model_copy(update={"corrupted_share": 0.0})
    return settings.model_copy(update=changes | {"lstm_training": untouched})


def evaluate(fleet: Fleet, test: Fleet, settings: Settings, seeds: int) -> dict[str, Any]:
    """Both models and their plain versions over `seeds` splits; what `report` says, as JSON.

    Raises:
        BadDataError: the fleet has nothing to calibrate by.
    """
    windows = cut(test, settings.window.length)
    variants: dict[str, tuple[ModelType, Settings]] = {name: (name, settings) for name in MODELS}
    variants |= {f"plain {name}": (name, plain(settings)) for name in MODELS}
    return {
        "dataset": fleet.subset,
        "source": fleet.source,
        "protocol": "official",
        "data_hash": fleet.data_hash,
        "test_data_hash": test.data_hash,
        "label_rul": settings.anomaly.label_rul,
        "seeds": seeds,
        "models": {
            title: _summary(_runs(name, fleet, windows, knobs, seeds), windows, settings)
            for title, (name, knobs) in variants.items()
        },
    }


def _runs(
    name: ModelType, fleet: Fleet, windows: Windows, settings: Settings, seeds: int
) -> list[Judged]:
    share, length = settings.training.validation_share, settings.window.length
    samples = (split(fleet, length, share, seed) for seed in range(seeds))
    return [judge(name, sample, windows, settings, seed) for seed, sample in enumerate(samples)]


def _summary(runs: list[Judged], windows: Windows, settings: Settings) -> dict[str, Any]:
    """Mean and standard deviation over seeds; of F1 also the mean of the 95 % intervals' ends."""
    positive = windows.rul < settings.anomaly.label_rul
    intervals = [
        f1_interval(run.test.is_anomaly, positive, windows.engine, settings.evaluation.bootstraps)
        for run in runs
    ]
    summary: dict[str, Any] = {"supervision": runs[0].fitted.supervision}
    for name in (*METRICS, "validation_f1"):
        values = [run.metrics[name] for run in runs if name in run.metrics]
        if values:
            summary[name] = {
                "mean": round(float(np.mean(values)), 4),
                "sd": round(float(np.std(values)), 4),
                "seeds": [round(value, 4) for value in values],
            }
    return summary | {"f1_interval": np.mean(intervals, axis=0).round(4).tolist()}

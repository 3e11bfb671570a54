"""Training from rows to a registered version, top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.fleet import Fleet
from models.card import Card, ModelType, TrainedOn, sha256, write_artifact
from models.registry import Registered, register
from plantwatch.settings import Settings
from training.dataset import Sample, cut, split
from training.drift import drift_reference
from training.judge import Judged, judge
from training.promote import promote_best
from training.tracking import ensure_experiment, log_run


@dataclass(frozen=True, slots=True)
class Trained:
    """One model as registered; `folder` holds its artifact."""

    version: int
    card: Card
    folder: Path


def train(
    fleet: Fleet,
    test: Fleet,
    model_types: Sequence[ModelType],
    settings: Settings,
    *,
    seed: int,
    now: datetime,
    artifacts: Path,
) -> tuple[list[Trained], Registered]:
    """Train, track and register each type on `fleet`; the results and what is now in production.

    Artifacts are written into `artifacts`/<digest>. Never trains without tracking.

    Raises:
        UnavailableError: the tracking server is away; asked first, so no work is lost.
        BadDataError: the fleet has nothing to calibrate by.
    """
    experiment = ensure_experiment(settings)
    sample = split(fleet, settings.window.length, settings.training.validation_share, seed)
    windows = cut(test, settings.window.length)
    trained = []
    for model_type in model_types:
        judged = judge(model_type, sample, windows, settings, seed)
        card = build_card(judged, sample, settings, now)
        folder = write_artifact(card, judged.fitted.network, artifacts)
        run_id = log_run(
            settings,
            experiment,
            judged=judged,
            card=card,
            folder=folder,
            sample=sample,
            test=windows,
        )
        trained.append(Trained(register(settings, run_id, card, folder.name), card, folder))
    return trained, promote_best(settings, fleet.data_hash)


def build_card(judged: Judged, sample: Sample, settings: Settings, now: datetime) -> Card:
    """Everything about a judged model but its network; `now` is when it was made."""
    network, calibration = judged.fitted.network, judged.calibration
    return Card(
        model_type=judged.model_type,
        features=judged.fitted.features,
        threshold=calibration.threshold,
        scale=calibration.scale,
        platt_a=calibration.platt_a,
        platt_b=calibration.platt_b,
        alarm=judged.alarm,
        label_rul=settings.anomaly.label_rul,
        supervision=judged.fitted.supervision,
        trained_on=TrainedOn(
            dataset=sample.fleet.subset,
            source=sample.fleet.source,
            data_hash=sample.fleet.data_hash,
            fit_engines=sample.fit_engines,
            validation_engines=sample.validation_engines,
        ),
        onnx_sha256=sha256(network),
        created_at=now,
        remaining_life=judged.remaining_life,
        drift=drift_reference(sample, settings),
        metrics=judged.metrics
        | {"training_time_sec": judged.seconds, "model_size_mb": len(network) / 1e6},
    )

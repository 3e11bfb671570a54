"""`plantwatch train`: fit, calibrate, track, register and promote."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.chosen import SPLITS, Dataset, fleet_of, settings_for
from commands.tables import show, table
from models import registry
from models.fetch import fetch_production
from training import detectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.train import Trained


def train(
    context: typer.Context,
    dataset: Dataset = None,
    model: Annotated[
        str, typer.Option(help=f"What to train: all, {', '.join(detectors.names())}.")
    ] = "all",
    seed: Annotated[
        int | None, typer.Option(help="Of split and fit; else `training.seed`.")
    ] = None,
    *,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Only if there is no production model.")
    ] = False,
) -> None:
    """Train on run-to-failure engines, report on the official test, put the best in production.

    Tracked and registered in MLflow (`plantwatch up --only mlflow`). What is in production
    afterwards is fetched too, so a worker can start.

    \b
    plantwatch train
    plantwatch train --dataset FD003 --model lstm_ae --seed 1

    Exit code 65: there is nothing to learn from in these data. 69: MLflow is away, nothing was
    trained. 78: settings do not fit the data.
    """
    settings = settings_for(context, dataset)
    wanted = detectors.names() if model == "all" else (model,)
    for name in wanted:
        detectors.check(name)
    if if_missing and registry.has_production(settings):
        typer.echo(f"there is a production model: {fetch_production(settings)}")
        return
    # The data first, if they are bad.
    fleet, test = (fleet_of(context, settings, split) for split in SPLITS)
    typer.echo(f"{fleet.subset}: {len(fleet.slices)} machines, {fleet.source}")

    # These take seconds to import, so only where they are needed.
    from training.train import train as run

    trained, production = run(
        fleet,
        test,
        wanted,
        settings,
        seed=settings.training.seed if seed is None else seed,
        now=datetime.now(UTC),
        artifacts=Path(".local/training"),
    )
    fetch_production(settings)
    _show(trained)
    typer.echo(f"{fleet.source}; in production: {production.model_version}")


def _show(trained: "Sequence[Trained]") -> None:
    names = ("validation_f1", "f1", "precision", "recall", "auc_roc", "training_time_sec")
    columns = ("model", "valid. F1", "test F1", "precision", "recall", "AUC-ROC", "seconds", "MB")
    shown = table(*columns, right=tuple(range(1, len(columns))))
    for one in trained:
        values = [f"{one.card.metrics.get(name, float('nan')):.3f}" for name in names]
        size = f"{one.card.metrics['model_size_mb']:.2f}"
        shown.add_row(f"{one.card.model_type}_v{one.version}", *values, size)
    show(shown)

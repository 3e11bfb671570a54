"""`plantwatch train`: fit, calibrate, track, register and promote."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from models import registry
from plantwatch.configuration import environment
from plantwatch.settings import Settings

_WIDTH = 100


def train(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="FD001 to FD004; else the setting.")] = None,
    model: Annotated[
        Literal["isolation_forest", "direction_mixture", "lstm_ae", "patchtst", "all"],
        typer.Option(help="What to train."),
    ] = "all",
    seed: Annotated[int | None, typer.Option(help="Of split and fit; else the setting.")] = None,
    *,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Only if there is no production model.")
    ] = False,
) -> None:
    """Train on run-to-failure engines, report on the official test, put the best in production.

    What is in production afterwards is fetched too, so a worker can start.
    """
    settings = context.ensure_object(Settings)
    if if_missing and registry.has_production(settings):
        typer.echo(f"there is a production model: {registry.fetch_production(settings)}")
        return
    # These take seconds to import, so only where they are needed; the data first, if they are bad.
    from data import load  # noqa: PLC0415

    subset = dataset or settings.training.dataset
    configs = context.find_root().params["config"]
    fleet, test = (load(subset, split, environment(), configs) for split in ("train", "test"))
    typer.echo(f"{subset}: {len(fleet.slices)} engines, {fleet.source}")

    from training.fit import FITTERS  # noqa: PLC0415
    from training.train import train as run  # noqa: PLC0415

    trained, production = run(
        fleet,
        test,
        tuple(FITTERS) if model == "all" else (model,),
        settings,
        seed=settings.training.seed if seed is None else seed,
        now=datetime.now(UTC),
        artifacts=Path(".local/training"),
    )
    registry.fetch_production(settings)
    names = ("validation_f1", "f1", "precision", "recall", "auc_roc", "training_time_sec")
    table = Table(
        "model", "valid. F1", "test F1", "precision", "recall", "AUC-ROC", "seconds", "MB"
    )
    for one in trained:
        values = [f"{one.card.metrics.get(name, float('nan')):.3f}" for name in names]
        size = f"{one.card.metrics['model_size_mb']:.2f}"
        table.add_row(f"{one.card.model_type}_v{one.version}", *values, size)
    Console(width=_WIDTH).print(table)
    typer.echo(f"{fleet.source}; in production: {production.model_version}")

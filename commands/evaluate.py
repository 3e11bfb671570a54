"""`plantwatch evaluate`: the scoreboard, by a protocol that flatters nobody."""

import json
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from commands.chosen import SPLITS, Dataset, Seeds, fleet_of, settings_for
from commands.tables import show, table
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from evaluation.tracking import Logged


def evaluate(
    context: typer.Context,
    dataset: Dataset = None,
    protocol: Annotated[
        Literal["official", "held-out"],
        typer.Option(help="Judge NASA's test engines, or folds of the run-to-failure ones."),
    ] = "official",
    seeds: Seeds = None,
    output: Annotated[
        Path | None, typer.Option(help="JSON; else .local/evaluation/<dataset>-<protocol>.json.")
    ] = None,
    *,
    peers: Annotated[bool, typer.Option(help="Also what others use: HBOS, KNN ...")] = True,
    experiment: Annotated[
        bool, typer.Option("--experiment", help="Fit nothing; compare what was logged in MLflow.")
    ] = False,
) -> None:
    """Judge every model, its plain variant and peers on engines that none of them ever saw.

    What was fitted before from the same data, settings and code is not fitted again. Beside the
    JSON lies a page with pictures; each detector is a run in MLflow, where that is up.

    \b
    plantwatch evaluate --dataset FD002
    plantwatch evaluate --protocol held-out --no-peers --seeds 1
    plantwatch evaluate --experiment
    """
    if experiment:
        _compare(settings_for(context, dataset), dataset)
        return
    # The data first, if they are bad.
    settings = settings_for(context, dataset)
    fleet, test = (fleet_of(context, settings, split) for split in SPLITS)

    # These take seconds to import, so only where they are needed.
    from evaluation.contestants import contestants
    from evaluation.page import page
    from evaluation.play import play
    from evaluation.report import report

    players = contestants(settings, peers=peers)
    played = play(players, protocol, seeds or settings.evaluation.seeds, fleet, test)
    document = report(played, settings)
    path = output or Path(f".local/evaluation/{fleet.subset}-{protocol}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    shown = path.with_suffix(".html")
    shown.write_text(page(played, document, settings), encoding="utf-8")
    _print(document)
    _log(document, settings)
    typer.echo(f"written to {path} and {shown}")


def _log(document: dict[str, Any], settings: Settings) -> None:
    """Results are worth having without a tracking server: say so and go on."""
    from evaluation import tracking

    try:
        number = tracking.log(document, settings, datetime.now(UTC))
    except UnavailableError as error:
        typer.echo(f"not logged: {error}", err=True)
    else:
        typer.echo(f"logged {number} runs in {tracking.experiment_name(settings)}")


def _compare(settings: Settings, dataset: str | None) -> None:
    from evaluation import tracking

    runs = [one for one in tracking.logged(settings) if dataset in {None, one.tags.get("dataset")}]
    columns = ("dataset", "protocol", "model", "", "F1", "95 %", "ROC", "PR", "logged")
    shown = table(*columns, title=tracking.experiment_name(settings))
    for one in sorted(runs, key=_place):
        metrics, tags = one.metrics, one.tags
        shown.add_row(
            *(tags.get(name, "?") for name in ("dataset", "protocol")),
            tags.get("model", "?").replace("_", " "),
            tags.get("supervision", "?"),
            f"{metrics.get('f1_mean', nan):.3f}",
            f"{metrics.get('f1_low', nan):.2f}-{metrics.get('f1_high', nan):.2f}",
            *(f"{metrics.get(name, nan):.4f}" for name in ("auc_roc", "auc_pr")),
            f"{one.when:%m-%d %H:%M}",
        )
    show(shown)
    if not runs:
        typer.echo("nothing is logged yet; run `plantwatch evaluate` while MLflow is up")


def _place(run: "Logged") -> tuple[str, str, float, float]:
    """By data set and protocol, the best first, the newest first among equals."""
    tags = run.tags
    best = -run.metrics.get("f1_mean", 0.0)
    return tags.get("dataset", ""), tags.get("protocol", ""), best, -run.when.timestamp()


def _print(document: dict[str, Any]) -> None:
    show(_rows(document))
    show(_events(document))
    for remark in document["remarks"]:
        typer.echo(f"note: {remark}")
    typer.echo(f"{document['source']}; mean ± sd of {document['seeds']} seeds")


def _rows(document: dict[str, Any]) -> Table:
    what = "official test" if document["protocol"] == "official" else "held-out engines"
    title = f"{document['dataset']}, {what}, failing = RUL < {document['label_rul']}"
    columns = ("", "F1", "95 %", "precision", "recall", "ROC", "PR")
    shown = table("model", *columns, title=title)
    for row in document["rows"]:
        cells = [f"{row[name]:.3f}" if name in row else "-" for name in ("precision", "recall")]
        areas = [f"{row[name]:.4f}" if name in row else "-" for name in ("auc_roc", "auc_pr")]
        f1 = f"{row['f1_mean']:.3f} ±{row['f1_sd']:.3f}"
        interval = f"{row['f1_low']:.2f}-{row['f1_high']:.2f}"
        shown.add_row(_name(row), row["supervision"], f1, interval, *cells, *areas)
    return shown


def _events(document: dict[str, Any]) -> Table:
    """The strictest rule; what the budget came to; whether confidence is a probability."""
    events = {one["model"]: one for one in document["events"]}  # the last rule of each
    rule = document["events"][-1]["rule"]
    engines = document["events"][-1]["engines"]
    title = f"alarm: {rule}, on {engines} engines; rows and false alarms per 1000 healthy cycles"
    columns = ("on time", "lead", "p10", "rows", "false", "budget", "ECE", "Brier")
    shown = table("model", *columns, title=title)
    for calibration, budget in zip(document["calibration"], document["budget"], strict=True):
        event = events[calibration["model"]]
        watched = event["engines"]
        leads = [f"{event[name]:.0f}" for name in ("lead_median", "lead_p10")]
        shown.add_row(
            _name(calibration),
            f"{event['on_time_share']:.1%}" if watched else "-",
            *(leads if watched else "--"),
            f"{event['alarmed_per_1000_healthy']:.1f}",
            f"{event['false_alarms_per_1000_healthy']:.2f}",
            f"{budget['achieved_per_1000_cycles']:.2f}/{budget['wanted_per_1000_cycles']:.2f}",
            f"{calibration['ece']:.4f}",
            f"{calibration['brier']:.4f}",
        )
    return shown


def _name(row: dict[str, Any]) -> str:
    return str(row["model"]).replace("_", " ")

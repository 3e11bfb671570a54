"""`plantwatch evaluate`: the scoreboard, by a protocol that flatters nobody."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from plantwatch.configuration import environment
from plantwatch.settings import Settings

_WIDTH = 100


def evaluate(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="FD001 to FD004; else the setting.")] = None,
    protocol: Annotated[
        Literal["official", "held-out"],
        typer.Option(help="Judge NASA's test engines, or folds of the run-to-failure ones."),
    ] = "official",
    seeds: Annotated[int | None, typer.Option(help="Repetitions; else the setting.", min=1)] = None,
    output: Annotated[
        Path | None, typer.Option(help="JSON; else .local/evaluation/<dataset>-<protocol>.json.")
    ] = None,
    *,
    peers: Annotated[bool, typer.Option(help="Also what others use: HBOS, KNN ...")] = True,
) -> None:
    """Judge every model, its plain variant and peers on engines that none of them ever saw.

    What was fitted before from the same data, settings and code is not fitted again.
    """
    # These take seconds to import, so only where they are needed; the data first, if they are bad.
    from data import load  # noqa: PLC0415

    settings = context.ensure_object(Settings)
    subset = dataset or settings.training.dataset
    configs = context.find_root().params["config"]
    fleet, test = (load(subset, split, environment(), configs) for split in ("train", "test"))

    from evaluation.contestants import contestants  # noqa: PLC0415
    from evaluation.play import play  # noqa: PLC0415
    from evaluation.report import report  # noqa: PLC0415

    players = contestants(settings, peers=peers)
    played = play(players, protocol, seeds or settings.evaluation.seeds, fleet, test)
    document = report(played, settings)
    path = output or Path(f".local/evaluation/{subset}-{protocol}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    _show(document)
    typer.echo(f"written to {path}")


def _show(document: dict[str, Any]) -> None:
    console = Console(width=_WIDTH)
    console.print(_rows(document))
    console.print(_events(document))
    for remark in document["remarks"]:
        typer.echo(f"note: {remark}")
    typer.echo(f"{document['source']}; mean ± sd of {document['seeds']} seeds")


def _rows(document: dict[str, Any]) -> Table:
    what = "official test" if document["protocol"] == "official" else "held-out engines"
    title = f"{document['dataset']}, {what}, failing = RUL < {document['label_rul']}"
    columns = ("", "F1", "95 %", "precision", "recall", "ROC", "PR")
    table = Table("model", *columns, title=title, box=SIMPLE)
    for row in document["rows"]:
        cells = [f"{row[name]:.3f}" if name in row else "-" for name in ("precision", "recall")]
        areas = [f"{row[name]:.4f}" if name in row else "-" for name in ("auc_roc", "auc_pr")]
        f1 = f"{row['f1_mean']:.3f} ±{row['f1_sd']:.3f}"
        interval = f"{row['f1_low']:.2f}-{row['f1_high']:.2f}"
        table.add_row(_name(row), row["supervision"], f1, interval, *cells, *areas)
    return table


def _events(document: dict[str, Any]) -> Table:
    """The strictest rule; what the budget came to; whether confidence is a probability."""
    events = {one["model"]: one for one in document["events"]}  # the last rule of each
    rule = document["events"][-1]["rule"]
    title = f"alarm: {rule}; false ones per 1000 healthy cycles; budget: see configs"
    columns = ("on time", "lead p50", "p10", "rows", "false", "of budget", "ECE", "Brier")
    table = Table("model", *columns, title=title, box=SIMPLE)
    for calibration, budget in zip(document["calibration"], document["budget"], strict=True):
        event = events[calibration["model"]]
        watched = event["engines"]
        leads = [f"{event[name]:.0f}" for name in ("lead_median", "lead_p10")]
        table.add_row(
            _name(calibration),
            f"{event['on_time_share']:.1%} of {watched}" if watched else "-",
            *(leads if watched else "--"),
            f"{event['alarmed_per_1000_healthy']:.1f}",
            f"{event['false_alarms_per_1000_healthy']:.2f}",
            f"{budget['achieved_per_1000_cycles']:.2f}/{budget['wanted_per_1000_cycles']:.2f}",
            f"{calibration['ece']:.4f}",
            f"{calibration['brier']:.4f}",
        )
    return table


def _name(row: dict[str, Any]) -> str:
    return str(row["model"]).replace("_", " ")

"""`plantwatch evaluate`: the scoreboard of the official protocol."""

import json
from pathlib import Path
from typing import Annotated, Any

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
    seeds: Annotated[int | None, typer.Option(help="Splits; else the setting.", min=1)] = None,
    output: Annotated[
        Path | None, typer.Option(help="JSON; else .local/evaluation/<dataset>-official.json.")
    ] = None,
) -> None:
    """Judge both models and their plain versions on the official test, over several splits."""
    # These take seconds to import, so only where they are needed; the data first, if they are bad.
    from data import load  # noqa: PLC0415

    settings = context.ensure_object(Settings)
    subset = dataset or settings.training.dataset
    configs = context.find_root().params["config"]
    fleet, test = (load(subset, split, environment(), configs) for split in ("train", "test"))

    from training.evaluate import evaluate as run  # noqa: PLC0415

    report = run(fleet, test, settings, seeds or settings.evaluation.seeds)
    path = output or Path(f".local/evaluation/{subset}-official.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    Console(width=_WIDTH).print(_table(report))
    typer.echo(f"{report['source']}; mean ± sd of {report['seeds']} seeds")
    typer.echo(f"written to {path}")


def _table(report: dict[str, Any]) -> Table:
    title = f"{report['dataset']}, official test, failing = RUL < {report['label_rul']}"
    names = ("f1", "precision", "recall", "auc_roc", "auc_pr")
    columns = ("model", "F1", "95 %", "precision", "recall", "AUC-ROC", "AUC-PR")
    table = Table(*columns, title=title, box=SIMPLE)
    for model, summary in report["models"].items():
        cells = [f"{summary[name]['mean']:.3f}" if name in summary else "-" for name in names]
        cells[0] += f" ±{summary['f1']['sd']:.3f}"
        cells.insert(1, "-".join(f"{end:.2f}" for end in summary["f1_interval"]))
        table.add_row(f"{model} ({summary['supervision']})", *cells)
    return table

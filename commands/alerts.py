"""`plantwatch alerts`: what people are told of."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitoring import files
from monitoring.alerts import table
from plantwatch.settings import Settings


def alerts(
    context: typer.Context,
    *,
    write: Annotated[
        bool, typer.Option("--write", help="Write rules, cases and routes, instead of the table.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where to write them.")] = files.FOLDER,
) -> None:
    """Show the alerts; --write makes Prometheus' rules and Alertmanager's configuration of them.

    Thresholds, addresses and intervals are the section `alerts` of configs/serving_config.yaml, or
    ALERTS_... in the environment. For a plant of your own:

    \b
    ALERTS_PAGE_WEBHOOK=https://... plantwatch alerts --write --folder /etc/plantwatch
    promtool test rules /etc/plantwatch/cases.yml
    amtool check-config /etc/plantwatch/alertmanager.yml
    """
    settings = context.ensure_object(Settings)
    if write:
        files.write(settings, folder)
        typer.echo(f"wrote {', '.join(str(folder / name) for name in files.files(settings))}")
        return
    shown = Table("alert", "scope", "severity", "after", box=box.SIMPLE)
    shown.add_column("fires when", overflow="fold")  # cut off, it could not be asked of Prometheus
    for one in table(settings):
        shown.add_row(one.name, one.scope, one.severity, f"{one.wait_min} min", escape(one.expr))
    Console().print(shown)

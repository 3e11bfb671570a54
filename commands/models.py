"""`plantwatch models`: what the registry holds, and the production model brought here."""

from typing import TYPE_CHECKING

import structlog
import typer
from rich.console import Console
from rich.table import Table

from models import registry

if TYPE_CHECKING:
    from plantwatch.settings import Settings

app = typer.Typer(help="Show the registry's models; fetch the one in production.")


@app.command("list")
def show(context: typer.Context) -> None:
    """List every registered version, newest first."""
    settings: Settings = context.obj
    versions = registry.list_versions(settings)
    table = Table("model", "validation F1", "created", "digest", settings.model.alias)
    for one in versions:
        created = f"{one.created_at:%Y-%m-%d %H:%M:%S}"
        mark = "yes" if one.production else ""
        table.add_row(one.model_version, f"{one.f1:.3f}", created, one.digest[:12], mark)
    Console(width=100).print(table)
    if not versions:
        typer.echo("nothing is registered yet; run `make train`")


@app.command()
def fetch(context: typer.Context) -> None:
    """Bring the production model into .local/models, checked; scoring starts from there."""
    typer.echo(registry.fetch_production(context.obj))


@app.command()
def follow(context: typer.Context) -> None:
    """Keep .local/models in step with the registry until Ctrl-C: running workers swap at once."""
    log = structlog.get_logger()
    registry.follow_production(context.obj, lambda what: log.warning("registry", said=what))

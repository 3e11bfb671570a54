"""`plantwatch models`: what the registry holds, what is brought here, and who scores in shadow."""

from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from commands.tables import show, table
from models import fetch as fetching
from models import registry
from plantwatch.errors import ConfigError

if TYPE_CHECKING:
    from plantwatch.settings import Settings

app = typer.Typer(
    help="Show the registry's models, fetch them, and let one score in shadow.",
    no_args_is_help=True,
)


@app.command("list")
def show_all(context: typer.Context) -> None:
    """List every registered version, newest first, and which is production or challenger."""
    settings: Settings = context.obj
    versions = registry.list_versions(settings)
    shown = table("model", "validation F1", "created", "digest", "role", right=(1,))
    for one in versions:
        created = f"{one.created_at:%Y-%m-%d %H:%M}"
        roles = {settings.model.alias: one.production, settings.model.challenger: one.challenger}
        mark = ", ".join(role for role, its in roles.items() if its)
        shown.add_row(one.model_version, f"{one.f1:.3f}", created, one.digest[:12], mark)
    show(shown)
    if not versions:
        typer.echo("nothing is registered yet; run `make train`")


@app.command()
def fetch(context: typer.Context) -> None:
    """Bring the production model into .local/models, checked; scoring starts from there.

    Exit code 69: the registry is away. 78: it names no production model, or one that is damaged.
    """
    typer.echo(fetching.fetch_production(context.obj))


@app.command()
def follow(context: typer.Context) -> None:
    """Keep .local/models in step with the registry until Ctrl-C: running workers swap at once.

    When the registry is away, workers go on with what was fetched last; their metric
    plantwatch_registry_contact_timestamp_seconds says since when.
    """
    log = structlog.get_logger()
    fetching.follow(context.obj, lambda what: log.warning("registry", said=what))


@app.command()
def challenge(
    context: typer.Context,
    version: Annotated[
        int | None, typer.Argument(help="The number at the end of the model's name.")
    ] = None,
    *,
    none: Annotated[bool, typer.Option("--none", help="Let no version score in shadow.")] = False,
) -> None:
    """Let a version score in shadow: every window, into a table of its own, alarming nobody.

    `models compare` shows what it says beside production. Workers take it up within seconds.

    \b
    plantwatch models challenge 2
    plantwatch models challenge --none
    """
    if none == (version is not None):
        raise ConfigError("give a version (`plantwatch models list` shows them), or --none")
    registry.set_challenger(context.obj, version)
    typer.echo("no challenger" if version is None else f"version {version} scores in shadow")


@app.command()
def compare(context: typer.Context) -> None:
    """Compare challengers with production on the windows that both have judged and stored."""
    # Here, not above: the other commands need no PostgreSQL.
    from sinks.comparison import compare as comparisons

    found = comparisons(context.obj)
    columns = ("challenger", "production", "windows", "agree", "mean |diff|", "anomalies of each")
    shown = table(*columns, right=(2, 3, 4))
    for one in found:
        shown.add_row(
            f"{one.challenger} {one.challenger_digest[:6]}",
            one.production,
            f"{one.windows:,}",
            f"{one.agreement:.2%}",
            f"{one.difference:.4f}",
            f"{one.anomalies_challenger:,} / {one.anomalies_production:,}",
        )
    show(shown)
    if not found:
        typer.echo("no window was judged by both; let a version score with `models challenge`")

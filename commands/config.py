"""`plantwatch config`: the settings as the program sees them."""

from pathlib import Path

import typer
import yaml

from plantwatch.configuration import render_env_example
from plantwatch.settings import Settings

app = typer.Typer(help="Show the settings in force, or the variables that change them.")


@app.command()
def show(context: typer.Context) -> None:
    """Print every setting after files and environment; secrets are masked."""
    settings = context.ensure_object(Settings)
    typer.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), nl=False)


@app.command()
def openapi(context: typer.Context, output: Path = Path("docs/openapi.json")) -> None:
    """Write what the HTTP API says of itself (a test keeps it in step)."""
    from api.app import described  # noqa: PLC0415 - FastAPI takes a second

    output.write_text(described(context.ensure_object(Settings)), encoding="utf-8")


@app.command()
def env_example(output: Path = Path(".env.example")) -> None:
    """Write .env.example from the settings (a test keeps it in step)."""
    output.write_text(render_env_example(), encoding="utf-8")

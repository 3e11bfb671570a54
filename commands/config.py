"""`plantwatch config`: the settings as the program sees them."""

import secrets
from pathlib import Path
from typing import Annotated, Final

import typer
import yaml
from dotenv import dotenv_values, set_key

from connections.postgres import ROLES, variable
from plantwatch.configuration import COMPOSE_ONLY, render_env_example
from plantwatch.settings import Settings

Output = Annotated[Path, typer.Option(help="The file to write.")]
SECRETS: Final = (*(variable(role, "password") for role in ROLES), "API_KEY", *COMPOSE_ONLY)
"""What compose.yaml wants to find in .env."""

app = typer.Typer(
    help="Show the settings in force, or the variables that change them.", no_args_is_help=True
)


@app.command()
def show(context: typer.Context) -> None:
    """Print every setting after files, data set and environment; secrets are masked.

    \b
    plantwatch config show
    WORKER_CHUNK_SIZE=512 TRAINING_DATASET=FD002 plantwatch config show

    Exit code 78: a file or a variable does not fit; the line names it.
    """
    settings = context.ensure_object(Settings)
    typer.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), nl=False)


@app.command()
def openapi(context: typer.Context, output: Output = Path("docs/openapi.json")) -> None:
    """Write what the HTTP API says of itself (a test keeps it in step)."""
    from api.app import described  # FastAPI takes a second

    output.write_text(described(context.ensure_object(Settings)), encoding="utf-8")


@app.command()
def env_example(output: Output = Path(".env.example")) -> None:
    """Write .env.example from the settings (a test keeps it in step)."""
    output.write_text(render_env_example(), encoding="utf-8")


@app.command()
def passwords(output: Output = Path(".env")) -> None:
    """Write a new password for each that compose.yaml wants and .env does not have.

    What is there stays, so it can be repeated; `docker compose up` comes after it.
    """
    kept = dotenv_values(output)
    missing = [name for name in SECRETS if not kept.get(name)]
    output.touch()
    output.chmod(0o600)
    for name in missing:
        set_key(output, name, secrets.token_urlsafe(24), quote_mode="never")
    typer.echo(f"{output} has {len(SECRETS)} passwords, {len(missing)} of them new")

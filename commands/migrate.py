"""`plantwatch migrate`: bring the tables up to date."""

import typer

from plantwatch.settings import Settings
from sinks.migrate import upgrade


def migrate(context: typer.Context) -> None:
    """Create or change the tables in PostgreSQL; harmless when they are as they should be."""
    settings = context.ensure_object(Settings)
    upgrade(settings)
    postgres = settings.postgres
    print(f"The tables in {postgres.db} at {postgres.host}:{postgres.port} are up to date.")

"""`plantwatch migrate`: bring the tables up to date."""

import typer

from plantwatch.settings import Settings


def migrate(context: typer.Context) -> None:
    """Create or change the tables in PostgreSQL; harmless when they are as they should be.

    As the owner, POSTGRES_USER; it makes the other roles, too, and grants them what they need.
    """
    # Not at the top: alembic and SQLAlchemy take a second to import, which every command would pay.
    from sinks.migrate import upgrade

    settings = context.ensure_object(Settings)
    upgrade(settings)
    postgres = settings.postgres
    print(f"The tables in {postgres.db} at {postgres.host}:{postgres.port} are up to date.")

"""How alembic runs a migration here: on the connection that `sinks.migrate` hands over."""

import sqlalchemy as sa
from alembic import context

from sinks.locks import Lock


def run() -> None:
    """Run what is missing, alone: a second migration waits and then finds nothing to do."""
    connection: sa.Connection = context.config.attributes["connection"]
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": Lock.MIGRATIONS})
        context.run_migrations()


run()

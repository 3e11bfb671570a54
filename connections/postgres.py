"""The one way to PostgreSQL, and what its errors mean for the caller."""

from typing import Any

import psycopg

from connections.sqlstate import Action, action, in_one_line, label, remedy
from plantwatch.errors import ConfigError, PlantwatchError, StoreAwayError
from plantwatch.settings import Settings


def connect(settings: Settings, **parameters: Any) -> psycopg.Connection:
    """Open a connection; waits `sink.deadline_sec` at most.

    Raises:
        ConfigError: no password is set.
        psycopg.OperationalError: the server is away or says no; `explain` tells which.
    """
    postgres = settings.postgres
    if postgres.password is None:
        raise ConfigError(
            "no password for PostgreSQL: set POSTGRES_PASSWORD, in the environment or in .env"
        )
    return psycopg.connect(
        host=postgres.host,
        port=postgres.port,
        dbname=postgres.db,
        user=postgres.user,
        password=postgres.password.get_secret_value(),
        connect_timeout=int(settings.sink.deadline_sec),
        application_name="plantwatch",
        **parameters,
    )


def explain(error: psycopg.Error, settings: Settings) -> PlantwatchError:
    """Turn an error of PostgreSQL into what the caller must do, in one line."""
    postgres = settings.postgres
    server = f"PostgreSQL at {postgres.host}:{postgres.port}"
    said = f"{in_one_line(error)} (SQLSTATE {error.sqlstate or 'not told'})"
    if action(error) is Action.RETRY:
        return StoreAwayError(
            label(error), f"{server} is away: {said}; start it, or set POSTGRES_HOST and _PORT"
        )
    return ConfigError(
        f"{server} refuses user {postgres.user!r}, database {postgres.db!r}: {said}; "
        f"{remedy(error)} and start again, nothing is lost meanwhile"
    )

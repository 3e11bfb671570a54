"""The sinks' way to PostgreSQL: as the writer, each wait on it given up in time."""

from typing import Any, Final

import psycopg

from connections.database import Database
from plantwatch.settings import Settings

REFUSALS: Final = (psycopg.DataError, psycopg.IntegrityError)
"""What PostgreSQL says of a batch with a bad row in it."""


def writer(settings: Settings) -> Database:
    """PostgreSQL for a sink; connects on first use only."""
    return Database(settings, "writer", settings.sink.deadline_sec, **_limits(settings))


def _limits(settings: Settings) -> dict[str, Any]:
    """What the server and the kernel give up by themselves, all in milliseconds.

    `idle_in_transaction_session_timeout` is for us being stopped: the keys of a half-done batch
    must not stay locked until somebody continues this process.
    """
    sink = settings.sink
    session = {
        "statement_timeout": sink.deadline_sec,
        "lock_timeout": sink.lock_timeout_sec,
        "idle_in_transaction_session_timeout": sink.idle_timeout_sec,
    }
    return {
        "options": " ".join(f"-c {name}={round(1000 * sec)}" for name, sec in session.items()),
        "tcp_user_timeout": round(1000 * sink.deadline_sec),
    }

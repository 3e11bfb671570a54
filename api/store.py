"""Questions to PostgreSQL, as the reader, over one connection that is made anew after a failure."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

import psycopg

from connections.database import Database
from plantwatch.errors import StoreAwayError
from plantwatch.settings import Settings

T = TypeVar("T")

_NEVER_PREPARE: Final = None
"""A prepared statement is planned for any filter, and then reads a whole table for one machine."""


class Store:
    """One question at a time; who asks waits `api.deadline_sec` at most for each of two: his turn
    and his answer.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect on first use only."""
        self._patience = settings.api.deadline_sec
        self._lock = threading.Lock()
        self._database = Database(
            settings,
            "reader",
            self._patience,
            autocommit=True,
            prepare_threshold=_NEVER_PREPARE,
        )

    def ask(self, query: Callable[[psycopg.Connection], T]) -> T:
        """The answer to `query`.

        Raises:
            StoreAwayError: PostgreSQL is away, or too slow; the same may be asked again.
            ConfigError: it refuses us.
        """
        if not self._lock.acquire(timeout=self._patience):
            raise StoreAwayError(
                "busy", f"PostgreSQL was busy for {self._patience:g} s; ask again later"
            )
        try:
            with self._database.connected() as connection:
                return query(connection)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._database.close()

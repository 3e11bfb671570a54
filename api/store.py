"""Questions to PostgreSQL, as the reader, over one connection that is made anew after a failure."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

import psycopg

from connections.deadline import deadline
from connections.postgres import connect, explain
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
        self._settings = settings
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None

    def ask(self, query: Callable[[psycopg.Connection], T]) -> T:
        """The answer to `query`.

        Raises:
            StoreAwayError: PostgreSQL is away, or too slow; the same may be asked again.
            ConfigError: it refuses us.
        """
        patience = self._settings.api.deadline_sec
        if not self._lock.acquire(timeout=patience):
            raise StoreAwayError("busy", f"PostgreSQL was busy for {patience:g} s; ask again later")
        try:
            return self._answer(query, patience)
        except psycopg.Error as error:
            self._drop()
            raise explain(error, self._settings, "reader") from None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _answer(self, query: Callable[[psycopg.Connection], T], patience: float) -> T:
        if self._connection is None:
            self._connection = connect(
                self._settings, "reader", autocommit=True, prepare_threshold=_NEVER_PREPARE
            )
        with deadline(self._connection, patience):
            return query(self._connection)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

"""When to delete what was kept for long enough: little by little, by one sink at a time."""

from collections.abc import Callable

import psycopg

from connections.database import Database
from plantwatch.settings import Sink as SinkSettings
from sinks.locks import Lock, alone

Delete = Callable[[psycopg.Connection, float], int]
"""Deletes a batch of what is too old now, in seconds since 1970; how many rows it was about."""


class Tending:
    """A table's turns at deletion, each `sink.tend_sec`, or at once while whole batches go."""

    def __init__(self, lock: Lock, settings: SinkSettings, clock: Callable[[], float]) -> None:
        """`lock` is of those who must not delete at the same time; `clock` tells seconds."""
        self._lock = lock
        self._settings = settings
        self._clock = clock
        self._due = clock()

    def tend(self, database: Database, delete: Delete) -> None:
        """Let a batch be deleted, if it is time to, unless another process is at it.

        Raises:
            StoreAwayError: nothing was deleted; it is done some other time.
            ConfigError: a person must mend a grant.
        """
        now = self._clock()
        if now < self._due:
            return
        self._due = now + self._settings.tend_sec
        with database.transaction() as connection:
            rows = self._delete_alone(connection, delete, now)
        if rows == self._settings.delete_rows:  # there are more
            self._due = now

    def _delete_alone(self, connection: psycopg.Connection, delete: Delete, now: float) -> int:
        # Not FOR UPDATE SKIP LOCKED, which takes the right to UPDATE: one sink at a time deletes.
        return delete(connection, now) if alone(connection, self._lock) else 0

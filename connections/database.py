"""PostgreSQL over one connection for as long as it lasts, and no wait on it without an end."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from connections.postgres import Role, connect, explain
from plantwatch.settings import Settings


class Database:
    """A connection in a role, made when it is needed, and anew after any failure.

    Not thread-safe.
    """

    def __init__(
        self, settings: Settings, role: Role, deadline_sec: float, **parameters: Any
    ) -> None:
        """Connect on first use only; `parameters` are more of `connections.postgres.connect`."""
        self.connection: psycopg.Connection | None = None
        self._settings = settings
        self._role: Role = role
        self._deadline_sec = deadline_sec
        self._parameters = parameters

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """The connection, for a block that is given up after `deadline_sec`.

        Raises:
            StoreAwayError: PostgreSQL is away, or too slow; the caller may do the same again.
            ConfigError: it refuses us; a person must change something first.
        """
        try:
            self.connection = self.connection or connect(
                self._settings, self._role, **self._parameters
            )
            with _deadline(self.connection, self._deadline_sec):
                yield self.connection
        except psycopg.Error as error:
            self.close()
            raise explain(error, self._settings, self._role) from error

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """As `connected`, with a transaction that is committed at the end of the block.

        Raises:
            StoreAwayError: nothing is known to be stored; the caller does the same again.
            ConfigError: a person must change something first.
        """
        with self.connected() as connection, connection.transaction():
            yield connection

    def close(self) -> None:
        """Let go of the connection; the next use makes another."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@contextmanager
def _deadline(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Shut the connection's socket down after `seconds`, which ends every wait on it.

    Neither libpq nor psycopg gives up a statement by itself, and a server that is stopped (SIGSTOP,
    a dead virtual machine) raises nothing; this way the waiting statement raises
    psycopg.OperationalError, and the connection is of no more use.
    """
    # The duplicate stays ours: shutdown works on the socket, whichever descriptor names it, and
    # cannot hit a descriptor that was closed and given to somebody else in between.
    with socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        timer = threading.Timer(seconds, duplicate.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

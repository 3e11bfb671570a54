"""A database that says nothing: neither libpq nor psycopg gives up a statement by itself."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator

import psycopg


@contextlib.contextmanager
def deadline(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Shut the connection's socket down after `seconds`, which ends every wait on it.

    A server that is stopped (SIGSTOP, a dead virtual machine) raises nothing; this way the waiting
    statement raises psycopg.OperationalError, and the connection is of no more use.
    """
    # The duplicate stays ours: shutdown works on the line, whichever descriptor names it, and
    # cannot hit a descriptor that was closed and given to somebody else in between.
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = threading.Timer(seconds, line.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

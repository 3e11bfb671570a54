"""A connection to PostgreSQL whose errors are told in words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from connections.postgres import Role, connect, explain
from plantwatch.settings import Settings


@contextmanager
def session(settings: Settings, role: Role) -> Iterator[psycopg.Connection]:
    """A connection for the length of the block, in autocommit mode; times come in UTC.

    Raises:
        UnavailableError: PostgreSQL is not there, or goes away within the block.
        ConfigError: it refuses us: password, database, grant or table is wrong.
    """
    try:
        with connect(settings, role, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise explain(error, settings, role) from error

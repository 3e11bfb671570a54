"""Tables in a fresh database, and no Kafka: people's side of incidents needs none."""

from collections.abc import Iterator

import psycopg
import pytest

from connections.postgres import session
from plantwatch.settings import Postgres, Settings
from tests.support import stored


@pytest.fixture
def settings(database: Postgres) -> Settings:
    return stored.with_tables(database)


@pytest.fixture
def owner(settings: Settings) -> Iterator[psycopg.Connection]:
    """Who may put anything into the tables."""
    with stored.owner(settings) as connection:
        yield connection


@pytest.fixture
def operator(settings: Settings) -> Iterator[psycopg.Connection]:
    with session(settings, "operator") as connection:
        yield connection

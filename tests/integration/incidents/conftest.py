"""Tables in a fresh database, and no Kafka: people's side of incidents needs none."""

from collections.abc import Iterator

import psycopg
import pytest

from incidents.session import session
from local_stack.free import free_addresses
from plantwatch.configuration import load
from plantwatch.settings import Postgres, Settings
from sinks.migrate import upgrade
from tests.support import stored
from tests.support.servers import CONFIGS


@pytest.fixture
def settings(database: Postgres) -> Settings:
    own = load(CONFIGS, free_addresses()).model_copy(update={"postgres": database})
    upgrade(own)
    return own


@pytest.fixture
def owner(settings: Settings) -> Iterator[psycopg.Connection]:
    """Who may put anything into the tables."""
    with stored.owner(settings) as connection:
        yield connection


@pytest.fixture
def operator(settings: Settings) -> Iterator[psycopg.Connection]:
    with session(settings, "operator") as connection:
        yield connection

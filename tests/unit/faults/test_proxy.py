"""The proxy that cuts a COMMIT, in front of a real PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest

from faults.proxy import Proxy
from plantwatch.settings import Postgres

pytestmark = pytest.mark.real


@pytest.fixture
def proxy(database: Postgres) -> Iterator[Proxy]:
    made = Proxy(database.port)
    yield made
    made.close()


def connected(database: Postgres, port: int) -> psycopg.Connection:
    assert database.password is not None
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        dbname=database.db,
        user=database.user,
        password=database.password.get_secret_value(),
    )


# Nobody notices the proxy, until it cuts a COMMIT: the client sees its connection break, and the
# server has committed all the same.
def test_a_cut_commit_is_committed(database: Postgres, proxy: Proxy) -> None:
    with connected(database, proxy.port) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    proxy.cut_next_commit()
    connection = connected(database, proxy.port)
    connection.execute("INSERT INTO kept VALUES ('once')")
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    connection.close()
    assert proxy.cut == 1
    with connected(database, proxy.port) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("once",)]

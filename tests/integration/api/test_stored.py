"""GET /events and /incidents on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from local_stack.free import free_ports
from plantwatch.configuration import with_changes
from plantwatch.settings import Postgres
from tests.support import stored
from tests.support.api import running, tiny_settings
from tests.support.servers import PostgresServer

pytestmark = pytest.mark.real

OTHER = "FD001-engine-002"


@pytest.fixture
def owner(database: Postgres) -> Iterator[psycopg.Connection]:
    with stored.owner(stored.with_tables(database)) as connection:
        yield connection


@pytest.fixture
def client(owner: psycopg.Connection, database: Postgres, tmp_path: Path) -> Iterator[httpx.Client]:
    """With two verdicts of one moment at each of ten, every third an anomaly."""
    for cycle in range(10):
        for sensor_id in (stored.MACHINE, OTHER):
            stored.verdict(owner, cycle, sensor_id, is_anomaly=cycle % 3 == 0)
    settings = tiny_settings(tmp_path).model_copy(update={"postgres": database})
    with running(settings) as found:
        yield found


def pages(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """All rows, page after page."""
    found, after = [], None
    while True:
        answer = client.get(path, params=params | ({"after": after} if after else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page[path.removeprefix("/")]
        after = page["next"]
        if after is None:
            return found


# All verdicts come, each once, the newest first, however long the pages: those of one moment, too.
@pytest.mark.parametrize("limit", [1, 3, 20, 1000])
def test_pages_lose_and_double_nothing(client: httpx.Client, limit: int) -> None:
    found = pages(client, "/events", limit=limit)
    assert len({one["id"] for one in found}) == len(found) == 20
    assert [one["cycle"] for one in found] == sorted((one["cycle"] for one in found), reverse=True)


# What is stored meanwhile moves no row to another page.
def test_a_new_verdict_between_two_pages(client: httpx.Client, owner: psycopg.Connection) -> None:
    first = client.get("/events", params={"limit": 5}).json()
    stored.verdict(owner, 99)
    second = client.get("/events", params={"limit": 50, "after": first["next"]}).json()
    seen = [one["id"] for one in first["events"] + second["events"]]
    assert len(set(seen)) == len(seen) == 20


# Conditions narrow it down: the machine, the time, anomalies only.
def test_verdicts_are_chosen(client: httpx.Client) -> None:
    assert len(pages(client, "/events", sensor_id=OTHER)) == 10
    assert {one["cycle"] for one in pages(client, "/events", is_anomaly="true")} == {0, 3, 6, 9}
    span = {"since": stored.at(3).isoformat(), "until": stored.at(5).isoformat()}
    assert {one["cycle"] for one in pages(client, "/events", **span)} == {3, 4}
    assert pages(client, "/events", sensor_id="nobody") == []


# A row tells all that is needed to compute it again.
def test_a_verdict_is_told_whole(client: httpx.Client) -> None:
    (one,) = pages(client, "/events", sensor_id=OTHER, since=stored.at(9).isoformat())
    assert one["detected_at"] == "2026-01-01T12:09:00Z"
    assert (one["model_digest"], one["source_partition"], one["last_offset"]) == ("d1", 0, 9)


# Incidents by their state, severity and machine, with the sensors behind them.
def test_incidents(client: httpx.Client, owner: psycopg.Connection) -> None:
    stored.incident(owner)
    stored.incident(owner, OTHER, severity="critical", opened_at=stored.at(101))
    done = {"closed_at": stored.at(120), "closed_why": "recovered"}
    stored.incident(owner, OTHER, opened_at=stored.at(50), **done)
    everything = pages(client, "/incidents", limit=1)
    assert [one["opened_at"] for one in everything] == [
        f"{stored.at(cycle):%Y-%m-%dT%H:%M:%SZ}" for cycle in (101, 100, 50)
    ]
    assert everything[1]["top_sensors"] == [{"sensor": 11, "contribution": 2.5}]
    assert len(pages(client, "/incidents", state="open")) == 2
    assert pages(client, "/incidents", state="acknowledged") == []
    assert [one["closed_why"] for one in pages(client, "/incidents", state="closed")] == [
        "recovered"
    ]
    assert len(pages(client, "/incidents", severity="critical", sensor_id=OTHER)) == 1


# What is asked for in vain, or not at all as it should be, is named.
@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "many"},
        {"after": "yesterday"},
        {"since": "yesterday"},
        {"sensor_id": "a\0"},
        {"sort": "score"},
    ],
)
@pytest.mark.parametrize("path", ["/events", "/incidents"])
def test_bad_conditions_are_named(client: httpx.Client, path: str, asked: dict[str, str]) -> None:
    answer = client.get(path, params=asked)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", *asked]


# PostgreSQL away: 503, one line, and when to ask again; windows are judged as ever.
def test_postgres_is_away(database: Postgres, tmp_path: Path) -> None:
    gone = database.model_copy(update={"port": free_ports(1)[0]})
    settings = tiny_settings(tmp_path).model_copy(update={"postgres": gone})
    with running(settings) as client:
        answer = client.get("/events")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert "is away" in answer.json()["detail"]
        assert "\n" not in answer.json()["detail"]
        assert client.get("/readyz").status_code == 200


# A database that broke the connection is asked again over another one.
def test_a_broken_connection_is_made_anew(
    client: httpx.Client, postgres: PostgresServer, database: Postgres
) -> None:
    assert client.get("/events").status_code == 200
    with postgres.admin() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND usename = %s",
            [database.db, database.reader_user],
        )
    assert client.get("/events").status_code == 503
    assert client.get("/events").status_code == 200


# It looks as the reader, who may change nothing.
def test_it_comes_as_the_reader(database: Postgres, tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path).model_copy(update={"postgres": database})
    nobody = with_changes(settings, "postgres", reader_password=None)
    with running(nobody) as client:
        answer = client.get("/incidents")
    assert answer.status_code == 503
    assert "POSTGRES_READER_PASSWORD" in answer.json()["detail"]

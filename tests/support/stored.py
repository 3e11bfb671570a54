"""The tables: rows put straight into them, as sinks would have left them, and read."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from connections.postgres import Role, connect
from local_stack.free import free_addresses
from plantwatch.configuration import load
from plantwatch.settings import Postgres, Settings
from sinks.migrate import upgrade
from tests.support.servers import CONFIGS

MACHINE: Final = "FD001-engine-001"
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The event time of cycle 0; cycles are a minute apart."""


def with_tables(database: Postgres) -> Settings:
    """Those of a PostgreSQL with tables, and of no Kafka: people's side of incidents needs none."""
    own = load(CONFIGS, free_addresses()).model_copy(update={"postgres": database})
    upgrade(own)
    return own


def at(cycle: int) -> datetime:
    return NOON + timedelta(minutes=cycle)


def owner(settings: Settings) -> psycopg.Connection:
    return connect(settings, "owner", autocommit=True)


def do(settings: Settings, statement: str, *values: object, role: Role = "owner") -> list[Any]:
    """Run a statement in a role and commit it; the rows that it returns."""
    with connect(settings, role) as connection:
        cursor = connection.execute(cast("Any", statement), values or None)
        return cursor.fetchall() if cursor.description else []


def verdict(
    connection: psycopg.Connection, cycle: int, sensor_id: str = MACHINE, **more: Any
) -> None:
    """A sound verdict."""
    usual = {
        "sensor_id": sensor_id,
        "cycle": cycle,
        "detected_at": at(cycle),
        "anomaly_score": 0.25,
        "is_anomaly": False,
        "confidence": 0.1,
        "model_version": "isolation_forest_v1",
        "model_digest": "d1",
        "source_partition": 0,
        "first_offset": cycle - 29,
        "last_offset": cycle,
    }
    insert(connection, "anomaly_events", usual | more)


def incident(connection: psycopg.Connection, sensor_id: str = MACHINE, **more: Any) -> int:
    """An open incident of cycles 100 to 110; its number."""
    usual = {
        "sensor_id": sensor_id,
        "severity": "warning",
        "opened_at": at(100),
        "opened_cycle": 100,
        "last_at": at(110),
        "last_cycle": 110,
        "anomalies": 9,
        "peak_score": 0.75,
        "peak_at": at(105),
        "peak_cycle": 105,
        "top_sensors": Jsonb([{"sensor": 11, "contribution": 2.5}]),
        "unseen_regime": False,
        "model_version": "isolation_forest_v1",
        "model_digest": "d1",
        "source_partition": 0,
        "first_offset": 71,
        "last_offset": 110,
    }
    return int(insert(connection, "incidents", usual | more, returning="id"))


def insert(
    connection: psycopg.Connection, table: str, row: dict[str, Any], returning: str = "*"
) -> Any:
    """Insert one row; the first column of what is returned of it."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
        sql.SQL("*") if returning == "*" else sql.Identifier(returning),
    )
    found = connection.execute(statement, list(row.values())).fetchone()
    assert found is not None
    return found[0]

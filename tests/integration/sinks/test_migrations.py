"""The way of the tables, up and down, with data in them."""

from typing import Any, cast

import pytest
from alembic import command

from connections.postgres import connect
from plantwatch.settings import Settings
from sinks.migrate import move, upgrade

pytestmark = pytest.mark.real

VERDICTS = """
INSERT INTO {} (sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence,
    model_version, model_digest, source_partition, first_offset, last_offset)
SELECT 'm', n, timestamptz '2026-01-01' + n * interval '1 h', 0.5, true, 0.5, 'v', 'd', 0, n, n
FROM generate_series(1, 1000) AS n
"""
INCIDENT = """
INSERT INTO incidents (sensor_id, severity, opened_at, opened_cycle, last_at, last_cycle, anomalies,
    peak_score, peak_at, peak_cycle, top_sensors, unseen_regime, model_version, model_digest,
    source_partition, first_offset, last_offset)
VALUES ('m', 'warning', now(), 1, now(), 1, 1, 0.5, now(), 1, '[]', false, 'v', 'd', 0, 0, 1)
"""
# What an older revision has, by table: its columns with their types.
SCHEMA = """
SELECT table_name, array_agg(column_name::text || ' ' || data_type ORDER BY column_name)
FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1 ORDER BY 1
"""
RIGHTS = """
SELECT relname, relacl::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1
"""
AROUND = """
SELECT (SELECT datacl::text FROM pg_database WHERE datname = current_database()),
    (SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'),
    (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
"""


def do(settings: Settings, statement: str) -> list[Any]:
    with connect(settings, "owner") as connection:
        cursor = connection.execute(cast("Any", statement))
        return cursor.fetchall() if cursor.description else []


# Verdicts of before keep what they said on the way up and down; whoever goes down and up again has
# what he would have had at once. Incidents and readings are lost on the way down, as it says.
def test_up_and_down_with_data(settings: Settings) -> None:
    move(settings, command.upgrade, "0002")
    before = do(settings, SCHEMA)
    for table in ("anomaly_events", "shadow_events"):
        do(settings, VERDICTS.format(table))
    upgrade(settings)
    after = [do(settings, asked) for asked in (SCHEMA, RIGHTS)]
    do(settings, INCIDENT)
    do(settings, "UPDATE incidents SET closed_at = now(), closed_why = 'by hand'")
    do(settings, "INSERT INTO readings VALUES ('m', 1, now(), '{1}', now(), 0, 0)")
    assert do(settings, "SELECT count(*) FROM outbox") == [(2,)]

    move(settings, command.downgrade, "0002")
    assert do(settings, SCHEMA) == before
    database, schema, functions = do(settings, AROUND)[0]
    postgres = settings.postgres
    for role in (postgres.writer_user, postgres.operator_user, postgres.reader_user):
        assert role not in f"{do(settings, RIGHTS)} {database} {schema}"
    assert functions == 0
    assert "=Tc/" in database
    assert ",=U/" in schema

    upgrade(settings)
    assert [do(settings, asked) for asked in (SCHEMA, RIGHTS)] == after
    for table in ("anomaly_events", "shadow_events"):
        assert do(settings, f"SELECT count(*), sum(last_offset) FROM {table}") == [  # noqa: S608
            (1000, 500_500)
        ]


# A verdict that was stored before there were incidents says of its evidence what is true: nothing.
def test_verdicts_of_before_have_no_evidence(settings: Settings) -> None:
    move(settings, command.upgrade, "0002")
    do(settings, VERDICTS.format("anomaly_events"))
    upgrade(settings)
    found = "SELECT DISTINCT top_sensors, regime, unseen_regime FROM anomaly_events"
    assert do(settings, found) == [([], None, False)]

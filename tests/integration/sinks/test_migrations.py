"""The way of the tables, up and down and into a backup, with data in them."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from psycopg import sql

from connections.postgres import login
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from sinks.migrate import move, upgrade
from tests.support.pages import commands
from tests.support.servers import PostgresServer, postgres_program
from tests.support.stored import do

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[3]

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
        assert do(settings, f"SELECT count(*), sum(last_offset) FROM {table}") == [(1000, 500_500)]


# Rows of a table, whatever its columns are at a revision: how many, and what all revisions know.
ROWS = {
    "anomaly_events": "count(*), sum(last_offset), sum(cycle), min(detected_at), max(detected_at)",
    "shadow_events": "count(*), sum(last_offset), sum(cycle), min(detected_at), max(detected_at)",
    "incidents": "count(*), sum(last_offset), min(note)",
    "machine_states": "count(*), min(recent)",
    "maintenance": "count(*), min(reason)",
    "outbox": "count(*), min(kind), max(kind)",
    "readings": "count(*), sum(source_offset), min(values)",
}
LOST: dict[str, set[str]] = {
    "0006": set(),
    "0005": set(),
    "0004": set(),
    "0003": {"readings"},
    "0002": {"incidents", "machine_states", "maintenance", "outbox"},
    "0001": {"shadow_events"},
}
"""What is lost on the way down to a revision, as each of them says of itself."""


def rows(settings: Settings) -> dict[str, Any]:
    """What is in each of the tables that there are, as far as it was filled."""
    there = {name for (name,) in do(settings, "SELECT tablename::text FROM pg_tables")}
    found = {
        name: do(settings, f"SELECT {what} FROM {name}")[0]
        for name, what in ROWS.items()
        if name in there
    }
    return {name: row for name, row in found.items() if row[0]}


def fill(settings: Settings) -> None:
    """Rows in every table of the newest revision."""
    upgrade(settings)
    for table in ("anomaly_events", "shadow_events"):
        do(settings, VERDICTS.format(table))
    do(settings, INCIDENT)
    do(settings, "UPDATE incidents SET note = 'a bird'")
    do(settings, "INSERT INTO machine_states VALUES ('m', '1')")
    do(
        settings,
        "INSERT INTO readings SELECT 'm', n, now(), '{1}', now(), 0, n FROM"
        " generate_series(1, 1000) n",
    )
    do(
        settings,
        "INSERT INTO maintenance (sensor_id, starts_at, ends_at, reason, created_by)"
        " VALUES ('m', now(), now() + interval '1 hour', 'oil', 'me')",
    )


# Step by step down from the newest revision, and up again in one: what a step does not say that it
# loses is there after it, row for row, and what is there at the bottom is there at the top.
def test_each_step_keeps_the_rows(settings: Settings) -> None:
    fill(settings)
    kept = rows(settings)
    assert kept.keys() == ROWS.keys()
    for revision, lost in LOST.items():
        move(settings, command.downgrade, revision)
        kept = {name: row for name, row in kept.items() if name not in lost}
        assert rows(settings) == kept, revision
    upgrade(settings)
    assert rows(settings) == kept
    assert kept["anomaly_events"][:2] == (1000, 500_500)


# The newest revision is the one that the test above starts from.
def test_no_revision_is_forgotten() -> None:
    names = {path.name[:4] for path in (ROOT / "sinks/migrations/versions").glob("0*.py")}
    assert names == {"0007", *LOST}


# A verdict that was stored before there were incidents says of its evidence what is true: nothing.
def test_verdicts_of_before_have_no_evidence(settings: Settings) -> None:
    move(settings, command.upgrade, "0002")
    do(settings, VERDICTS.format("anomaly_events"))
    upgrade(settings)
    found = "SELECT DISTINCT top_sensors, regime, unseen_regime FROM anomaly_events"
    assert do(settings, found) == [([], None, False)]


# An older version on newer tables changes nothing, and says so in a line.
def test_newer_tables_are_refused(settings: Settings) -> None:
    upgrade(settings)
    do(settings, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"newer version .*'9999'.* restore the backup"):
        upgrade(settings)
    assert do(settings, "SELECT version_num FROM alembic_version") == [("9999",)]


# What the operators' guide saves comes back in an empty database, by its commands as they stand:
# rows, rights, and the revision, from which there is nothing left to migrate.
def test_a_backup_is_restored(settings: Settings, postgres: PostgresServer, tmp_path: Path) -> None:
    fill(settings)
    (tmp_path / "backup").mkdir()
    restored = settings.postgres.model_copy(update={"db": f"{settings.postgres.db}_restored"})
    with postgres.admin() as admin:
        names = sql.Identifier(restored.db), sql.Identifier(restored.user)
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    empty = settings.model_copy(update={"postgres": restored})
    page = list(commands((ROOT / "docs/operators-guide.md").read_text(encoding="utf-8")))
    for database, programs in ((settings, {"pg_dump"}), (empty, {"pg_restore", "psql"})):
        for program, *arguments in (shlex.split(line) for line in page):
            if program in programs:
                run(database, program, arguments, tmp_path)
    assert rows(empty).keys() == ROWS.keys()
    assert rows(empty) == rows(settings)
    for asked in (SCHEMA, RIGHTS):
        assert do(empty, asked) == do(settings, asked)
    assert do(empty, AROUND) == do(settings, AROUND)
    revision = "SELECT version_num FROM alembic_version"
    assert do(empty, revision) == do(settings, revision)


def run(settings: Settings, program: str, arguments: list[str], folder: Path) -> None:
    """A program of PostgreSQL as the owner, on the database of these settings."""
    user, password = login(settings.postgres, "owner")
    assert password is not None
    subprocess.run(
        [
            postgres_program(program),
            *(one.replace("anomaly_db", settings.postgres.db) for one in arguments),
        ],
        cwd=folder,
        env=os.environ
        | {
            "PGHOST": settings.postgres.host,
            "PGPORT": str(settings.postgres.port),
            "PGUSER": user,
            "PGPASSWORD": password.get_secret_value(),
        },
        check=True,
    )

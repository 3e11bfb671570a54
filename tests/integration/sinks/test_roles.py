"""Each role of PostgreSQL can do its own work, and none of the others'."""

from typing import Any, cast

import psycopg
import pytest
from alembic import command
from psycopg import sql
from pydantic import SecretStr

from connections.postgres import ROLES, Role, connect
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from sinks.migrate import move, upgrade
from tests.support.servers import PostgresServer

pytestmark = pytest.mark.real

EVENT = """
INSERT INTO {} (sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence,
    model_version, model_digest, source_partition, first_offset, last_offset)
VALUES ('m', 2, now(), 0.5, true, 0.5, 'v', 'd', 0, 0, 1) ON CONFLICT DO NOTHING RETURNING cycle
"""
INCIDENT = """
INSERT INTO incidents (sensor_id, severity, opened_at, opened_cycle, last_at, last_cycle, anomalies,
    peak_score, peak_at, peak_cycle, top_sensors, unseen_regime, model_version, model_digest,
    source_partition, first_offset, last_offset)
VALUES ('{}', 'warning', now(), 1, now(), 1, 1, 0.5, now(), 1, '[]', false, 'v', 'd', 0, 0, 1)
RETURNING id
"""
READING = """
INSERT INTO readings VALUES ('{}', 1, now(), '{{1}}', now(), 0, 0) ON CONFLICT DO NOTHING
RETURNING cycle
"""
MAINTENANCE = """
INSERT INTO maintenance (sensor_id, starts_at, ends_at, reason, created_by)
VALUES ('m', now(), now() + interval '1 hour', 'oil', 'me') RETURNING id
"""
STATE = "INSERT INTO machine_states VALUES ('{}', '1')"

SINKS_DO: dict[str, tuple[str, ...]] = {
    "store a verdict": (EVENT.format("anomaly_events"), EVENT.format("shadow_events")),
    "open an incident": (INCIDENT.format("n"),),
    "move an incident": ("UPDATE incidents SET severity = 'critical', peak_score = 1",),
    "keep a state": (
        STATE.format("n"),
        "UPDATE machine_states SET recent = '11'",
        "DELETE FROM machine_states",
    ),
    "take from the outbox": ("DELETE FROM outbox",),
    "keep a reading": (READING.format("n"), "DELETE FROM readings"),
    "delete old verdicts": (
        "DELETE FROM anomaly_events WHERE created_at < now() - '1 day'::interval",
        "DELETE FROM shadow_events WHERE created_at < now() - '1 day'::interval",
    ),
}
PEOPLE_DO = {
    "acknowledge": ("UPDATE incidents SET acknowledged_at = now(), acknowledged_by = 'me'",),
    "close": ("UPDATE incidents SET closed_at = now(), closed_by = 'me', closed_why = 'by hand'",),
    "call it false": ("UPDATE incidents SET false_alarm = true, note = 'a bird'",),
}
PEOPLE_ALONE_DO = {
    "begin maintenance": (MAINTENANCE,),
    "end maintenance": ("UPDATE maintenance SET ends_at = now()",),
    "call off maintenance": ("DELETE FROM maintenance",),
}
ALL_LOOK_AT = ("anomaly_events", "shadow_events", "readings", "incidents", "maintenance")
NOBODY_DOES = {
    "change a verdict": ("UPDATE anomaly_events SET anomaly_score = 0",),
    "delete a young verdict": (
        "DELETE FROM anomaly_events WHERE created_at > now() - '1 h'::interval",
    ),
    "delete a young one of a challenger": (
        "DELETE FROM shadow_events WHERE created_at > now() - '1 h'::interval",
    ),
    "delete an incident": ("DELETE FROM incidents",),
    "change a reading": ("UPDATE readings SET published_at = now()",),
    "move maintenance": ("UPDATE maintenance SET sensor_id = 'other'",),
    "tell what is not so": ("INSERT INTO outbox VALUES (0, 0, '', '1')",),
    "empty a table": ("TRUNCATE incidents",),
    "make a table": ("CREATE TABLE mine (n int)",),
    "make one for a while": ("CREATE TEMPORARY TABLE mine (n int)",),
    "turn a trigger off": ("ALTER TABLE incidents DISABLE TRIGGER ALL",),
    "change the revision": ("UPDATE alembic_version SET version_num = '0001'",),
    "become the owner": ("SET ROLE anomaly_user",),
    "make a role": ("CREATE ROLE more",),
    "read passwords": ("SELECT rolpassword FROM pg_authid",),
    "read the server's files": ("SELECT pg_read_file('PG_VERSION')",),
}
READ = {f"look at {name}": (f"SELECT * FROM {name}",) for name in ALL_LOOK_AT}
DEEDS: dict[str, tuple[tuple[str, ...], set[Role]]] = {
    **{name: (deed, {"writer"}) for name, deed in SINKS_DO.items()},
    **{name: (deed, {"writer", "operator"}) for name, deed in PEOPLE_DO.items()},
    **{name: (deed, {"operator"}) for name, deed in PEOPLE_ALONE_DO.items()},
    **{name: (deed, {"writer", "operator", "reader"}) for name, deed in READ.items()},
    **{name: (deed, set()) for name, deed in NOBODY_DOES.items()},
    "look at states": (("SELECT * FROM machine_states",), {"writer", "reader"}),
    "look at the outbox": (("SELECT * FROM outbox",), {"writer", "reader"}),
    "look at the revision": (("SELECT * FROM alembic_version",), {"reader"}),
    "lock an incident": (("SELECT FROM incidents FOR UPDATE",), {"writer", "operator"}),
    "judge a verdict": (("UPDATE incidents SET severity = 'warning'",), {"writer"}),
}


@pytest.fixture
def stored(settings: Settings) -> Settings:
    """With the tables, and something in each of them."""
    upgrade(settings)
    for statement in (INCIDENT, STATE, READING):
        do(settings, "owner", statement.format("m"))
    for table in ("anomaly_events", "shadow_events"):
        do(settings, "owner", EVENT.format(table))
    do(settings, "owner", MAINTENANCE)
    return settings


def do(settings: Settings, role: Role, *statements: str) -> list[Any]:
    """What the last of them returns."""
    with connect(settings, role) as connection:
        for statement in statements:
            cursor = connection.execute(cast("Any", statement))
        return cursor.fetchall() if cursor.description else []


# Every deed is allowed to those whose work it is, and to nobody else.
def test_each_role_does_its_own_work_only(stored: Settings) -> None:
    found: dict[str, set[str]] = {name: set() for name in DEEDS}
    for name, (statements, _) in DEEDS.items():
        for role in ROLES[1:]:
            with connect(stored, role) as connection:
                try:
                    for statement in statements:
                        connection.execute(cast("Any", statement))
                except psycopg.errors.InsufficientPrivilege:
                    pass
                else:
                    found[name].add(role)
                connection.rollback()
    assert found == {name: allowed for name, (_, allowed) in DEEDS.items()}


# Whoever is no role of ours is not let in, and could do nothing there.
@pytest.mark.parametrize("privilege", ["CONNECT", "TEMPORARY"])
def test_strangers_are_not_let_in(
    stored: Settings, postgres: PostgresServer, privilege: str
) -> None:
    with postgres.admin() as admin, admin.transaction(force_rollback=True):
        admin.execute("CREATE ROLE stranger")
        asked = [stored.postgres.db, privilege]
        row = admin.execute("SELECT has_database_privilege('stranger', %s, %s)", asked)
        assert row.fetchone() == (False,)


# Who may execute a function that runs as the owner can hang it on a table of his own.
@pytest.mark.parametrize("role", ROLES[1:])
def test_nobody_may_execute_what_runs_as_the_owner(stored: Settings, role: Role) -> None:
    asked = "SELECT proname FROM pg_proc WHERE prosecdef AND has_function_privilege(oid, 'EXECUTE')"
    assert do(stored, role, asked) == []


# Our own functions run as the owner, so what they call must not be for others to choose.
def test_functions_that_run_as_the_owner_name_their_path(stored: Settings) -> None:
    found = dict(do(stored, "owner", "SELECT proname, proconfig FROM pg_proc WHERE prosecdef"))
    assert found.keys() == {"tell_incident", "restart_hysteresis"}
    assert {config[0] for config in found.values()} == {"search_path=pg_catalog, pg_temp"}


# Whoever moves an incident, it is told: the outbox is filled although nobody may write it.
@pytest.mark.parametrize("role", ["writer", "operator"])
def test_all_acts_are_told(stored: Settings, role: Role) -> None:
    do(stored, role, *PEOPLE_DO["acknowledge"], *PEOPLE_DO["close"])
    told = do(stored, "reader", "SELECT kind FROM outbox ORDER BY id")
    assert told == [("opened",), ("acknowledged",), ("closed",)]


# Closed by hand the machine begins anew: its hysteresis forgets what it has seen, no other's does.
def test_a_close_by_hand_restarts_the_hysteresis(stored: Settings) -> None:
    do(stored, "writer", STATE.format("other"))
    do(stored, "operator", *PEOPLE_DO["acknowledge"])
    assert do(stored, "reader", "SELECT sensor_id FROM machine_states ORDER BY 1") == [
        ("m",),
        ("other",),
    ]
    do(stored, "operator", *PEOPLE_DO["close"])
    assert do(stored, "reader", "SELECT sensor_id FROM machine_states") == [("other",)]


# What is closed already, or closes by itself, leaves the state to the sink.
def test_other_closes_leave_the_state(stored: Settings) -> None:
    closing = "UPDATE incidents SET closed_at = now(), closed_why = 'recovered'"
    do(stored, "writer", closing, *PEOPLE_DO["call it false"])
    assert do(stored, "reader", "SELECT sensor_id FROM machine_states") == [("m",)]


def changed(settings: Settings, **fields: object) -> Settings:
    return settings.model_copy(update={"postgres": settings.postgres.model_copy(update=fields)})


# A role that nobody has made: one line that says how, and no table is made either.
def test_a_missing_role_is_asked_for(settings: Settings) -> None:
    with pytest.raises(ConfigError) as refused:
        upgrade(changed(settings, writer_user='no "such" writer'))
    assert "\n" not in str(refused.value)
    assert 'CREATE ROLE "no ""such"" writer" LOGIN PASSWORD' in str(refused.value)
    assert "POSTGRES_WRITER_PASSWORD" in str(refused.value)
    assert do(settings, "owner", "SELECT to_regclass('anomaly_events')") == [(None,)]


# A role may have any name; what it was granted is taken back, or it could not be dropped.
def test_names_are_quoted(settings: Settings, postgres: PostgresServer) -> None:
    name = "odd \"reader\", 'x' :y %s {}"
    odd = changed(settings, reader_user=name, reader_password=SecretStr("p"))
    with postgres.admin() as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'p'").format(sql.Identifier(name)))
        upgrade(odd)
        assert do(odd, "reader", "SELECT * FROM incidents") == []
        move(odd, command.downgrade, "0004")
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


# No role comes in by another's password, and none is asked for but the one that is missing.
@pytest.mark.parametrize("role", ROLES)
def test_a_password_is_asked_for_by_its_variable(settings: Settings, role: Role) -> None:
    own = "password" if role == "owner" else f"{role}_password"
    with pytest.raises(ConfigError, match=f"set POSTGRES_{own.upper()},"):
        connect(changed(settings, **{own: None}), role)

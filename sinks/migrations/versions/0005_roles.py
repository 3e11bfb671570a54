"""Who may do what: the writer, the operator and the reader, beside the owner of it all."""

from typing import Final, LiteralString

import psycopg
from alembic import op
from psycopg import sql

from connections.postgres import Role, variable
from plantwatch.errors import ConfigError

revision = "0005"
down_revision = "0004"

_ACTS: Final = (
    "acknowledged_at, acknowledged_by, closed_at, closed_by, closed_why, false_alarm, note"
)
_GRANTS: Final[tuple[tuple[Role, str, str], ...]] = (
    ("writer", "SELECT, INSERT", "anomaly_events, shadow_events"),
    ("writer", "SELECT, INSERT, DELETE", "readings"),
    ("writer", "SELECT, INSERT, UPDATE", "incidents"),
    ("writer", "SELECT, INSERT, UPDATE, DELETE", "machine_states"),
    ("writer", "SELECT", "maintenance"),
    ("writer", "SELECT, DELETE", "outbox"),
    ("writer", "USAGE", "SEQUENCE anomaly_events_id_seq, shadow_events_id_seq, incidents_id_seq"),
    ("operator", "SELECT", "anomaly_events, shadow_events, readings, incidents, maintenance"),
    ("operator", f"UPDATE ({_ACTS})", "incidents"),
    ("operator", "INSERT, UPDATE (ends_at), DELETE", "maintenance"),
    ("operator", "USAGE", "SEQUENCE maintenance_id_seq"),
    ("reader", "SELECT", "anomaly_events, shadow_events, readings, incidents, maintenance"),
    ("reader", "SELECT", "machine_states, outbox, alembic_version"),
)
"""Role, privileges, objects. INSERT ... ON CONFLICT and RETURNING need SELECT too."""

_RESTART: Final = """
CREATE FUNCTION restart_hysteresis() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.machine_states WHERE sensor_id = NEW.sensor_id;
    RETURN NULL;
END $$
"""
_FUNCTIONS: Final = "tell_incident(), restart_hysteresis()"


def upgrade() -> None:
    """Grant to each role its own work, and take from PUBLIC what nobody needs.

    Who may EXECUTE a SECURITY DEFINER function could hang it on a table of his own, and let it
    write for him: nobody but the owner may. Its `search_path` ends in `pg_temp`, which would be
    searched first if it were not named.

    Raises:
        ConfigError: a role is missing; a person must make it, as only a superuser may.
    """
    names, database = _names(), _database()
    op.execute(_RESTART)
    op.execute("""
        CREATE TRIGGER incidents_closed_by_hand AFTER UPDATE ON incidents
        FOR EACH ROW WHEN (OLD.closed_at IS NULL AND NEW.closed_why = 'by hand')
        EXECUTE FUNCTION restart_hysteresis()
    """)
    op.execute(f"REVOKE ALL ON FUNCTION {_FUNCTIONS} FROM PUBLIC")
    op.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    _execute("REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
    everyone = sql.SQL(", ").join(names.values())
    _execute("GRANT CONNECT ON DATABASE {} TO {}", database, everyone)
    _execute("GRANT USAGE ON SCHEMA public TO {}", everyone)
    for role, privileges, objects in _GRANTS:
        _execute(f"GRANT {privileges} ON {objects} TO {{}}", names[role])


def downgrade() -> None:
    """Take everything back; PUBLIC gets what PostgreSQL gives it in a new database."""
    names, database = _names(), _database()
    for role, privileges, objects in _GRANTS:
        _execute(f"REVOKE {privileges} ON {objects} FROM {{}}", names[role])
    everyone = sql.SQL(", ").join(names.values())
    _execute("REVOKE USAGE ON SCHEMA public FROM {}", everyone)
    _execute("REVOKE CONNECT ON DATABASE {} FROM {}", database, everyone)
    _execute("GRANT CONNECT, TEMPORARY ON DATABASE {} TO PUBLIC", database)
    op.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    op.execute("DROP TRIGGER incidents_closed_by_hand ON incidents")
    op.execute("DROP FUNCTION restart_hysteresis")
    op.execute("GRANT EXECUTE ON FUNCTION tell_incident() TO PUBLIC")


def _names() -> dict[Role, sql.Identifier]:
    """What the settings call the roles (`sinks.migrate` hands it over), all of which are there.

    Raises:
        ConfigError: one is not; says how to make it.
    """
    config = op.get_context().config
    assert config is not None
    names: dict[Role, str] = config.attributes["roles"]
    for role, name in names.items():
        if not _execute("SELECT FROM pg_roles WHERE rolname = {}", sql.Literal(name)).rowcount:
            make = f"CREATE ROLE {sql.Identifier(name).as_string()} LOGIN PASSWORD '...'"
            raise ConfigError(
                f"PostgreSQL has no user {name!r}, the {role}: let a superuser say {make} "
                f"(`plantwatch up` does it by itself), set {variable(role, 'password')} to that "
                "password, and run `plantwatch migrate` again"
            )
    return {role: sql.Identifier(name) for role, name in names.items()}


def _database() -> sql.Identifier:
    ((name,),) = _execute("SELECT current_database()").fetchall()
    return sql.Identifier(name)


def _execute(statement: LiteralString, *parts: sql.Composable) -> psycopg.Cursor:
    """Run a statement with names and values in it, quoted as psycopg does."""
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection.execute(sql.SQL(statement).format(*parts))

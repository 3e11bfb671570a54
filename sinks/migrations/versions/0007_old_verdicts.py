"""Old verdicts may be deleted, where they are not kept for ever."""

from typing import Final, LiteralString

import psycopg
from alembic import op
from psycopg import sql

revision = "0007"
down_revision = "0006"

_TABLES: Final[tuple[LiteralString, ...]] = ("anomaly_events", "shadow_events")


def upgrade() -> None:
    """Let the writer delete verdicts, but none of the last day, whatever it is told.

    Who steals the writer's password cannot hide what is going on. The owner may: it could turn the
    trigger off. A policy instead of a trigger would be asked at every INSERT, too.
    """
    op.execute("""
        CREATE FUNCTION keep_young_verdicts() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'verdicts of the last day are not deleted'
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    for table in _TABLES:
        op.execute(f"""
            CREATE TRIGGER {table}_young BEFORE DELETE ON {table}
            FOR EACH ROW WHEN (OLD.created_at > now() - interval '1 day')
            EXECUTE FUNCTION keep_young_verdicts()
        """)
        _to_writer(f"GRANT DELETE ON {table} TO {{}}")


def downgrade() -> None:
    """Take it back; what was deleted stays so."""
    for table in _TABLES:
        _to_writer(f"REVOKE DELETE ON {table} FROM {{}}")
        op.execute(f"DROP TRIGGER {table}_young ON {table}")
    op.execute("DROP FUNCTION keep_young_verdicts")


def _to_writer(statement: LiteralString) -> None:
    """Run a statement with the writer's name in it, quoted as psycopg does."""
    config = op.get_context().config
    assert config is not None
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    writer = sql.Identifier(config.attributes["roles"]["writer"])
    connection.execute(sql.SQL(statement).format(writer))

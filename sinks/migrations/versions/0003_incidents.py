"""Incidents, what they are made from, what is told of them, and maintenance."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of incidents, and what an incident needs in a verdict's row.

    All times but those of people's acts are event times. The trigger spells them in UTC: in the
    writer's zone the year 9999 may be the year 10000. `machine_states` has a row only for
    machines with something anomalous among their last verdicts: for all others it would say
    nothing. `outbox` is written by a trigger, so whoever moves an incident, and in whichever role,
    what is told of it commits with the move.
    """
    op.execute("""
        ALTER TABLE anomaly_events
            ADD COLUMN top_sensors jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN regime integer,
            ADD COLUMN unseen_regime boolean NOT NULL DEFAULT false
    """)
    op.execute("""
        CREATE TABLE incidents (
            id bigserial PRIMARY KEY,
            sensor_id varchar(64) NOT NULL,
            severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
            opened_at timestamptz NOT NULL,
            opened_cycle bigint NOT NULL,
            escalated_at timestamptz,
            last_at timestamptz NOT NULL,
            last_cycle bigint NOT NULL,
            anomalies integer NOT NULL,
            peak_score float8 NOT NULL,
            peak_at timestamptz NOT NULL,
            peak_cycle bigint NOT NULL,
            top_sensors jsonb NOT NULL,
            regime integer,
            unseen_regime boolean NOT NULL,
            model_version varchar(128) NOT NULL,
            model_digest text NOT NULL,
            source_partition integer NOT NULL,
            first_offset bigint NOT NULL,
            last_offset bigint NOT NULL,
            acknowledged_at timestamptz,
            acknowledged_by text,
            closed_at timestamptz,
            closed_by text,
            closed_why text CHECK (closed_why IN ('recovered', 'maintenance', 'by hand')),
            false_alarm boolean,
            note text,
            CONSTRAINT incidents_identity UNIQUE (sensor_id, opened_at, opened_cycle),
            CONSTRAINT incidents_acknowledged CHECK (
                (acknowledged_at IS NULL) = (acknowledged_by IS NULL)
            ),
            CONSTRAINT incidents_closed CHECK ((closed_at IS NULL) = (closed_why IS NULL))
        )
    """)
    op.execute(
        "CREATE UNIQUE INDEX incidents_open ON incidents (sensor_id) WHERE closed_at IS NULL"
    )
    op.execute("CREATE INDEX incidents_opened_at ON incidents (opened_at)")
    op.execute("""
        CREATE TABLE machine_states (
            sensor_id varchar(64) PRIMARY KEY,
            recent text NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE maintenance (
            id bigserial PRIMARY KEY,
            sensor_id varchar(64) NOT NULL,
            starts_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL,
            reason text NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT maintenance_forward CHECK (starts_at < ends_at)
        )
    """)
    op.execute("CREATE INDEX maintenance_sensor_id ON maintenance (sensor_id, ends_at)")
    op.execute("""
        CREATE TABLE outbox (
            id bigserial PRIMARY KEY,
            incident_id bigint NOT NULL,
            kind text NOT NULL,
            incident jsonb NOT NULL
        )
    """)
    op.execute("""
        CREATE FUNCTION tell_incident() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        SET timezone = 'UTC' AS $$
        DECLARE
            kind text;
        BEGIN
            FOREACH kind IN ARRAY array_remove(ARRAY[
                CASE WHEN TG_OP = 'INSERT' THEN 'opened' END,
                CASE WHEN NEW.severity = 'critical'
                      AND (TG_OP = 'INSERT' OR OLD.severity <> 'critical') THEN 'escalated' END,
                CASE WHEN NEW.acknowledged_at IS NOT NULL
                      AND (TG_OP = 'INSERT' OR OLD.acknowledged_at IS NULL)
                     THEN 'acknowledged' END,
                CASE WHEN NEW.closed_at IS NOT NULL
                      AND (TG_OP = 'INSERT' OR OLD.closed_at IS NULL) THEN 'closed' END
            ], NULL) LOOP
                INSERT INTO public.outbox (incident_id, kind, incident)
                VALUES (NEW.id, kind, to_jsonb(NEW));
            END LOOP;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER incidents_told AFTER INSERT OR UPDATE ON incidents
        FOR EACH ROW EXECUTE FUNCTION tell_incident()
    """)


def downgrade() -> None:
    """Drop incidents with what people said about them, and the columns of the verdicts."""
    op.execute("DROP TABLE outbox, maintenance, machine_states, incidents")
    op.execute("DROP FUNCTION tell_incident")
    op.execute("""
        ALTER TABLE anomaly_events
            DROP COLUMN top_sensors, DROP COLUMN regime, DROP COLUMN unseen_regime
    """)

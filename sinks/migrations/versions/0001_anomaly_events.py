"""The table of verdicts."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create `anomaly_events`: one row per identity (sensor_id, cycle, detected_at).

    `detected_at` is the event time of the window's last reading, never the wall clock. The id is
    a bigserial because an INSERT that finds its row known burns a value.
    """
    op.execute("""
        CREATE TABLE anomaly_events (
            id bigserial PRIMARY KEY,
            sensor_id varchar(64) NOT NULL,
            cycle bigint NOT NULL,
            detected_at timestamptz NOT NULL,
            anomaly_score float8 NOT NULL,
            is_anomaly boolean NOT NULL,
            confidence float8 NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            model_version varchar(128) NOT NULL,
            model_digest text NOT NULL,
            source_partition integer NOT NULL,
            first_offset bigint NOT NULL,
            last_offset bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT anomaly_events_identity UNIQUE (sensor_id, cycle, detected_at),
            CONSTRAINT anomaly_events_score_finite CHECK (
                anomaly_score > '-Infinity' AND anomaly_score < 'Infinity'
            )
        )
    """)
    # PostgreSQL sorts NaN above infinity, so the CHECK refuses it too.
    op.execute("CREATE INDEX anomaly_events_sensor_id ON anomaly_events (sensor_id)")
    op.execute("CREATE INDEX anomaly_events_detected_at ON anomaly_events (detected_at)")


def downgrade() -> None:
    """Drop the table with all verdicts; they can be replayed from `scores` while it keeps them."""
    op.execute("DROP TABLE anomaly_events")

"""The table of the challengers' verdicts."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create `shadow_events`: `anomaly_events`, but one row per identity and challenger."""
    op.execute("""
        CREATE TABLE shadow_events (
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
            CONSTRAINT shadow_events_identity UNIQUE (sensor_id, cycle, detected_at, model_digest),
            CONSTRAINT shadow_events_score_finite CHECK (
                anomaly_score > '-Infinity' AND anomaly_score < 'Infinity'
            )
        )
    """)


def downgrade() -> None:
    """Drop the table with all verdicts of challengers."""
    op.execute("DROP TABLE shadow_events")

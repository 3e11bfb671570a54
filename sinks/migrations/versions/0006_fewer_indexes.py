"""One index of the verdicts less."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Let the identity's index serve those, too, who want a machine, or its newest verdict.

    It is the same identity: in which order it names its columns makes no difference to ON CONFLICT.
    """
    op.execute("""
        ALTER TABLE anomaly_events
            DROP CONSTRAINT anomaly_events_identity,
            ADD CONSTRAINT anomaly_events_identity UNIQUE (sensor_id, detected_at, cycle)
    """)
    op.execute("DROP INDEX anomaly_events_sensor_id")


def downgrade() -> None:
    """Bring the index on machines back."""
    op.execute("CREATE INDEX anomaly_events_sensor_id ON anomaly_events (sensor_id)")
    op.execute("""
        ALTER TABLE anomaly_events
            DROP CONSTRAINT anomaly_events_identity,
            ADD CONSTRAINT anomaly_events_identity UNIQUE (sensor_id, cycle, detected_at)
    """)

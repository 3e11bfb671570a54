"""The newest verdict of a machine, by an index."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Let the index on machines go on by time; those who only want the machine use it as before."""
    op.execute("CREATE INDEX anomaly_events_newest ON anomaly_events (sensor_id, detected_at)")
    op.execute("DROP INDEX anomaly_events_sensor_id")


def downgrade() -> None:
    """Bring the shorter one back."""
    op.execute("CREATE INDEX anomaly_events_sensor_id ON anomaly_events (sensor_id)")
    op.execute("DROP INDEX anomaly_events_newest")

"""The readings themselves, for as long as they are kept."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create `readings`: the first copy of each identity, `values` as in the message.

    `values` are its settings, then its sensors. Retention goes by `published_at`, Kafka's time,
    which no machine's clock can turn. No BRIN index: once new rows fill the places of deleted ones
    each of its ranges spans all times, and to find 10,000 old rows takes reading the whole table.
    Deleted rows are cleared away sooner than usual, for the oldest end is where deletion looks.
    """
    op.execute("""
        CREATE TABLE readings (
            sensor_id varchar(64) NOT NULL,
            cycle bigint NOT NULL,
            event_time timestamptz NOT NULL,
            values real[] NOT NULL,
            published_at timestamptz NOT NULL,
            source_partition integer NOT NULL,
            source_offset bigint NOT NULL,
            CONSTRAINT readings_identity PRIMARY KEY (sensor_id, event_time, cycle)
        ) WITH (autovacuum_vacuum_scale_factor = 0.02)
    """)
    op.execute("CREATE INDEX readings_published_at ON readings (published_at)")


def downgrade() -> None:
    """Drop the table; `readings` in Kafka is where they come from."""
    op.execute("DROP TABLE readings")

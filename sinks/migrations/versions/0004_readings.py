"""The readings themselves, for as long as they are kept."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create `readings`: the first copy of each identity, `values` as in the message.

    `values` are its settings, then its sensors. Retention goes by `published_at`, Kafka's time,
    which no machine's clock can turn; rows come in its order, so a BRIN index will do.
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
        )
    """)
    op.execute("CREATE INDEX readings_published_at ON readings USING brin (published_at)")


def downgrade() -> None:
    """Drop the table; `readings` in Kafka is where they come from."""
    op.execute("DROP TABLE readings")

"""Verdicts as PostgreSQL has them, with where they come from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from psycopg.rows import class_row

from connections.postgres import session
from plantwatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `anomaly_events`; the offsets are the window's lowest and that of its last reading.

    `detected_at` is the event time of the last reading.
    """

    sensor_id: str
    cycle: int
    detected_at: datetime
    anomaly_score: float
    model_version: str
    model_digest: str
    source_partition: int
    first_offset: int
    last_offset: int


_COLUMNS: Final = """
SELECT sensor_id, cycle, detected_at, anomaly_score, model_version, model_digest,
       source_partition, first_offset, last_offset
FROM anomaly_events"""
_ROWS: Final = f"{_COLUMNS} WHERE sensor_id = %s AND cycle = %s ORDER BY detected_at"
_STRETCH: Final = f"""{_COLUMNS} WHERE sensor_id = %s AND source_partition = %s
    AND first_offset >= %s AND last_offset <= %s ORDER BY last_offset
"""


def rows(settings: Settings, sensor_id: str, cycle: int) -> list[Row]:
    """A machine's verdicts at a cycle, oldest first: one for each time that it was there.

    Raises:
        UnavailableError: PostgreSQL is not there now.
        ConfigError: it refuses us; a person must mend password, database or grant.
    """
    return _read(settings, _ROWS, sensor_id, cycle)


def stretch(settings: Settings, sensor_id: str, partition: int, offsets: range) -> list[Row]:
    """A machine's verdicts whose windows lie within these offsets, in their order; fails as `rows`.

    Args:
        settings: where the table is.
        sensor_id: the machine.
        partition: of `readings`.
        offsets: the window's lowest, up to the one after its last reading.
    """
    return _read(settings, _STRETCH, sensor_id, partition, offsets.start, offsets.stop - 1)


def _read(settings: Settings, query: LiteralString, *values: object) -> list[Row]:
    with session(settings, "reader") as connection:
        return connection.cursor(row_factory=class_row(Row)).execute(query, values).fetchall()

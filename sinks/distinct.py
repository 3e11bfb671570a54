"""The machines of a table, each once, without reading all of it."""

from typing import Final, LiteralString

# From one name to the next by the index: DISTINCT would read every row.
_NAMES: Final = """{name} AS (
    (SELECT sensor_id FROM {table} ORDER BY sensor_id LIMIT 1)
    UNION ALL
    SELECT (SELECT sensor_id FROM {table} WHERE sensor_id > {name}.sensor_id
            ORDER BY sensor_id LIMIT 1)
    FROM {name} WHERE {name}.sensor_id IS NOT NULL
)"""


def sensor_ids(table: LiteralString, name: LiteralString) -> LiteralString:
    """A part of a WITH RECURSIVE: `name` (sensor_id) is every machine of `table`, then NULL."""
    return _NAMES.format(table=table, name=name)

"""Verdicts that are old enough are deleted, little by little, but for those behind an incident.

Ids are given in the order of the inserts, near enough, so that the oldest rows are found by the
primary key: no index more, and none of the rows behind an incident is looked at twice, for each
process remembers how far it has come.
"""

from collections.abc import Callable
from typing import Final, LiteralString

import psycopg

from connections.database import Database
from plantwatch.instants import to_datetime
from plantwatch.settings import Sink as SinkSettings
from sinks.locks import Lock
from sinks.tending import Tending

# Of the next rows those before the first young one. A transaction that began earlier may commit
# later, with smaller ids: then it is young, and the rows behind it wait for it.
_OLD: Final = """
SELECT max(id) FILTER (WHERE old), count(*) FILTER (WHERE old) FROM (
    SELECT id, bool_and(created_at < %s) OVER (ORDER BY id) AS old FROM (
        SELECT id, created_at FROM {table} WHERE id > %s ORDER BY id LIMIT %s
    ) AS next
) AS judged
"""
_DELETE: Final = """
DELETE FROM {table} WHERE id > %s AND id <= %s AND NOT EXISTS (
    SELECT FROM incidents
    WHERE incidents.sensor_id = {table}.sensor_id
        AND incidents.source_partition = {table}.source_partition
        AND {table}.last_offset BETWEEN incidents.first_offset AND incidents.last_offset
)
"""


class Pruning:
    """Deletes from a table of verdicts what `sink.verdicts_days` have passed over; 0: nothing.

    An incident's verdicts are those from its first reading to its last, on its machine's partition.
    """

    def __init__(
        self, table: LiteralString, settings: SinkSettings, clock: Callable[[], float]
    ) -> None:
        """`clock` tells the seconds since 1970; `created_at` is of the server's own."""
        self._table = table
        self._settings = settings
        self._tending = Tending(Lock.VERDICTS, settings, clock)
        self._done = 0

    def tend(self, database: Database) -> None:
        """Delete a batch, if it is time to; raises what `Tending.tend` raises."""
        if self._settings.verdicts_days:
            self._tending.tend(database, self._prune)

    def _prune(self, connection: psycopg.Connection, now: float) -> int:
        """Delete what is old among the next rows; returns how many old ones there were."""
        oldest = to_datetime(round(1e6 * (now - 86_400 * self._settings.verdicts_days)))
        asked = oldest, self._done, self._settings.delete_rows
        ((last, looked),) = connection.execute(_OLD.format(table=self._table), asked).fetchall()
        if looked:
            connection.execute(_DELETE.format(table=self._table), (self._done, last))
            self._done = last
        return int(looked)

"""How many incidents are open and how many machines are silent, now and then, for the metrics."""

import time
from collections.abc import Callable
from itertools import product
from typing import Final

from connections.database import Database
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Settings
from sinks.distinct import sensor_ids

_OPEN: Final = """
SELECT severity, CASE WHEN acknowledged_at IS NULL THEN 'open' ELSE 'acknowledged' END, count(*)
FROM incidents WHERE closed_at IS NULL GROUP BY 1, 2
"""
# A machine is forgotten when its last reading is deleted, or one that was scrapped would be silent
# for ever.
_SILENT: Final = f"""
WITH RECURSIVE {sensor_ids("readings", "machines")}
SELECT count(*) FROM machines
CROSS JOIN LATERAL (
    SELECT event_time, published_at FROM readings WHERE readings.sensor_id = machines.sensor_id
    ORDER BY event_time DESC LIMIT 1
) AS newest
WHERE newest.published_at < to_timestamp(%s) AND NOT EXISTS (
    SELECT FROM maintenance WHERE maintenance.sensor_id = machines.sensor_id
        AND newest.event_time BETWEEN starts_at AND ends_at
)
"""  # noqa: S608 - the table is ours
_SEVERITIES: Final = ("warning", "critical")
_STATES: Final = ("open", "acknowledged")


class Census:
    """Counts every `outbox.look_sec` by `clock`, seconds since 1970."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        exporter: Exporter,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._every = settings.outbox.look_sec
        self._silent_after = settings.streamlit.silent_after_sec
        self._database = database
        self._clock = clock
        self._due = clock()
        self._open = exporter.gauge(metrics.OPEN_INCIDENTS)
        self._silent = exporter.gauge(metrics.SILENT_MACHINES)

    def take(self) -> None:
        """Count, if it is time to; tried and failed counts as done, for others wait meanwhile.

        Raises:
            StoreAwayError: the figures stay as they were.
            ConfigError: a person must mend password, grant or table.
        """
        if self._clock() < self._due:
            return
        try:
            self._count(self._clock() - self._silent_after)
        finally:
            self._due = self._clock() + self._every

    def _count(self, heard_before: float) -> None:
        with self._database.transaction() as connection:
            rows = connection.execute(_OPEN).fetchall()
            ((silent,),) = connection.execute(_SILENT, [heard_before]).fetchall()
        counts = {(severity, state): count for severity, state, count in rows}
        for one in product(_SEVERITIES, _STATES):
            self._open.labels(*one).set(counts.get(one, 0))
        self._silent.set(silent)

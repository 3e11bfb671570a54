"""What challengers said, beside what production said of the same windows: from the two tables."""

from dataclasses import dataclass
from typing import Final

from psycopg.rows import class_row

from connections.postgres import session
from plantwatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Comparison:
    """One challenger and one production model on the windows that both judged.

    `agreement` is the share of them with the same `is_anomaly`, in [0, 1]; `difference` the mean
    of |challenger's - production's `anomaly_score`|; the others count anomalies.
    """

    challenger: str
    challenger_digest: str
    production: str
    windows: int
    agreement: float
    difference: float
    anomalies_production: int
    anomalies_challenger: int


_COMPARE: Final = """
SELECT s.model_version AS challenger, s.model_digest AS challenger_digest,
    p.model_version AS production, count(*) AS windows,
    avg((s.is_anomaly = p.is_anomaly)::int)::float8 AS agreement,
    avg(abs(s.anomaly_score - p.anomaly_score)) AS difference,
    count(*) FILTER (WHERE p.is_anomaly) AS anomalies_production,
    count(*) FILTER (WHERE s.is_anomaly) AS anomalies_challenger
FROM shadow_events AS s JOIN anomaly_events AS p USING (sensor_id, cycle, detected_at)
GROUP BY s.model_version, s.model_digest, p.model_version, p.model_digest
ORDER BY max(s.id) DESC
"""


def compare(settings: Settings) -> list[Comparison]:
    """Every pair of challenger and production that judged a window in common, newest first.

    Raises:
        UnavailableError: PostgreSQL is not there now.
        ConfigError: password, database, grant or table is wrong; a person must mend it.
    """
    with session(settings, "reader") as connection:
        return connection.cursor(row_factory=class_row(Comparison)).execute(_COMPARE).fetchall()

"""What is drawn over all charts of a dashboard; its times are milliseconds since 1970."""

from typing import Final

from grafana.queries.machine import OF_MACHINE
from grafana.spec import Annotation

_INCIDENT_REGIONS: Final = f"""
SELECT extract(epoch FROM opened_at) * 1000 AS time,
    extract(epoch FROM coalesce(closed_at, last_at)) * 1000 AS timeend,
    'incident ' || id || ', peak ' || round(peak_score::numeric, 2) AS text, severity AS tags
FROM incidents WHERE {OF_MACHINE} AND opened_at <= $__timeTo()
    AND coalesce(closed_at, last_at) >= $__timeFrom()
"""
_MAINTENANCE_REGIONS: Final = f"""
SELECT extract(epoch FROM starts_at) * 1000 AS time, extract(epoch FROM ends_at) * 1000 AS timeend,
    'maintenance: ' || reason AS text, created_by AS tags
FROM maintenance WHERE {OF_MACHINE} AND starts_at <= $__timeTo() AND ends_at >= $__timeFrom()
"""
_ALL_INCIDENTS: Final = """
SELECT extract(epoch FROM opened_at) * 1000 AS time,
    'incident ' || id || ' of ' || sensor_id AS text, severity AS tags
FROM incidents WHERE $__timeFilter(opened_at) ORDER BY opened_at DESC LIMIT 200
"""
_ALL_MAINTENANCE: Final = """
SELECT extract(epoch FROM starts_at) * 1000 AS time, extract(epoch FROM ends_at) * 1000 AS timeend,
    'maintenance of ' || sensor_id || ': ' || reason AS text, created_by AS tags
FROM maintenance WHERE starts_at <= $__timeTo() AND ends_at >= $__timeFrom()
ORDER BY starts_at DESC LIMIT 200
"""
_MODEL_SWAPS: Final = """
SELECT extract(epoch FROM min(detected_at)) * 1000 AS time,
    'first verdict of ' || model_version AS text, 'model' AS tags
FROM anomaly_events WHERE $__timeFilter(detected_at)
GROUP BY model_version, model_digest
"""

_SWAPS: Final = Annotation("Model swaps", "purple", _MODEL_SWAPS)

OF_THE_FLEET: Final = (
    Annotation("Incidents", "red", _ALL_INCIDENTS),
    Annotation("Maintenance", "blue", _ALL_MAINTENANCE),
    _SWAPS,
)
OF_A_MACHINE: Final = (
    Annotation("Incidents", "red", _INCIDENT_REGIONS),
    Annotation("Maintenance", "blue", _MAINTENANCE_REGIONS),
    _SWAPS,
)

"""What a machine's rows make of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.fleet import Condition, counts, fleet_of
from dashboard.queries import MachineRow

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOUND = MachineRow(
    sensor_id="m",
    cycle=40,
    heard_at=NOW,
    anomaly_score=0.1,
    model_version="v",
    model_digest="d",
    recent="000",
    maintained=False,
    incident_id=None,
    severity=None,
    acknowledged_by=None,
)
LONG_AGO: dict[str, Any] = {"heard_at": NOW - timedelta(seconds=301)}
OPEN: dict[str, Any] = {"incident_id": 7, "severity": "warning"}


# A machine is what it is most urgently: an alarm that went silent is an alarm still.
@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({}, Condition.HEALTHY),
        ({"recent": "010"}, Condition.WATCH),
        ({"anomaly_score": None}, Condition.WARMING_UP),
        (LONG_AGO, Condition.SILENT),
        (LONG_AGO | {"recent": "1"}, Condition.SILENT),
        ({"maintained": True, "recent": "1"}, Condition.MAINTENANCE),
        (OPEN, Condition.ALARM),
        (OPEN | LONG_AGO, Condition.ALARM),
        (OPEN | {"severity": "critical"}, Condition.CRITICAL),
    ],
)
def test_each_condition(changes: dict[str, Any], condition: Condition) -> None:
    [machine] = fleet_of([replace(SOUND, **changes)], NOW, 300)
    assert machine.condition is condition
    assert machine.silent == ("heard_at" in changes)


# Who needs somebody comes first: the worst condition, nobody at it yet, the highest score.
def test_the_worst_is_first() -> None:
    rows = [
        replace(SOUND, sensor_id="healthy"),
        replace(SOUND, sensor_id="attended", **OPEN, acknowledged_by="Ada", anomaly_score=0.99),
        replace(SOUND, sensor_id="low", **OPEN, anomaly_score=0.6),
        replace(SOUND, sensor_id="high", **OPEN, anomaly_score=0.9),
        replace(SOUND, sensor_id="critical", incident_id=1, severity="critical"),
    ]
    machines = fleet_of(rows, NOW, 300)
    names = [one.row.sensor_id for one in machines]
    assert names == ["critical", "high", "low", "attended", "healthy"]
    assert list(counts(machines).values()) == [1, 3, 0, 0, 0, 0, 1]

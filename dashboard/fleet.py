"""What a machine's rows make of it, and which machine needs somebody first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from dashboard.queries import MachineRow


class Condition(Enum):
    """How a machine is, worst first. The value is its word on the page."""

    CRITICAL = "critical"
    ALARM = "alarm"
    SILENT = "silent"
    WATCH = "watch"
    MAINTENANCE = "maintenance"
    WARMING_UP = "warming up"
    HEALTHY = "healthy"


MEANINGS = {
    Condition.CRITICAL: "an open incident that has escalated",
    Condition.ALARM: "an open incident",
    Condition.SILENT: "no reading for longer than it may take",
    Condition.WATCH: "anomalous of late, not yet often enough for an incident",
    Condition.MAINTENANCE: "somebody works on it: it raises nothing",
    Condition.WARMING_UP: "too few readings for a first verdict",
    Condition.HEALTHY: "its last verdicts are normal",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine, and how it is; `silent` can be true of one in alarm, too."""

    row: MachineRow
    condition: Condition
    silent: bool


def fleet_of(rows: Iterable[MachineRow], now: datetime, silent_after_sec: float) -> list[Machine]:
    """Machines, the one that needs somebody first first: by condition, then by score."""
    machines = [_machine(row, now, silent_after_sec) for row in rows]
    order = list(Condition)
    return sorted(
        machines,
        key=lambda one: (
            order.index(one.condition),
            one.row.acknowledged_by is not None,
            -(one.row.anomaly_score or 0.0),
            one.row.sensor_id,
        ),
    )


def counts(machines: Sequence[Machine]) -> dict[Condition, int]:
    """How many are in each condition, all conditions in their order."""
    found = Counter(one.condition for one in machines)
    return {condition: found[condition] for condition in Condition}


def _machine(row: MachineRow, now: datetime, silent_after_sec: float) -> Machine:
    silent = (now - row.heard_at).total_seconds() > silent_after_sec
    return Machine(row, _condition(row, silent=silent), silent)


def _condition(row: MachineRow, *, silent: bool) -> Condition:
    if row.incident_id is not None:
        return Condition.CRITICAL if row.severity == "critical" else Condition.ALARM
    if row.maintained:
        return Condition.MAINTENANCE
    if silent:
        return Condition.SILENT
    if row.anomaly_score is None:
        return Condition.WARMING_UP
    return Condition.WATCH if row.recent.strip("0") else Condition.HEALTHY

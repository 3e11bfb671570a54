"""From verdicts to incidents: several bad ones of the last few open one, a calm run closes it.

The rule for one machine, its verdicts taken in the order of their offsets:

- each verdict has a *level*: 0 normal, 1 anomalous, 2 anomalous and scored `critical` or more;
- with none open, `hits` of the last `of` levels at 1 or 2 open an incident (`plantwatch.alarms`);
- with so many of them at 2, it is critical, from its opening or from then on, and stays so;
- when the last `clean` levels are all 0, it is over: "recovered";
- a verdict is *muted* when its window and a time of maintenance overlap. It closes what is open
  ("maintenance"). It is not counted, and neither is any before it: work on a machine may have
  changed it.

Whatever closes an incident, the levels before it are forgotten. A machine that is calm, with
nothing open and no level but 0, is `CALM` and need not be remembered at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from plantwatch.alarms import met
from plantwatch.messages import ClosedWhy, Incident, IncidentRule, ScoreEvent

_NORMAL: Final = "0"
_CRITICAL: Final = "2"


@dataclass(frozen=True, slots=True)
class Machine:
    """All that the rule remembers: the newest levels, a character each, and the open incident."""

    recent: str = ""
    incident: Incident | None = None


CALM: Final = Machine()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When somebody works on a machine, in event time, as `plantwatch.instants` spells it."""

    starts_at: str
    ends_at: str

    def mutes(self, event: ScoreEvent) -> bool:
        """Whether the verdict's window overlaps; of older messages only its end is known."""
        first = event.window_start or event.event_time
        return first <= self.ends_at and event.event_time >= self.starts_at


@dataclass(frozen=True, slots=True)
class Followed:
    """A machine after some verdicts, and the incidents that they closed, the oldest first."""

    machine: Machine
    closed: tuple[Incident, ...]

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Those that were closed, and then the one that is open, if there is one."""
        still = self.machine.incident
        return (*self.closed, still) if still else self.closed


def follow(
    machine: Machine,
    events: Iterable[ScoreEvent],
    rule: IncidentRule,
    maintenance: Sequence[Maintenance] = (),
) -> Followed:
    """Take the next verdicts of one machine; cutting them in pieces anywhere changes nothing.

    Args:
        machine: what earlier verdicts left.
        events: in the order of their offsets, each for the first time.
        rule: for those that bring none of their own.
        maintenance: of this machine, in any order.
    """
    closed: list[Incident] = []
    for event in events:
        muted = any(one.mutes(event) for one in maintenance)
        machine, over = _step(machine, event, event.alarm or rule, muted=muted)
        closed += [over] if over else []
    return Followed(machine, tuple(closed))


def _step(
    machine: Machine, event: ScoreEvent, rule: IncidentRule, *, muted: bool
) -> tuple[Machine, Incident | None]:
    """The machine after a verdict, and the incident that it closes, if any."""
    incident = machine.incident
    if muted:
        return CALM, incident and _close(incident, event, "maintenance")
    recent = machine.recent + _level(event, rule)
    if incident is None:
        return _watch(recent[-rule.of :], event, rule), None
    recent = recent[-max(rule.of, rule.clean) :]
    if recent.endswith(_NORMAL * rule.clean):
        return CALM, _close(incident, event, "recovered")
    if event.is_anomaly:
        incident = _grow(incident, event, critical=_is_critical(recent, rule))
    return Machine(recent, incident), None


def _watch(recent: str, event: ScoreEvent, rule: IncidentRule) -> Machine:
    """A machine with nothing open; only an anomaly opens, whatever rule came before this one."""
    if event.is_anomaly and met((level != _NORMAL for level in recent), rule.hits):
        return Machine(recent, _open(event, recent, critical=_is_critical(recent, rule)))
    return CALM if recent.count(_NORMAL) == len(recent) else Machine(recent)


def _level(event: ScoreEvent, rule: IncidentRule) -> str:
    if not event.is_anomaly:
        return _NORMAL
    return _CRITICAL if event.anomaly_score >= rule.critical else "1"


def _is_critical(recent: str, rule: IncidentRule) -> bool:
    return met((level == _CRITICAL for level in recent[-rule.of :]), rule.hits)


def _open(event: ScoreEvent, recent: str, *, critical: bool) -> Incident:
    return Incident(
        sensor_id=event.sensor_id,
        severity="critical" if critical else "warning",
        opened_at=event.event_time,
        opened_cycle=event.cycle,
        escalated_at=event.event_time if critical else None,
        last_at=event.event_time,
        last_cycle=event.cycle,
        anomalies=len(recent) - recent.count(_NORMAL),
        **_peak(event),
        source_partition=event.partition,
        first_offset=event.first_offset,
        last_offset=event.offset,
    )


def _peak(event: ScoreEvent) -> dict[str, Any]:
    """What an incident has of its worst verdict."""
    return {
        "peak_score": event.anomaly_score,
        "peak_at": event.event_time,
        "peak_cycle": event.cycle,
        "top_sensors": event.top_sensors,
        "regime": event.regime,
        "unseen_regime": event.unseen_regime,
        "model_version": event.model_version,
        "model_digest": event.model_digest,
    }


def _grow(incident: Incident, event: ScoreEvent, *, critical: bool) -> Incident:
    """The incident with one more anomaly."""
    if event.anomaly_score > incident.peak_score:
        incident = replace(incident, **_peak(event))
    if critical and incident.severity != "critical":
        incident = replace(incident, severity="critical", escalated_at=event.event_time)
    return replace(
        incident,
        last_at=event.event_time,
        last_cycle=event.cycle,
        last_offset=event.offset,
        anomalies=incident.anomalies + 1,
    )


def _close(incident: Incident, event: ScoreEvent, why: ClosedWhy) -> Incident:
    return replace(incident, closed_at=event.event_time, closed_why=why)

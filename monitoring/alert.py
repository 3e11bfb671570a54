"""What an alert is, and the minutes in which its case must be silent, fire and be over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Final, Literal

from plantwatch.dashboards import Dashboard
from plantwatch.settings import Alerts

Scope = Literal["machine", "pipeline", "model"]

BROKEN: Final = 10
MENDED: Final = 30
"""In which minute of a case things go wrong, and are well again, unless it says otherwise."""
_LONG: Final = 200
"""Minutes of a case after the last change; longer than any range that a rule looks back on."""


class Severity(StrEnum):
    """Who is told: somebody at once, whatever the hour, or whoever looks at the tickets."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Case:
    """A fault and its end, for promtool: `series` have a value a minute, in its notation.

    `after` and `until` are the minutes that the expression takes to see the fault and its end, for
    it looks back over a range. `labels` and `value` are those of the alert.
    """

    series: Mapping[str, str]
    broken: int = BROKEN
    mended: int = MENDED
    after: int = 0
    until: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    value: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `expr` is PromQL, and `wait_min` minutes of it make the alert fire.

    `summary` and `description` are Prometheus' templates, of which only `{{ $value }}` and
    `{{ $labels.name }}` are used. `hidden_by` names alerts: while one of them fires nobody is told
    of this one, since it says nothing, or the same. `lingers` False: it ends with its cause, or
    it would hide what is known again.
    """

    name: str
    scope: Scope
    severity: Severity
    expr: str
    wait_min: int
    summary: str
    description: str
    dashboard: Dashboard
    case: Case
    hidden_by: tuple[str, ...] = ()
    lingers: bool = True

    def fires_at(self) -> int:
        """The first minute of its case in which it fires."""
        return self.case.broken + self.case.after + self.wait_min

    def recovers_at(self, config: Alerts) -> int:
        """The first minute of its case in which it fires no more."""
        lingering = ceil(config.keep_firing_sec / 60) if self.lingers else 0
        return self.case.mended + self.case.until + lingering

    def labels(self) -> dict[str, str]:
        """Those that routes go by."""
        return {"severity": self.severity.value, "scope": self.scope}

    def annotations(self, config: Alerts) -> dict[str, str]:
        """What a notification says, and where it leads."""
        return {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{config.runbook_url}#{self.name.lower()}",
            "dashboard_url": f"{config.grafana_url}{self.dashboard.path}",
        }


def gauge(good: float, bad: float, broken: int = BROKEN, mended: int = MENDED) -> str:
    """Values of a gauge that is bad from `broken` until before `mended`.

    >>> gauge(0, 7)
    '0x9 7x19 0x200'
    """
    return f"{good:g}x{broken - 1} {bad:g}x{mended - broken - 1} {good:g}x{_LONG}"


def fault(per_min: int, broken: int = BROKEN, mended: int = MENDED) -> str:
    """Values of a counter that counts from `broken` until before `mended`, and not otherwise.

    >>> fault(5)
    '0x9 5+5x19 100x200'
    """
    last = per_min * (mended - broken)
    return f"0x{broken - 1} {per_min}+{per_min}x{mended - broken - 1} {last}x{_LONG}"


def work(per_min: int, broken: int = BROKEN, mended: int = MENDED) -> str:
    """Values of a counter that stands still from `broken` until before `mended`.

    >>> work(10)
    '0+10x9 90x19 100+10x200'
    """
    last = per_min * (broken - 1)
    return (
        f"0+{per_min}x{broken - 1} {last}x{mended - broken - 1} {last + per_min}+{per_min}x{_LONG}"
    )

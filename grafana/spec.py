"""What a dashboard is made of, as data; `grafana.render` makes Grafana's JSON of it."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from plantwatch.dashboards import Dashboard

Kind = Literal["timeseries", "stat", "table", "state-timeline", "bargauge", "heatmap"]
Source = Literal["prometheus", "postgres"]
Steps = tuple[tuple[float | None, str], ...]
"""From which value on which color holds; the first is from None, the lowest."""

TO_MACHINE: Final = (
    f"{Dashboard.MACHINE.path}?${{__url_time_range}}&var-machine=${{__value.raw:percentencode}}"
    "&${prometheus:queryparam}&${postgres:queryparam}"
)
"""Where a machine's name leads: the same time range and data sources."""


@dataclass(frozen=True, slots=True)
class Prom:
    """PromQL, and how each of its series is called; `instant`: only as it is now."""

    expr: str
    legend: str
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL of PostgreSQL in which Grafana's macros and variables stand.

    As `time_series` its columns are `time`, then one per series, or `metric` and `value`.
    """

    text: str
    format: Literal["table", "time_series"] = "table"


Query = Prom | Sql


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `id` is for ever: links and alerts point to it.

    `steps` are its thresholds.
    `units` are those of columns that have another unit than the rest; `machine_column` is the one
    whose names lead to a machine's dashboard; `words` are what stands for a value, and its colour.
    """

    id: int
    title: str
    description: str
    kind: Kind
    unit: str
    queries: tuple[Query, ...]
    steps: Steps = ((None, "green"),)
    width: int = 8
    height: int = 7
    units: dict[str, str] = field(default_factory=dict)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    machine_column: str | None = None
    low: float | None = None
    high: float | None = None
    repeat: str | None = None
    threshold_line: bool = False


def green_below(limit: float, color: str) -> Steps:
    """Green, and `color` from the limit on."""
    return ((None, "green"), (limit, color))


def traffic_light(limits: tuple[float, float]) -> Steps:
    """Green, yellow from the first limit on, red from the second on."""
    return (*green_below(limits[0], "yellow"), (limits[1], "red"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of panels under a title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a person chooses at the top of a dashboard, or, hidden, a number of the settings.

    `query` is SQL or PromQL by `source`, a list of values for "custom", the value for "constant".
    """

    name: str
    label: str
    description: str
    source: Source | Literal["custom", "constant"]
    query: str
    multi: bool = False
    everything: str | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is drawn over all charts: rows of time, timeend (for a stretch), text and tags."""

    name: str
    color: str
    sql: str


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard."""

    uid: Dashboard
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-6h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for row in self.rows for panel in row.panels)


Json = dict[str, Any]

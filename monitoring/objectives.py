"""The pipeline's objectives: what is recorded of them, and the alerts on what is left of them.

An objective allows a share of what is counted in 30 days to be bad, and burns at 1 when just that
share is. How fast is too fast are the two rates that Google recommends, with their ranges: The Site
Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts". The short range ends the
alert soon after the burning does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitoring.alert import Alert, Case, Severity, gauge, work
from plantwatch import metrics
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings

_MONTH_HOURS: Final = 30 * 24
_BROKEN, _MENDED = 60, 90
_STORED: Final = metrics.STORED_LATENCY.name


class Record(NamedTuple):
    """A recording rule."""

    record: str
    expr: str


class Burn(NamedTuple):
    """A rate that an alert warns of: `part` of the month's allowance is gone in `hours`."""

    name: str
    severity: Severity
    part: float
    hours: int
    short_range: str
    wait_min: int
    words: str

    @property
    def factor(self) -> float:
        """How many times what the objective allows: 14.4 and 6."""
        return self.part * _MONTH_HOURS / self.hours

    @property
    def long_range(self) -> str:
        return f"{self.hours}h"


_BURNS: Final = (
    Burn(
        name="BurnsFast",
        severity=Severity.CRITICAL,
        part=1 / 50,
        hours=1,
        short_range="5m",
        wait_min=2,
        words="a fiftieth of the month's allowance an hour",
    ),
    Burn(
        name="BurnsSlowly",
        severity=Severity.WARNING,
        part=1 / 20,
        hours=6,
        short_range="30m",
        wait_min=15,
        words="a twentieth in six hours",
    ),
)


@dataclass(frozen=True, slots=True)
class Objective:
    """`bad` is PromQL of the bad share, `RANGE` for the range; `share` is what may be bad.

    `cases` are, for each of the burns, the minutes `after` and `until` of `monitoring.alert.Case`.
    """

    name: str
    record: str
    bad: str
    share: float
    promise: str
    series: dict[str, str]
    cases: tuple[tuple[int, int], tuple[int, int]]


def objectives(settings: Settings) -> tuple[Objective, ...]:
    """Both of them."""
    alerts = settings.alerts
    served, within = '{job="sink-postgres"}', f'{{job="sink-postgres",le="{alerts.latency_sec}"}}'
    jobs = 'up{job=~"worker|sink-postgres"}'
    return (
        Objective(
            name="Latency",
            record="plantwatch:slow_verdicts:ratio",
            bad=f"1 - sum(rate({_STORED}_bucket{within}[RANGE]))"
            f" / sum(rate({_STORED}_count{served}[RANGE]))",
            share=1 - alerts.latency_objective,
            promise=f"{alerts.latency_objective:.1%} of the verdicts are stored within "
            f"{alerts.latency_sec:g} s",
            series={
                f"{_STORED}_bucket{within}": work(600, _BROKEN, _MENDED),
                f"{_STORED}_count{served}": "0+600x290",
            },
            cases=((8, 4), (3, 28)),
        ),
        Objective(
            name="Uptime",
            record="plantwatch:unanswered_scrapes:ratio",
            bad=f"1 - avg(avg_over_time({jobs}[RANGE]))",
            share=1 - alerts.uptime_objective,
            promise=f"worker and sink are up {alerts.uptime_objective:.1%} of the time",
            series={
                'up{job="worker"}': gauge(1, 0, _BROKEN, _MENDED),
                'up{job="sink-postgres"}': "1x290",
            },
            cases=((1, 5), (0, 30)),
        ),
    )


def records(settings: Settings) -> Iterator[Record]:
    """What panels and alerts use more than once."""
    yield Record("plantwatch:lag_readings:sum", f"sum({metrics.LAG.name})")
    yield Record(
        "plantwatch:readings:rate5m", f"sum by (class) (rate({metrics.READINGS.name}_total[5m]))"
    )
    yield Record(
        "plantwatch:publish_to_stored_seconds:p99_5m",
        "histogram_quantile(0.99, sum by (le) "
        f'(rate({_STORED}_bucket{{job="sink-postgres"}}[5m])))',
    )
    ranges = [one.short_range for one in _BURNS] + [one.long_range for one in _BURNS]
    for objective in objectives(settings):
        for span in ranges:
            yield Record(f"{objective.record}_{span}", objective.bad.replace("RANGE", span))


def burning(settings: Settings) -> Iterator[Alert]:
    """Two alerts of each objective: one to act on now, one to act on today."""
    for objective in objectives(settings):
        for burn, (after, until) in zip(_BURNS, objective.cases, strict=True):
            case = Case(objective.series, _BROKEN, _MENDED, after, until)
            yield _alert(objective, burn, case)


def _alert(objective: Objective, burn: Burn, case: Case) -> Alert:
    limit = f"{burn.factor * objective.share:.6g}"
    ranges = (burn.long_range, burn.short_range)
    fastest = _BURNS[0]
    worse = () if burn is fastest else (f"{objective.name}{fastest.name}",)
    return Alert(
        name=f"{objective.name}{burn.name}",
        scope="pipeline",
        severity=burn.severity,
        expr=" and ".join(f"{objective.record}_{span} > {limit}" for span in ranges),
        wait_min=burn.wait_min,
        summary=f"The objective '{objective.promise}' burns at {burn.factor:g} times what it "
        "allows",
        description=f"For {burn.long_range}, and still: {burn.words}.",
        dashboard=Dashboard.PIPELINE,
        case=case,
        hidden_by=("PipelineDown", "NoProgress", *worse),
    )

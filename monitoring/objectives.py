"""The pipeline's objectives: what is recorded of them, and the alerts on what is left of them.

An objective allows a share of what is counted in 30 days to be bad. It burns at 1 when just that
share is; at 14.4 a fiftieth of the month's allowance is gone in an hour, at 6 a twentieth in six
(Google's SRE workbook, chapter 5). The short range ends the alert soon after the burning does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitoring.alert import Alert, Case, Severity, gauge, work
from plantwatch import metrics
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings

_RANGES: Final = ("5m", "30m", "1h", "6h")
_BROKEN, _MENDED = 60, 90
_STORED: Final = metrics.STORED_LATENCY.name


class Record(NamedTuple):
    """A recording rule."""

    record: str
    expr: str


@dataclass(frozen=True, slots=True)
class Objective:
    """`bad` is PromQL of the bad share, `RANGE` for the range; `share` is what may be bad.

    `fast` and `slow` are the `after` and `until` of the cases; see `monitoring.alert`.
    """

    name: str
    record: str
    bad: str
    share: float
    promise: str
    series: dict[str, str]
    fast: tuple[int, int]
    slow: tuple[int, int]


def objectives(settings: Settings) -> tuple[Objective, ...]:
    """Both of them."""
    knobs = settings.alerts
    served, within = '{job="sink-postgres"}', f'{{job="sink-postgres",le="{knobs.latency_sec}"}}'
    jobs = 'up{job=~"worker|sink-postgres"}'
    return (
        Objective(
            name="Latency",
            record="plantwatch:slow_verdicts:ratio",
            bad=f"1 - sum(rate({_STORED}_bucket{within}[RANGE]))"
            f" / sum(rate({_STORED}_count{served}[RANGE]))",
            share=1 - knobs.latency_objective,
            promise=f"{knobs.latency_objective:.1%} of the verdicts are stored within "
            f"{knobs.latency_sec:g} s",
            series={
                f"{_STORED}_bucket{within}": work(600, _BROKEN, _MENDED),
                f"{_STORED}_count{served}": "0+600x290",
            },
            fast=(8, 4),
            slow=(3, 28),
        ),
        Objective(
            name="Uptime",
            record="plantwatch:unanswered_scrapes:ratio",
            bad=f"1 - avg(avg_over_time({jobs}[RANGE]))",
            share=1 - knobs.uptime_objective,
            promise=f"worker and sink are up {knobs.uptime_objective:.1%} of the time",
            series={
                'up{job="worker"}': gauge(1, 0, _BROKEN, _MENDED),
                'up{job="sink-postgres"}': "1x290",
            },
            fast=(1, 5),
            slow=(0, 30),
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
    for one in objectives(settings):
        for span in _RANGES:
            yield Record(f"{one.record}_{span}", one.bad.replace("RANGE", span))


def burning(settings: Settings) -> Iterator[Alert]:
    """Two alerts of each objective: one to act on now, one to act on today."""
    for one in objectives(settings):
        yield _alert(one, Severity.CRITICAL, 14.4, ("1h", "5m"), 2)
        yield _alert(one, Severity.WARNING, 6, ("6h", "30m"), 15)


def _alert(
    one: Objective, severity: Severity, factor: float, ranges: tuple[str, str], wait_min: int
) -> Alert:
    fast = severity is Severity.CRITICAL
    after, until = one.fast if fast else one.slow
    limit = f"{factor * one.share:.6g}"
    return Alert(
        name=f"{one.name}Burns{'Fast' if fast else 'Slowly'}",
        scope="pipeline",
        severity=severity,
        expr=" and ".join(f"{one.record}_{span} > {limit}" for span in ranges),
        wait_min=wait_min,
        summary=f"The objective '{one.promise}' burns at {factor:g} times what it allows",
        description=f"For {ranges[0]}, and still: "
        + ("a fiftieth of the month's allowance an hour." if fast else "a twentieth in six hours."),
        dashboard=Dashboard.PIPELINE,
        case=Case(one.series, _BROKEN, _MENDED, after, until),
        hidden_by=("PipelineDown", "NoProgress") + (() if fast else (f"{one.name}BurnsFast",)),
    )

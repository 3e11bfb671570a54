"""Plant floor: which machines need somebody, over a line or all of them."""

from typing import Final

from grafana.queries import annotations
from grafana.queries import floor as q
from grafana.scores import score_steps
from grafana.spec import Board, Panel, Row, Variable, green_below, traffic_light
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings


def floor(settings: Settings) -> Board:
    return Board(
        uid=Dashboard.FLOOR,
        title="plantwatch: plant floor",
        description="Which machines are healthy, on watch, in alarm or silent, and since when.",
        rows=(Row("Now", _now(settings)), Row("Over time", _over_time(settings))),
        variables=(
            Variable(
                "line",
                "Line",
                "The machines of a line: what their names begin with, up to the first hyphen. A "
                "site is chosen by its data sources.",
                "postgres",
                q.LINES,
                multi=True,
                everything="",
            ),
            Variable(
                "silent_after_sec",
                "Silent after",
                "Seconds without a reading.",
                "constant",
                f"{settings.streamlit.silent_after_sec:g}",
            ),
        ),
        annotations=annotations.OF_THE_FLEET,
    )


def _now(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(
            1,
            "Machines by condition",
            "Alarm: an open incident. Maintenance: somebody works on it, it raises nothing. "
            f"Silent: no reading for {settings.streamlit.silent_after_sec:g} s. Warming up: no "
            "verdict yet. Watch: anomalous of late. Each machine counts once, for the first that "
            "is true of it.",
            "stat",
            "short",
            (q.CONDITIONS,),
            width=16,
            height=4,
        ),
        Panel(
            2,
            "Open incidents",
            "Incidents that nobody has closed and that have not recovered, by severity.",
            "stat",
            "short",
            (q.OPEN_COUNT,),
            green_below(1, "red"),
            height=4,
        ),
        Panel(
            3,
            "What needs somebody",
            "Open incidents, critical ones and those that nobody has acknowledged first. A "
            "machine's name leads to its dashboard. Age is counted from the reading that opened "
            "the incident.",
            "table",
            "short",
            (q.OPEN_INCIDENTS,),
            width=16,
            height=9,
            units={"age": "s", "peak": "percentunit"},
            machine_column="machine",
        ),
        Panel(
            4,
            "Highest scores now",
            "The newest verdict of each machine, the highest first; 50 % is its model's threshold, "
            f"{settings.anomaly.critical_score:.0%} is critical.",
            "table",
            "percentunit",
            (q.HIGHEST_SCORES,),
            score_steps(settings),
            height=9,
            machine_column="machine",
        ),
    )


_STATES: Final = {
    "0": ("normal", "green"),
    "1": ("anomalous", "yellow"),
    "2": ("alarm", "orange"),
    "3": ("critical", "red"),
}


def _over_time(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(
            5,
            "Machines over time",
            "The 20 machines with the highest scores in this time range: normal, anomalous, with "
            "an incident, with a critical one. Times are those of the readings.",
            "state-timeline",
            "short",
            (q.FLEET_STATES,),
            width=24,
            height=10,
            words=_STATES,
        ),
        Panel(
            6,
            "Nuisance alarms",
            "Of all incidents that people judged, the share that were false alarms. Closing one by "
            "hand calls it real, `plantwatch incident false-alarm` calls it false.",
            "stat",
            "percentunit",
            (q.NUISANCE,),
            traffic_light(settings.grafana.false_alarms),
            width=6,
            low=0,
            high=1,
        ),
        Panel(
            7,
            "Incidents per machine",
            "Incidents opened in this time range over machines that had verdicts in it: how often "
            "a machine calls.",
            "stat",
            "short",
            (q.INCIDENT_RATE,),
            traffic_light(settings.grafana.incidents_per_machine),
            width=6,
        ),
        Panel(
            8,
            "Moves of incidents",
            "Incidents opened, escalated, acknowledged and closed, as published on the topic of "
            "incidents. Closings that never come mean that nobody looks.",
            "timeseries",
            "short",
            (q.INCIDENT_MOVES,),
            width=6,
        ),
        Panel(
            9,
            "Anomalous share",
            "Share of anomalies among the last 1,000 verdicts of the fleet. A jump of all machines "
            "at once is the model or the plant, hardly every machine.",
            "timeseries",
            "percentunit",
            (q.ANOMALY_SHARE,),
            traffic_light(settings.grafana.anomalous),
            width=6,
            low=0,
            high=1,
        ),
        Panel(
            10,
            "Open incidents over time",
            "Incidents that are not over, by severity, and whether somebody has acknowledged them; "
            "at most one a machine.",
            "timeseries",
            "short",
            (q.INCIDENTS_OPEN,),
            green_below(1, "orange"),
            width=12,
        ),
        Panel(
            11,
            "Silent machines over time",
            "Machines whose readings stopped, but for those in maintenance.",
            "timeseries",
            "short",
            (q.SILENT,),
            green_below(1, "orange"),
            width=12,
        ),
    )

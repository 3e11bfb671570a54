"""Models and drift: who scores since when, how it is distributed, and whether the plant moved."""

from typing import Final

from grafana.queries import annotations
from grafana.queries import models as q
from grafana.spec import Board, Panel, Row, green_below
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings

_DAY: Final = 86_400


def models(settings: Settings) -> Board:
    return Board(
        uid=Dashboard.MODELS,
        title="plantwatch: models and drift",
        description="Versions over time, scores, drift of the sensors, what the challenger says.",
        rows=(
            Row("Versions", _versions(settings)),
            Row("Scores", _scores(settings)),
            Row("Drift", _drift(settings)),
        ),
        annotations=annotations.OF_THE_FLEET,
        since="now-24h",
    )


def _versions(settings: Settings) -> tuple[Panel, ...]:
    alerts = settings.alerts
    return (
        Panel(
            1,
            "Versions over time",
            "How many processes score with which version; two at once only while they swap.",
            "timeseries",
            "short",
            (q.MODEL, q.CHALLENGER),
            width=4,
            height=4,
        ),
        Panel(
            2,
            "Since training",
            f"Age of the model in use; after {alerts.stale_days} days there is more to learn from.",
            "stat",
            "s",
            (q.TRAINED,),
            green_below(alerts.stale_days * _DAY, "yellow"),
            width=4,
            height=4,
        ),
        Panel(
            15,
            "In service",
            "Since when the model of the newest verdict judges here.",
            "stat",
            "s",
            (q.IN_SERVICE,),
            width=4,
            height=4,
        ),
        Panel(
            3,
            "Registry",
            "Time since the model registry last answered. While it is away the models fetched last "
            "are in use.",
            "timeseries",
            "s",
            (q.REGISTRY_AGE,),
            green_below(alerts.registry_silent_sec, "red"),
            width=8,
            height=4,
        ),
        Panel(
            4,
            "Models refused",
            "Versions that were named and could not be used: damaged, swapped, or unfitting.",
            "stat",
            "short",
            (q.MODELS_REFUSED,),
            green_below(1, "red"),
            width=4,
            height=4,
        ),
        Panel(
            5,
            "Verdicts by version",
            "What each version judged in this time range, and how it leaned.",
            "table",
            "short",
            (q.VERSIONS,),
            width=24,
            units={
                "first verdict": "dateTimeAsIso",
                "last verdict": "dateTimeAsIso",
                "anomalous": "percentunit",
                "unseen regime": "percentunit",
            },
        ),
    )


def _scores(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(
            6,
            "Distribution of scores",
            "How many verdicts had which score. A healthy fleet lies low; a band that climbs on "
            "all machines is drift, or a model that does not fit.",
            "heatmap",
            "percentunit",
            (q.SCORE_DISTRIBUTION,),
            width=12,
        ),
        Panel(
            7,
            "Verdicts",
            "Verdicts in a second by outcome, and those that the worker found anomalous.",
            "timeseries",
            "reqps",
            (q.OUTCOMES, q.ANOMALIES),
            width=12,
        ),
        Panel(
            8,
            "Challenger disagrees",
            "Share of the same windows that the challenger calls anomalous and the production "
            "model does not, or the other way round. `plantwatch models compare` tells more.",
            "timeseries",
            "percentunit",
            (q.DISAGREEMENT,),
            green_below(settings.alerts.disagreement, "red"),
            width=12,
            low=0,
            high=1,
        ),
        Panel(
            9,
            "Windows in shadow",
            "Windows in a second handed to the challenger, by result, and those that it judged "
            "otherwise than production; 0 without a challenger.",
            "timeseries",
            "reqps",
            (q.SHADOW_WINDOWS, q.SHADOW_SHARE),
            width=12,
        ),
    )


def _drift(settings: Settings) -> tuple[Panel, ...]:
    drift = settings.drift
    return (
        Panel(
            10,
            "Drift of the sensors",
            "How far the fleet's last points lie from the training data, by sensor, in spreads of "
            f"what the other sensors do not explain. A shift up to {drift.tolerance:g} is none; "
            f"there is no fleet with fewer than {drift.machines} machines.",
            "timeseries",
            "none",
            (q.DRIFT_SHIFT,),
            green_below(drift.tolerance, "yellow"),
            width=12,
            height=9,
        ),
        Panel(
            11,
            "Sensors that drift",
            "1 while a sensor drifts from the training data. Several at once: the plant has "
            "changed; one: somebody looks at it. Then train anew.",
            "state-timeline",
            "none",
            (q.DRIFTING,),
            green_below(1, "red"),
            width=12,
            height=9,
            words={"0": ("as trained", "green"), "1": ("drifts", "red")},
        ),
        Panel(
            12,
            "Looked for drift in",
            "Readings in a second that drift was looked for in, by outcome; and how often a sensor "
            "began to drift.",
            "timeseries",
            "reqps",
            (q.DRIFT_READINGS, q.DRIFT_ALARMS),
        ),
        Panel(
            13,
            "Share of unseen regimes",
            "Share of verdicts on operating settings that the model was never trained on, by the "
            "time of the readings.",
            "timeseries",
            "percentunit",
            (q.UNSEEN,),
            green_below(settings.alerts.unseen_regimes, "red"),
            low=0,
            high=1,
        ),
        Panel(
            14,
            "Verdicts in unseen regimes",
            "Verdicts in a second on machines in a regime that training never saw: they mean "
            "little.",
            "timeseries",
            "reqps",
            (q.UNSEEN_RATE,),
        ),
    )

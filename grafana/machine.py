"""One machine: its scores, its incidents, its sensors, and why it was said to be failing."""

from grafana.queries import annotations
from grafana.queries import machine as q
from grafana.scores import THRESHOLD, score_steps
from grafana.spec import Board, Panel, Row, Variable, green_below
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings


def machine(settings: Settings) -> Board:
    return Board(
        uid=Dashboard.MACHINE,
        title="plantwatch: machine",
        description="One machine: score and threshold, incidents, reasons, sensors, regime, model.",
        rows=(
            Row("Score", _scores(settings)),
            Row("Why", _reasons()),
            Row("Sensors", _sensors()),
        ),
        variables=_variables(settings),
        annotations=annotations.OF_A_MACHINE,
    )


def _variables(settings: Settings) -> tuple[Variable, ...]:
    sensors = ",".join(str(n + 1) for n in range(settings.reading.sensors))
    chosen = "A chart for each: their numbers, from 1."
    return (
        Variable("machine", "Machine", "Whose readings.", "postgres", q.MACHINES),
        Variable("sensor", "Sensors", chosen, "custom", sensors, multi=True, everything=""),
        Variable(
            "settings",
            "Settings",
            "How many operating settings come before the sensors in a reading.",
            "constant",
            str(settings.reading.settings),
        ),
        Variable(
            "normal_score", "Normal", "Below it a machine is normal.", "constant", str(THRESHOLD)
        ),
    )


def _scores(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(
            1,
            "Score",
            "Each verdict of the production model, and of the challenger that scores in shadow. "
            "The threshold is 50 % for every model; regions are incidents and maintenance.",
            "timeseries",
            "percentunit",
            (q.SCORE, q.SHADOW_SCORE),
            score_steps(settings),
            width=18,
            height=9,
            low=0,
            high=1,
            threshold_line=True,
        ),
        Panel(
            2,
            "Newest verdict",
            "Score of the newest verdict, and the probability that it is right to call it "
            "anomalous.",
            "stat",
            "percentunit",
            (q.NEWEST,),
            score_steps(settings),
            width=6,
            height=9,
            low=0,
            high=1,
        ),
        Panel(
            3,
            "Silence",
            "Time since the newest reading came in, by the clock of Kafka.",
            "stat",
            "s",
            (q.HEARD,),
            green_below(settings.streamlit.silent_after_sec, "red"),
            width=6,
            height=7,
        ),
        Panel(
            4,
            "Incidents",
            "Its incidents, newest first: when, how bad, which sensor moved the peak most, how it "
            "ended, what people said. `plantwatch incident` acts on them by their number.",
            "table",
            "short",
            (q.MACHINE_INCIDENTS,),
            width=18,
            units={"opened": "dateTimeAsIso", "peak": "percentunit"},
        ),
    )


def _reasons() -> tuple[Panel, ...]:
    return (
        Panel(
            5,
            "What each sensor adds to the score",
            "The sensors that move each verdict most, and how much of its raw score they make, in "
            "the unit of the model.",
            "timeseries",
            "none",
            (q.REASONS,),
            width=12,
        ),
        Panel(
            6,
            "Operating regime",
            "The regime that the verdict's last reading was in, by the settings; -1 where the "
            "model had never seen such settings, and its scores say little.",
            "state-timeline",
            "none",
            (q.REGIME,),
            width=6,
            words={"-1": ("unseen", "red")},
        ),
        Panel(
            7,
            "Model",
            "Which version judged it when.",
            "state-timeline",
            "string",
            (q.MODEL_OF_MACHINE,),
            width=6,
        ),
    )


def _sensors() -> tuple[Panel, ...]:
    return (
        Panel(
            8,
            "Sensor $sensor",
            "Its readings, and between which values normal machines of the same line lie in the "
            "same operating regime: mean and three standard deviations of what scored below the "
            "threshold in this time range. Readings are kept for a day.",
            "timeseries",
            "none",
            (q.SENSOR, q.SENSOR_BAND),
            height=6,
            repeat="sensor",
        ),
    )

"""An evaluation in MLflow: a run for each contestant, in an experiment beside that of training."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from models.registry import client
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from mlflow.entities import Metric

_MOST = 1000
"""Runs that are compared; MLflow gives no more at once."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A run of the experiment: what was judged, how, and with what result."""

    when: datetime
    tags: dict[str, str]
    metrics: dict[str, float]


def experiment_name(settings: Settings) -> str:
    return f"{settings.mlflow.experiment_name}_evaluation"


def log(document: dict[str, Any], settings: Settings, now: datetime) -> int:
    """Log each row of the report with its events, calibration, budget and sweep; how many.

    The sweep's steps are contaminations in per mille of the validation windows.

    Raises:
        UnavailableError: the tracking server is away or goes away.
    """
    from mlflow.entities import RunTag  # noqa: PLC0415 - takes seconds

    milliseconds = int(now.timestamp() * 1000)
    name = experiment_name(settings)
    with client(settings) as mlflow:
        found = mlflow.get_experiment_by_name(name)
        experiment = found.experiment_id if found else mlflow.create_experiment(name)
        for row in document["rows"]:
            run = mlflow.create_run(experiment, run_name=row["model"]).info.run_id
            tags = [RunTag(key, value) for key, value in _tags(document, row).items()]
            mlflow.log_batch(run, _metrics(document, row, milliseconds), [], tags)
            mlflow.set_terminated(run)
    return len(document["rows"])


def logged(settings: Settings) -> list[Logged]:
    """What the experiment holds, newest first; nothing where nothing was ever logged.

    Raises:
        UnavailableError: the tracking server is away.
    """
    with client(settings) as mlflow:
        found = mlflow.get_experiment_by_name(experiment_name(settings))
        if found is None:
            return []
        runs = mlflow.search_runs([found.experiment_id], max_results=_MOST)
        return [
            Logged(
                datetime.fromtimestamp(one.info.start_time / 1000, UTC),
                dict(one.data.tags),
                dict(one.data.metrics),
            )
            for one in runs
        ]


def _tags(document: dict[str, Any], row: dict[str, Any]) -> dict[str, str]:
    return {
        "model": row["model"],
        "peer": str(row["peer"]).lower(),
        "supervision": row["supervision"],
        **{
            name: str(document[name])
            for name in ("dataset", "source", "protocol", "command", "data_hash", "seeds")
        },
    }


def _metrics(document: dict[str, Any], row: dict[str, Any], milliseconds: int) -> "list[Metric]":
    from mlflow.entities import Metric  # noqa: PLC0415 - takes seconds

    values = _numbers(row)
    for part in ("calibration", "budget"):
        values |= {f"{part}_{key}": v for key, v in _numbers(_of(document, part, row)[0]).items()}
    for event in _of(document, "events", row):
        rule = event["rule"].replace(" ", "_")
        values |= {f"events_{rule}_{key}": value for key, value in _numbers(event).items()}
    metrics = [Metric(key, value, milliseconds, 0) for key, value in values.items()]
    for point in _of(document, "sweeps", row)[0]["points"]:
        step = round(1000 * point["contamination"])
        metrics += [Metric(f"sweep_{k}", v, milliseconds, step) for k, v in point.items()]
    return metrics


def _of(document: dict[str, Any], part: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in document[part] if one["model"] == row["model"]]


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    return {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }

"""Features and scores of the fleet beside those of the training data, as one page of Evidently.

What is compared: each sensor in healthy spreads of its regime, what the others do not explain of it
(see `plantwatch.drift`), and the anomaly score. Sensors only of windows that the model judges
normal, in training as now: that a machine fails is no drift. Scores of all.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from connections.postgres import session
from data.fleet import Fleet
from models.card import Card
from plantwatch.drift import DriftReference, residuals, scaled
from plantwatch.errors import BadDataError
from plantwatch.scoring import Detector
from plantwatch.settings import Settings
from training.dataset import cut

SCORE: Final = "anomaly score"
_LEAST: Final = 100
"""Fewer normal verdicts than this are no distribution."""
# The newest by when they were stored: each machine has a clock of its own.
_NEWEST: Final = """
SELECT readings.values, verdicts.anomaly_score, verdicts.is_anomaly
FROM (SELECT * FROM anomaly_events WHERE model_digest = %s ORDER BY id DESC LIMIT %s) AS verdicts
JOIN readings ON readings.sensor_id = verdicts.sensor_id
    AND readings.event_time = verdicts.detected_at AND readings.cycle = verdicts.cycle
"""


@dataclass(frozen=True, eq=False)
class Judged:
    """Readings [n, settings + sensors] float32, and the verdicts on the windows that they end."""

    readings: NDArray[np.float32]
    score: NDArray[np.float64]
    is_anomaly: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """How far a column is from training, in standard deviations (Wasserstein's distance)."""

    name: str
    distance: float
    drifts: bool


def training_data(card: Card, fleet: Fleet, detector: Detector, rows: int) -> Judged:
    """The windows that a model was trained on, at most `rows` of them, and what it says of them.

    Args:
        card: the model's.
        fleet: its training fleet, read again.
        detector: the model.
        rows: how many windows to take, evenly over all engines and ages.

    Raises:
        BadDataError: `fleet` is not what the model was trained on.
    """
    if fleet.data_hash != card.trained_on.data_hash:
        raise BadDataError(
            f"the model was trained on {card.trained_on.dataset} from {card.trained_on.source}, "
            f"and what is here ({fleet.source}) is other data; set CMAPSS_DIR to those, "
            "or `make train`"
        )
    windows = cut(fleet, card.features.length)
    chosen = np.linspace(0, len(windows) - 1, min(rows, len(windows))).round().astype(np.int64)
    values = windows.values[chosen]  # noqa: PD011  no frame
    verdicts = detector.score(values)
    return Judged(values[:, -1], verdicts.anomaly_score, verdicts.is_anomaly)


def newest(settings: Settings, digest: str) -> Judged:
    """The newest verdicts of a model whose readings are still kept, `drift.report_rows` at most.

    Raises:
        BadDataError: there are too few of them to compare.
        StoreAwayError, ConfigError: PostgreSQL is away, or refuses.
    """
    with session(settings, "reader") as connection:
        found = connection.execute(_NEWEST, (digest, settings.drift.report_rows)).fetchall()
    normal = sum(not is_anomaly for _, _, is_anomaly in found)
    if normal < _LEAST:
        raise BadDataError(
            f"{normal} normal verdicts of the model in production have their readings stored, and "
            f"{_LEAST} are needed; let the pipeline run (`make up`, `make replay`), then try again"
        )
    readings, score, is_anomaly = zip(*found, strict=True)
    return Judged(np.array(readings, np.float32), np.array(score), np.array(is_anomaly))


def frame(reference: DriftReference, judged: Judged) -> pd.DataFrame:
    """The columns that are compared, one row per verdict; nothing where sensors do not count."""
    columns: dict[str, NDArray[Any]] = {SCORE: judged.score}
    tables = {
        "sensor {}": scaled(reference, judged.readings),
        "sensor {}, given the others": residuals(reference, judged.readings),
    }
    for name, values in tables.items():
        counting = np.where(judged.is_anomaly[:, None], np.nan, values)
        for sensor, column in zip(reference.features.sensors, counting.T, strict=True):
            columns[name.format(sensor)] = column
    return pd.DataFrame(columns)


def write(reference: pd.DataFrame, current: pd.DataFrame, path: Path, limit: float) -> list[Column]:
    """Write the page; how far each column is, the farthest first. Takes seconds."""
    os.environ.setdefault("DO_NOT_TRACK", "1")  # it would tell its makers that it was used
    # Here, not above: it takes seconds, and the command has things to say before.
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    definition = DataDefinition(numerical_columns=list(reference.columns))
    ours, theirs = (Dataset.from_pandas(one, definition) for one in (current, reference))
    # The share is so small that one column is enough: by default half of them must drift.
    share = 1 / len(reference.columns)
    preset = DataDriftPreset(num_method="wasserstein", num_threshold=limit, drift_share=share)
    run = Report([preset]).run(current_data=ours, reference_data=theirs)
    path.parent.mkdir(parents=True, exist_ok=True)
    run.save_html(str(path))
    return sorted(_columns(run.dict(), limit), key=lambda one: -one.distance)


def _columns(document: dict[str, Any], limit: float) -> list[Column]:
    found = [one for one in document["metrics"] if "column" in one["config"]]
    return [
        Column(one["config"]["column"], float(one["value"]), float(one["value"]) >= limit)
        for one in found
    ]

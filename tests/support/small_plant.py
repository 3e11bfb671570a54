"""A fleet as the sinks would have stored it: readings, verdicts, and an incident where it fails."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb

from data.fleet import Fleet
from models.onnx_detector import OnnxDetector
from plantwatch.alarms import first_alarm
from plantwatch.features import regimes
from plantwatch.scoring import Verdicts
from tests.support import stored
from training.dataset import cut

Row = dict[str, Any]


def fill(
    connection: psycopg.Connection, fleet: Fleet, detector: OnnxDetector, now: datetime
) -> list[str]:
    """Store a pass of the fleet that ends `now`, a cycle a minute; the machines with an incident.

    Each engine's last reading is of `now`; offsets are the numbers of the rows.
    """
    length = detector.card.features.length
    windows = cut(fleet, length).values
    found = detector.score(windows), regimes(detector.card.features, windows)[:, -1]
    failing, scored = [], 0
    for engine, rows in fleet.slices.items():
        copy(connection, "readings", _readings(fleet, rows, now))
        ends = range(rows.start + length - 1, rows.stop)
        made = [
            _verdict(fleet, row, now, detector) | _judged(*found, scored + number)
            for number, row in enumerate(ends)
        ]
        scored += len(made)
        copy(connection, "anomaly_events", made)
        begun = first_alarm((one["is_anomaly"] for one in made), hits=3, of=5)
        if begun is not None:
            _incident(connection, made[begun:])
            failing.append(fleet.sensor_id(engine))
    return failing


def copy(connection: psycopg.Connection, table: str, rows: Iterable[Row]) -> None:
    """Store rows by COPY, all with the same columns."""
    rows = list(rows)
    if not rows:
        return
    names = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as into:
        for row in rows:
            into.write_row(list(row.values()))


def _time(fleet: Fleet, row: int, now: datetime) -> datetime:
    of_engine = fleet.slices[int(fleet.engine[row])]
    return now.astimezone(UTC) - timedelta(minutes=of_engine.stop - 1 - row)


def _readings(fleet: Fleet, rows: slice, now: datetime) -> Iterator[Row]:
    for row in range(rows.start, rows.stop):
        yield {
            "sensor_id": fleet.sensor_id(int(fleet.engine[row])),
            "cycle": int(fleet.cycle[row]),
            "event_time": _time(fleet, row, now),
            "values": fleet.values[row].tolist(),
            "published_at": now,
            "source_partition": 0,
            "source_offset": row,
        }


def _verdict(fleet: Fleet, row: int, now: datetime, detector: OnnxDetector) -> Row:
    """All but what the model said."""
    return {
        "sensor_id": fleet.sensor_id(int(fleet.engine[row])),
        "cycle": int(fleet.cycle[row]),
        "detected_at": _time(fleet, row, now),
        "model_version": detector.version,
        "model_digest": detector.digest,
        "source_partition": 0,
        "first_offset": row - detector.card.features.length + 1,
        "last_offset": row,
    }


def _judged(verdicts: Verdicts, regime: NDArray[np.intp], number: int) -> Row:
    top = verdicts.top_sensors(number, 3)
    return {
        "anomaly_score": float(verdicts.anomaly_score[number]),
        "is_anomaly": bool(verdicts.is_anomaly[number]),
        "confidence": float(verdicts.confidence[number]),
        "top_sensors": Jsonb([{"sensor": sensor, "contribution": by} for sensor, by in top]),
        "regime": int(regime[number]),
    }


def _incident(connection: psycopg.Connection, made: list[Row]) -> None:
    first, last = made[0], made[-1]
    peak = max(made, key=lambda one: float(one["anomaly_score"]))
    shared = ("top_sensors", "regime", "model_version", "model_digest", "source_partition")
    stored.incident(
        connection,
        first["sensor_id"],
        severity="critical" if peak["anomaly_score"] > 0.9 else "warning",
        opened_at=first["detected_at"],
        opened_cycle=first["cycle"],
        last_at=last["detected_at"],
        last_cycle=last["cycle"],
        anomalies=sum(one["is_anomaly"] for one in made),
        peak_score=peak["anomaly_score"],
        peak_at=peak["detected_at"],
        peak_cycle=peak["cycle"],
        first_offset=first["first_offset"],
        last_offset=last["last_offset"],
        **{name: peak[name] for name in shared},
    )

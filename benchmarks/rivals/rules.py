"""What the rivals share: our decoding and score message, and a window for a store that takes bytes.

The topic of the benchmark is tidy, so that window is simply the last readings in a row: cheaper
than the production rule, to the rival's advantage. That both cut the same windows is checked after
each round, since equal scores need equal windows.
"""

from pathlib import Path
from struct import Struct
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.results import FOLDER
from plantwatch.configuration import environment, load
from plantwatch.decode import Reading, decode
from plantwatch.instants import to_iso
from plantwatch.messages import identity
from plantwatch.scoring import Detector, Verdicts
from plantwatch.settings import Settings

Window = NDArray[np.float32]

STATE: Final = FOLDER / "state"
"""What the frameworks keep on disk; emptied when a benchmark begins."""

_LAST_CYCLE: Final = Struct("<q")


class Output(NamedTuple):
    """A verdict as it goes on `scores`, and on `anomalies` too if it is one."""

    key: bytes
    value: bytes
    is_anomaly: bool


def settings() -> Settings:
    """The settings of this process, from configs/ and the environment."""
    return load(Path("configs"), environment())


def state_folder(of: Settings) -> Path:
    """An empty folder of this run's own, for what a framework keeps on disk."""
    folder = STATE / of.worker.group_id
    folder.mkdir(parents=True)
    return folder


def fetch_config(of: Settings) -> dict[str, str]:
    """How the worker has librdkafka read ahead, for those whose driver that is, too."""
    kafka = of.kafka
    return {
        "queued.max.messages.kbytes": str(kafka.prefetch_kb),
        "max.partition.fetch.bytes": str(kafka.fetch_kb << 10),
        "fetch.queue.backoff.ms": str(kafka.fetch_queue_backoff_ms),
    }


def reading_of(key: bytes | None, value: bytes | None, of: Settings) -> Reading:
    """Decode one message by the production rules.

    Raises:
        ValueError: it is no reading, which the benchmark's topic does not hold.
    """
    found = decode(key, value, of.reading)
    if not isinstance(found, Reading):
        raise ValueError(f"{found.reason}: {found.detail}")  # noqa: TRY004  of a value, not a type
    return found


def follow(state: bytes | None, reading: Reading, length: int) -> tuple[bytes, Window | None]:
    """A machine's state with one more reading; and its window, [1, length, width], once full.

    `state` is the last cycle and the readings before, as float32. A reading that is not of the next
    cycle begins anew.
    """
    row = np.array(reading.values, np.float32)
    rows = b""
    if state and _LAST_CYCLE.unpack_from(state)[0] == reading.cycle - 1:
        rows = state[_LAST_CYCLE.size :]
    rows = (rows + row.tobytes())[-length * row.nbytes :]
    kept = _LAST_CYCLE.pack(reading.cycle) + rows
    if len(rows) < length * row.nbytes:
        return kept, None
    return kept, np.frombuffer(rows, np.float32).reshape(1, length, len(row))


def output_of(reading: Reading, verdicts: Verdicts, row: int, detector: Detector) -> Output:
    """The score message; it lacks only what is said of offsets."""
    event_time = to_iso(reading.time)
    event: dict[str, Any] = {
        "id": identity(reading.sensor_id, reading.cycle, event_time),
        "sensor_id": reading.sensor_id,
        "cycle": reading.cycle,
        "event_time": event_time,
        "anomaly_score": float(verdicts.anomaly_score[row]),
        "is_anomaly": bool(verdicts.is_anomaly[row]),
        "confidence": float(verdicts.confidence[row]),
        "raw": float(verdicts.raw[row]),
        "model_version": detector.version,
        "model_digest": detector.digest,
        "top_sensors": verdicts.top_sensors(row, 3),
    }
    return Output(reading.sensor_id.encode(), orjson.dumps(event), event["is_anomaly"])

"""Messages and a detector for tests of the stream's rules, without a broker."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plantwatch.accounting import Ledger
from plantwatch.configuration import load
from plantwatch.instants import to_iso
from plantwatch.messages import SensorReading
from plantwatch.scoring import UnscorableError, Verdicts
from plantwatch.settings import Settings
from stream_processors.partition import Partition

CHOKING_VALUE = 13.0
"""A first sensor value that `SumDetector` has no answer for."""


@dataclass(frozen=True)
class Message:
    """What the rules need of a Kafka message."""

    at: int
    raw_key: bytes | None
    raw_value: bytes | None

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.raw_key

    def value(self) -> bytes | None:
        return self.raw_value

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000 + self.at


class SumDetector:
    """Scores a window by the sum of its first sensor: a wrong window has a wrong score."""

    version = "sum_v1"
    digest = "5" * 64

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        choking = np.flatnonzero(windows[:, -1, 3] == CHOKING_VALUE)
        if len(choking):
            raise UnscorableError(choking)
        raw = windows[:, :, 3].astype(np.float64).sum(axis=1)
        score = raw / (1 + abs(raw))
        return Verdicts(raw, score, score > 0.5, score)


def message(at: int, machine: int, cycle: int, value: float, time: int | None = None) -> Message:
    """A valid reading whose first sensor is `value`."""
    sensor_id = f"m{machine}"
    reading = SensorReading(
        sensor_id=sensor_id,
        cycle=cycle,
        event_time=to_iso((cycle if time is None else time) * 1_000_000),
        settings=[0.0, 0.0, 100.0],
        sensors=[value] + [1.0] * 20,
    )
    return Message(at, sensor_id.encode(), reading.to_bytes())


def small_window_settings() -> Settings:
    """The shipped settings with a window of 5, so that small logs say much."""
    return load(Path("configs"), {"WINDOW_LENGTH": "5", "WINDOW_HISTORY": "8"})


def empty_partition(settings: Settings, start: int = 0) -> Partition:
    return Partition(0, settings, Ledger(start, start), start)

"""One stored verdict again: the same readings from Kafka, the same model, the score compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from connections import span
from models import registry
from models.onnx_detector import OnnxDetector
from plantwatch.decode import Reading, decode
from plantwatch.errors import BadDataError
from plantwatch.messages import to_microseconds
from plantwatch.scoring import TOLERANCE, Detector, UnscorableError, Verdicts
from plantwatch.settings import Settings
from reproduce.stored import Row
from reproduce.window import Logged, window_of


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A row, the score computed again, and the window that it stands on, oldest reading first."""

    row: Row
    score: float
    window: Sequence[Logged]

    @property
    def difference(self) -> float:
        """Reproduced minus stored `anomaly_score`."""
        return self.score - self.row.anomaly_score

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= TOLERANCE


def reproduce(settings: Settings, row: Row) -> Reproduced:
    """Read the window's stretch of the log and score it with the model that the row names.

    Raises:
        BadDataError: the readings are gone, or others stand in their place; the message says which.
        ConfigError: the model is nowhere, or damaged.
        UnavailableError: the broker is away, or the registry, and the model is not here.
    """
    window = read_window(settings, row)
    verdict = score(detector_of(settings, row), window)
    return Reproduced(row, float(verdict.anomaly_score[0]), window)


def read_window(settings: Settings, row: Row) -> list[Logged]:
    """The readings that the row's verdict stands on, oldest first, from Kafka.

    Raises:
        BadDataError: the readings are gone, or others stand in their place; the message says which.
        UnavailableError: the broker is away.
    """
    window = window_of(_read(settings, row), settings.window)
    if window is None:
        raise BadDataError(
            f"{_place(settings, row)}: the window rule finds no window there; it was scored under "
            "other settings of `window`, set those"
        )
    return window


def _read(settings: Settings, row: Row) -> list[Logged]:
    """The machine's readings from the window's lowest offset to its last reading."""
    topic = settings.topics.readings
    held = span.held(settings, topic).get(row.source_partition, range(0))
    if held.start > row.first_offset:
        raise BadDataError(
            f"{_place(settings, row)}: retention has removed what the window begins with: the log "
            f"begins at {held.start}, the window at {row.first_offset}; nothing brings it back"
        )
    wanted = range(row.first_offset, row.last_offset + 1)
    found = [
        Logged(message.offset(), reading)
        for message in span.read(settings, topic, {row.source_partition: wanted})
        if message.key() == row.sensor_id.encode()
        and isinstance(reading := decode(message.key(), message.value(), settings.reading), Reading)
    ]
    if not found or not _is_of(found[-1], row):
        raise BadDataError(
            f"{_place(settings, row)}: another reading stands there, or none; the topic was made "
            "anew since, name the one of that time with TOPICS_READINGS"
        )
    return found


def _is_of(last: Logged, row: Row) -> bool:
    identity = last.offset, last.reading.cycle, last.reading.time
    return identity == (row.last_offset, row.cycle, to_microseconds(row.detected_at))


def detector_of(settings: Settings, row: Row) -> OnnxDetector:
    """The row's model, from the cache, or else from the registry.

    Raises:
        ConfigError: the model is nowhere, or damaged.
        UnavailableError: the registry is away, and the model is not here.
    """
    folder = settings.model.cache / row.model_digest
    if not folder.exists():
        registry.fetch(settings, row.model_digest)
    return OnnxDetector(folder, row.model_version, settings.anomaly)


def score(detector: Detector, window: Sequence[Logged]) -> Verdicts:
    """The verdict on one window.

    Raises:
        BadDataError: the model has no score for it.
    """
    values = np.array([[one.reading.values for one in window]], np.float32)
    try:
        return detector.score(values)
    except UnscorableError as error:
        raise BadDataError(f"{detector.version} has no score for the window: {error}") from None


def _place(settings: Settings, row: Row) -> str:
    return f"{settings.topics.readings}/{row.source_partition}/{row.last_offset}"

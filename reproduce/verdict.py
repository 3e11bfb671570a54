"""One stored verdict again: the same readings from Kafka, the same model, the score compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections import span
from models.fetch import fetch_digest
from models.onnx_detector import OnnxDetector
from plantwatch.decode import Reading, decode
from plantwatch.errors import BadDataError
from plantwatch.instants import to_microseconds
from plantwatch.scoring import TOLERANCE, Detector, UnscorableError, Verdicts
from plantwatch.settings import Settings
from reproduce.stored import Row
from reproduce.window import Logged, stack, window_of


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


def reproduce_run(settings: Settings, rows: Sequence[Row]) -> list[Reproduced]:
    """One machine's verdicts of one partition again, its stretch of the log read once.

    Each is scored by the model that it names, all of a model in one call. Fails as `reproduce`,
    for the first that cannot be.
    """
    wanted = range(min(row.first_offset for row in rows), max(row.last_offset for row in rows) + 1)
    read = _read(settings, rows[0], wanted)
    windows = {row: _window(settings, row, read) for row in rows}
    done: dict[Row, Reproduced] = {}
    for digest in dict.fromkeys(row.model_digest for row in rows):
        chosen = [row for row in rows if row.model_digest == digest]
        verdicts = score(detector_of(settings, chosen[0]), *(windows[row] for row in chosen))
        for row, found in zip(chosen, verdicts.anomaly_score.tolist(), strict=True):
            done[row] = Reproduced(row, found, windows[row])
    return [done[row] for row in rows]


def read_window(settings: Settings, row: Row) -> list[Logged]:
    """The readings that the row's verdict stands on, oldest first, from Kafka.

    Raises:
        BadDataError: the readings are gone, or others stand in their place; the message says which.
        UnavailableError: the broker is away.
    """
    wanted = range(row.first_offset, row.last_offset + 1)
    return _window(settings, row, _read(settings, row, wanted))


def _window(settings: Settings, row: Row, read: Sequence[Logged]) -> list[Logged]:
    """The row's window among its machine's readings in the order of offsets."""
    run = [one for one in read if row.first_offset <= one.offset <= row.last_offset]
    if not run or not _is_of(run[-1], row):
        raise BadDataError(
            f"{_place(settings, row)}: another reading stands there, or none; the topic was made "
            "anew since, name the one of that time with TOPICS_READINGS"
        )
    window = window_of(run, settings.window)
    if window is None:
        raise BadDataError(
            f"{_place(settings, row)}: the window rule finds no window there; it was scored under "
            "other settings of `window`, set those"
        )
    return window


def _read(settings: Settings, row: Row, wanted: range) -> list[Logged]:
    """The readings of the row's machine at offsets `wanted` of its partition."""
    topic = settings.topics.readings
    held = span.held(settings, topic).get(row.source_partition, range(0))
    if held.start > wanted.start:
        raise BadDataError(
            f"{_place(settings, row)}: retention has removed what the window begins with: the log "
            f"begins at {held.start}, the window at {wanted.start}; nothing brings it back"
        )
    return [
        Logged(message.offset(), reading)
        for message in span.read(settings, topic, {row.source_partition: wanted})
        if message.key() == row.sensor_id.encode()
        and isinstance(reading := decode(message.key(), message.value(), settings.reading), Reading)
    ]


def _is_of(last: Logged, row: Row) -> bool:
    identity = last.offset, last.reading.cycle, last.reading.time
    return identity == (row.last_offset, row.cycle, to_microseconds(row.detected_at))


def detector_of(settings: Settings, row: Row) -> OnnxDetector:
    """The row's model, from the cache, or else from the registry.

    Raises:
        ConfigError: the model is nowhere, or damaged.
        UnavailableError: the registry is away, and the model is not here.
    """
    folder = fetch_digest(settings, row.model_digest)
    return OnnxDetector(folder, row.model_version, settings.anomaly)


def score(detector: Detector, *windows: Sequence[Logged]) -> Verdicts:
    """The verdicts on one window or more.

    Raises:
        BadDataError: the model has no score for it.
    """
    try:
        return detector.score(stack(windows))
    except UnscorableError as error:
        raise BadDataError(f"{detector.version} has no score for a window: {error}") from None


def _place(settings: Settings, row: Row) -> str:
    return f"{settings.topics.readings}/{row.source_partition}/{row.last_offset}"

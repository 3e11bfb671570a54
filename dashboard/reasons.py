"""What each sensor adds to a machine's score, window by window, by the model of the verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from dashboard.queries import MachineHistory, StoredReading
from incidents.events import Event
from models.card import Card
from models.onnx_detector import OnnxDetector
from plantwatch.decode import Reading
from plantwatch.errors import ConfigError
from plantwatch.instants import to_microseconds
from plantwatch.scoring import Float64, by_size
from plantwatch.settings import Anomaly, Settings, Window
from reproduce.window import Logged, stack, window_of

_WINDOWS: Final = 60
"""How many of the newest verdicts are taken apart."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """`contributions` [n, sensors] to raw of the windows that end at `times`; high is anomalous."""

    sensors: tuple[int, ...]
    times: Sequence[datetime]
    cycles: Sequence[int]
    contributions: Float64

    @property
    def latest(self) -> list[tuple[int, float]]:
        """(sensor, contribution) of the newest window, largest by size first."""
        return by_size(self.sensors, self.contributions[-1])


@lru_cache(maxsize=4)
def detector(cache: Path, digest: str, version: str, rule: Anomaly) -> OnnxDetector:
    """A model from the local cache; a digest's files never change, so it is read once.

    Raises:
        ConfigError: it is not here, or damaged.
    """
    return OnnxDetector(cache / digest, version, rule)


def detector_of(settings: Settings, verdict: Event) -> OnnxDetector | None:
    """The model that made a verdict; None if it is not on this machine."""
    cache, anomaly = settings.model.cache, settings.anomaly
    try:
        return detector(cache, verdict.model_digest, verdict.model_version, anomaly)
    except ConfigError:
        return None


def threshold(card: Card | None, fallback: float) -> float:
    """The `anomaly_score` from which a window is anomalous."""
    return fallback if card is not None and card.threshold is None else 0.5


def reasons(model: OnnxDetector, history: MachineHistory, rule: Window) -> Reasons | None:
    """Take the newest verdicts of one model apart; None without readings to do it on.

    A window is found in the stored readings by the rule itself, as the stream found it.
    """
    pairs = [
        (verdict, window)
        for verdict in history.verdicts[-_WINDOWS:]
        if verdict.model_digest == model.digest
        and (window := _window(verdict, history.readings, rule)) is not None
    ]
    if not pairs:
        return None
    return Reasons(
        sensors=model.card.features.sensors,
        times=[verdict.detected_at for verdict, _ in pairs],
        cycles=[verdict.cycle for verdict, _ in pairs],
        contributions=model.contributions(stack([window for _, window in pairs])),
    )


def _window(verdict: Event, readings: Sequence[StoredReading], rule: Window) -> list[Logged] | None:
    """The readings that a verdict stands on; None where they are not kept any more."""
    run = sorted(
        (
            _logged(one)
            for one in readings
            if one.source_partition == verdict.source_partition
            and verdict.first_offset <= one.source_offset <= verdict.last_offset
        ),
        key=lambda one: one.offset,
    )
    if not run or run[0].offset != verdict.first_offset or run[-1].offset != verdict.last_offset:
        return None
    return window_of(run, rule)


def _logged(one: StoredReading) -> Logged:
    time = to_microseconds(one.event_time)
    return Logged(one.source_offset, Reading("", one.cycle, time, list(one.values)))

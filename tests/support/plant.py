"""A fleet's rows as messages, and the scores that they must get, found without the stream."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from data.fleet import Fleet
from plantwatch.instants import to_iso
from plantwatch.messages import SensorReading, identity, score_event_from_bytes
from plantwatch.scoring import Detector
from tests.support.topics import Found, Sent
from training.dataset import cut

ORIGIN: Final = 1_767_225_600_000_000
"""Event time of cycle 0 (2026-01-01), in microseconds."""


def rows(fleet: Fleet) -> list[int]:
    """All rows as a plant would send them: every engine's cycle 1, then every cycle 2, ..."""
    return [int(row) for row in np.lexsort((fleet.engine, fleet.cycle))]


def reading(fleet: Fleet, row: int, *, shift: float = 0.0) -> Sent:
    """One row as a message; with `shift` added to its last sensor it says something else."""
    sensors = fleet.sensors[row].tolist()
    sent = SensorReading(
        sensor_id=fleet.sensor_id(int(fleet.engine[row])),
        cycle=int(fleet.cycle[row]),
        event_time=_time(int(fleet.cycle[row])),
        settings=fleet.settings[row].tolist(),
        sensors=[*sensors[:-1], sensors[-1] + shift],
    )
    return Sent(sent.sensor_id.encode(), sent.to_bytes())


def offline(fleet: Fleet, length: int, detector: Detector) -> dict[str, float]:
    """The `anomaly_score` of every window of the fleet, by the id of its last reading."""
    scores = detector.score(cut(fleet, length).values).anomaly_score.tolist()
    ends = np.flatnonzero(fleet.cycle >= length)
    return {_id(fleet, int(row)): score for row, score in zip(ends, scores, strict=True)}


def first_of_each(scores: list[Found]) -> dict[str, float]:
    """The `anomaly_score` of the first message of each id: the one that counts."""
    first: dict[str, float] = {}
    for name, score in _events(scores):
        first.setdefault(name, score)
    return first


def _events(scores: list[Found]) -> Iterator[tuple[str, float]]:
    for one in scores:
        event = score_event_from_bytes(one.value)
        yield event.id, event.anomaly_score


def _id(fleet: Fleet, row: int) -> str:
    cycle = int(fleet.cycle[row])
    return identity(fleet.sensor_id(int(fleet.engine[row])), cycle, _time(cycle))


def _time(cycle: int) -> str:
    return to_iso(ORIGIN + cycle * 1_000_000)

"""One run of a pass: what is still to do of it, its delivery, and its manifest kept up to date."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from data.fleet import Fleet
from plantwatch.errors import UnfinishedError
from plantwatch.instants import to_iso
from plantwatch.messages import SensorReading
from plantwatch.settings import Settings
from producers import replay as rules
from producers.delivery import Delivery
from producers.manifest import Manifest

FULL_QUEUE_SEC: Final = 0.05
"""How long to read delivery reports before a row is offered to a full queue again."""
_SERVE_EVERY: Final = 64
"""Rows between two looks at the delivery reports, while rows are due."""
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one run of a pass: readings acknowledged, of how many, and waits for a full queue."""

    published: int
    total: int
    retries: int


class Run:
    """The rows that the manifest `begun` does not have yet, to be published once."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        begun: Manifest,
        path: Path,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._settings = settings.producer
        self._fleet = fleet
        self._manifest = begun
        self._path = path
        self._on_progress = on_progress
        self._rows = rules.order(fleet, begun.engines, begun.acked)
        self._names = {engine: fleet.sensor_id(engine) for engine in begun.engines}
        # A plant sends all engines' readings of a cycle in a row: they have one event time.
        self._event_time = lru_cache(1)(self._spell_event_time)
        self._next_save = self._next_progress = 0.0
        self.delivery = Delivery(settings, begun.acked)

    def publish(self, speed: float | None, should_stop: Callable[[], bool]) -> None:
        """Send what is left of the pass and wait for its acknowledgements.

        Raises:
            UnfinishedError: stopped, or not acknowledged in time, or refused; run again to go on.
            UnavailableError: the manifest cannot be written.
        """
        self._save()  # before the first row: a run killed right after it must find its origin
        try:
            self._send(speed, should_stop)
            self._drain()
        finally:
            self._save()
        self._report_progress()
        if not self._finished:
            done, total = self.delivery.published, len(self._rows)
            raise UnfinishedError(
                f"stopped with {done:,} of {total:,} rows acknowledged; "
                "run the same command again to go on"
            )

    @property
    def _finished(self) -> bool:
        return self.delivery.published == len(self._rows)

    def _send(self, speed: float | None, should_stop: Callable[[], bool]) -> None:
        cycles, readings = self._fleet.cycle[self._rows], self._readings()
        for position in rules.pace(cycles, speed, time.monotonic, self._serve, should_stop):
            engine, reading = next(readings)
            while not self.delivery.offer(engine, reading) and not should_stop():
                self._serve(FULL_QUEUE_SEC)
            if position % _SERVE_EVERY == 0:
                self._serve(0)

    def _readings(self) -> Iterator[tuple[int, SensorReading]]:
        """What is left of the pass, by engine; some rows at a time out of numpy's hands."""
        fleet = self._fleet
        for start in range(0, len(self._rows), _AT_ONCE):
            rows = self._rows[start : start + _AT_ONCE]
            columns = (fleet.engine, fleet.cycle, fleet.settings, fleet.sensors)
            for engine, cycle, settings, sensors in zip(
                *(column[rows].tolist() for column in columns), strict=True
            ):
                yield (
                    engine,
                    SensorReading(
                        sensor_id=self._names[engine],
                        cycle=cycle,
                        event_time=self._event_time(cycle),
                        settings=settings,
                        sensors=sensors,
                    ),
                )

    def _spell_event_time(self, cycle: int) -> str:
        return to_iso(rules.event_time(self._manifest.origin, cycle))

    def _drain(self) -> None:
        deadline = time.monotonic() + self._settings.drain_timeout_sec
        while self.delivery.pending() and time.monotonic() < deadline:
            self._serve(FULL_QUEUE_SEC)

    def _serve(self, seconds: float) -> None:
        """Read delivery reports for up to `seconds`; save and show progress when it is time."""
        self.delivery.serve(seconds)
        now = time.monotonic()
        if now >= self._next_save:
            self._next_save = now + self._settings.manifest_interval_sec
            self._save()
        if now >= self._next_progress:
            self._next_progress = now + rules.LONGEST_SLEEP_SEC
            self._report_progress()

    def _save(self) -> None:
        self._manifest = self._manifest.advanced(self.delivery.acked, finished=self._finished)
        self._manifest.save(self._path)

    def _report_progress(self) -> None:
        delivery = self.delivery
        self._on_progress(Progress(delivery.published, len(self._rows), delivery.retries))

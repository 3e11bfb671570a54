"""The watcher of drift: a consumer of `readings` of its own, beside the worker and in nobody's way.

What it knows is in its memory and its metrics. It reads on where it was; after a restart the fleet
is looked at afresh, which costs as many readings as it takes to see a drift.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import numpy as np
import structlog
from numpy.typing import NDArray

from connections.prometheus import Exporter
from models.cache import Named, read_production
from models.card import Card, check_fits, read_artifact
from monitoring.drift import FleetDrift
from plantwatch import metrics
from plantwatch.decode import Reading, decode
from plantwatch.drift import DriftReference, is_unseen, residuals
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from sinks.instruments import Instruments
from sinks.sink import Record
from sinks.subscription import Subscription

NAME = "drift"
_log = structlog.get_logger()


class Gauges:
    """What the watcher tells Prometheus; a label is one of the model's sensors."""

    def __init__(self, exporter: Exporter) -> None:
        self._readings = exporter.counter(metrics.DRIFT_READINGS)
        self._alarms = exporter.counter(metrics.DRIFT_ALARMS)
        self._drifting = exporter.gauge(metrics.DRIFTING)
        self._shift = exporter.gauge(metrics.DRIFT_SHIFT)

    def begin(self, sensors: Sequence[int]) -> None:
        """Show these sensors and no other, none of them drifting."""
        self._drifting.clear()
        self._shift.clear()
        for sensor in sensors:
            self._alarms.labels(sensor)
            self._drifting.labels(sensor).set(0)

    def count(self, outcomes: Counter[str]) -> None:
        for outcome, number in outcomes.items():
            self._readings.labels(outcome).inc(number)

    def alarm(self, sensor: int) -> None:
        self._alarms.labels(sensor).inc()

    def show(self, fleet: FleetDrift) -> None:
        for sensor, state in fleet.states.items():
            self._drifting.labels(sensor).set(state.drifting)
            self._shift.labels(sensor).set(state.shift)


class Fleet:
    """The fleet as the model in production sees it: batches of messages in, metrics out."""

    def __init__(self, settings: Settings, gauges: Gauges) -> None:
        """Raises ConfigError where there is no model, or none that tells of drift."""
        self._settings = settings
        self._gauges = gauges
        self._use(read_production(settings.model.cache))

    def refresh(self) -> None:
        """Look whether another model is in production; one that will not do is not taken up."""
        try:
            named = read_production(self._settings.model.cache)
            if named != self._named:
                self._use(named)
        except ConfigError as error:
            _log.warning("drift is held against the model of before", why=str(error))

    def take(self, records: Sequence[Record]) -> None:
        """Look at a batch of `readings`, in its order."""
        outcomes: Counter[str] = Counter()
        for sensor_id, residual in self._usable(records, outcomes):
            for sensor in self._drift.update(sensor_id, residual):
                self._gauges.alarm(sensor)
                shift = self._drift.states[sensor].shift
                _log.warning("the fleet drifts", sensor=sensor, shift=round(shift, 2))
        self._gauges.count(outcomes)
        self._gauges.show(self._drift)

    def _usable(
        self, records: Sequence[Record], outcomes: Counter[str]
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        decoded = (decode(one.key, one.value, self._settings.reading) for one in records)
        readings = [one for one in decoded if isinstance(one, Reading)]
        outcomes["unusable"] += len(records) - len(readings)
        if not readings:
            return
        values = np.array([one.values for one in readings], np.float32)
        unseen = is_unseen(self._reference, values).tolist()
        left = residuals(self._reference, values)
        for reading, unseen_regime, residual in zip(readings, unseen, left, strict=True):
            if unseen_regime:
                outcomes["unseen regime"] += 1
            elif not np.isfinite(residual).all():
                outcomes["unusable"] += 1
            else:
                outcomes["tested"] += 1
                yield reading.sensor_id, residual

    def _use(self, named: Named) -> None:
        card = read_artifact(self._settings.model.cache / named.digest, named.digest)[0]
        check_fits(card, self._settings)
        self._reference = reference_of(card, named.model_version)
        self._named = named
        sensors = self._reference.features.sensors
        self._drift = FleetDrift(sensors, self._settings.drift)
        self._gauges.begin(sensors)


def reference_of(card: Card, model_version: str) -> DriftReference:
    """What the card holds a fleet against.

    Raises:
        ConfigError: nothing, it is of before; the caller exits, or keeps what it has.
    """
    if card.drift is None:
        raise ConfigError(
            f"{model_version} does not say what its training data were like: it was trained before "
            "drift was watched; run `make train`"
        )
    return card.drift


def watch(
    settings: Settings,
    *,
    subscription: Subscription,
    exporter: Exporter,
    fleet: Fleet,
    stopping: Event,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Follow `readings` in the caller's thread until `stopping` is set.

    Raises:
        ConfigError: another consumer has our instance id; the caller ends the process.
    """
    instruments = Instruments(exporter, NAME)
    config = settings.sink
    refresh_at = commit_at = clock()
    try:
        while not stopping.is_set():
            records = subscription.poll(config.batch_rows, config.batch_ms / 1000)
            if clock() >= refresh_at:
                fleet.refresh()
                refresh_at = clock() + settings.model.refresh_sec
            fleet.take(records)
            subscription.done(records)
            if not records or clock() >= commit_at:
                subscription.commit()
                commit_at = clock() + config.commit_interval_sec
            instruments.lag(subscription.lag())
        subscription.commit()
    finally:
        subscription.close()

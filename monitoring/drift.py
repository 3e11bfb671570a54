"""Drift of a fleet from the training data, sensor by sensor: a state machine over river's test.

One machine that fails is no drift, nor is one broken sensor: a point of the fleet is the median of
several machines, of what the other sensors do not explain (see `plantwatch.drift`).
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from river.drift import PageHinkley

from plantwatch.features import Floats
from plantwatch.settings import Drift


class FleetDrift:
    """Takes residuals of machines as they come, and says which sensors of their fleet drift."""

    def __init__(self, sensors: Sequence[int], config: Drift) -> None:
        """`sensors` are the numbers (from 1) of the residuals' columns."""
        self._config = config
        self._pending: dict[str, deque[Floats]] = {}
        self._last: deque[Floats] = deque(maxlen=config.calm_points)
        self._sensors = {number: _Sensor(config) for number in sensors}

    def update(self, sensor_id: str, residual: Floats) -> list[int]:
        """Take the residual [S], finite, of a machine; return the sensors that begin to drift.

        Kafka hands out partition after partition, many readings of few machines: they wait until
        enough machines have one. So never more than `machines` - 1 of them are waiting.
        """
        waiting = self._pending.setdefault(sensor_id, deque(maxlen=self._config.pending))
        waiting.append(residual)
        if len(self._pending) < self._config.machines:
            return []
        point = np.median([one.popleft() for one in self._pending.values()], axis=0)
        self._pending = {name: left for name, left in self._pending.items() if left}
        self._last.append(point)
        pairs = zip(self._sensors.items(), point.tolist(), strict=True)
        return [number for (number, sensor), value in pairs if sensor.begins(value)]

    @property
    def states(self) -> dict[int, "State"]:
        """How each sensor is, by its number; nothing before the fleet's first point."""
        if not self._last:
            return {}
        shifts = np.mean(self._last, axis=0).tolist()
        pairs = zip(self._sensors.items(), shifts, strict=True)
        return {number: State(sensor.drifting, shift) for (number, sensor), shift in pairs}


class State(NamedTuple):
    """Whether a sensor drifts; and how far its last points are from training, in spreads."""

    drifting: bool
    shift: float


class _Sensor:
    """One sensor of the fleet: drifting from an alarm until `calm_points` after the last one."""

    def __init__(self, config: Drift) -> None:
        self._config = config
        self._calm = config.calm_points
        self._test, self._points = self._anchored(), 0

    @property
    def drifting(self) -> bool:
        return self._calm < self._config.calm_points

    def begins(self, value: float) -> bool:
        """Take a point; whether the sensor began to drift with it."""
        before = self.drifting
        self._test.update(value)  # type: ignore[no-untyped-call]  # river has no types
        self._points += 1
        self._calm = 0 if self._test.drift_detected else self._calm + 1
        if self._test.drift_detected or self._points == self._config.anchor_points:
            self._test, self._points = self._anchored(), 0
        return self.drifting and not before

    def _anchored(self) -> PageHinkley:
        """A test whose past is the training data.

        Page-Hinkley knows no other mean than that of what it saw, and would take a fleet that
        drifts from the start for its normal.
        """
        config = self._config
        test = PageHinkley(
            min_instances=1, delta=config.tolerance, threshold=config.threshold, alpha=1.0
        )
        for _ in range(config.anchor_points):
            test.update(0.0)  # type: ignore[no-untyped-call]  # river has no types
        return test

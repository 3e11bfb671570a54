"""Verdicts as a subscriber gets them: how long after the reading was published each arrives."""

import threading
import time
from contextlib import closing
from typing import Self

import numpy as np
import orjson
from numpy.typing import NDArray

from connections.tail import tail
from plantwatch.settings import Settings

PERCENTILES = (50, 95, 99)


class Listener:
    """Subscribes to `scores` on a thread of its own, for the length of a `with` block."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._halt = threading.Event()
        self._delays: list[float] = []
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join()

    @property
    def heard(self) -> int:
        """How many verdicts have arrived so far."""
        return len(self._delays)

    def since(self, first: int) -> NDArray[np.float64]:
        """Milliseconds from Kafka's timestamp of the reading to its verdict's arrival, in order."""
        return np.array(self._delays[first:])

    def _run(self) -> None:
        topic, halted = self._settings.topics.scores, self._halt.is_set
        values = tail(self._settings, topic, from_beginning=False, should_stop=halted)
        with closing(values):
            for value in values:
                self._delays.append(1000 * time.time() - orjson.loads(value)["published_at"])


def percentiles(delays: NDArray[np.float64]) -> list[float]:
    """Of `PERCENTILES`, in the unit of the delays; NaN of nothing."""
    if not len(delays):
        return [float("nan")] * len(PERCENTILES)
    return [round(float(one), 1) for one in np.percentile(delays, PERCENTILES)]

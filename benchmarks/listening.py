"""Verdicts as a subscriber gets them: how long after its reading's publication each arrives."""

import threading
import time
from contextlib import closing
from typing import Final, NamedTuple, Self

import numpy as np
import orjson
from numpy.typing import ArrayLike

from connections.tail import tail
from plantwatch.settings import Settings

PERCENTILES: Final = (50, 95, 99)


class Received(NamedTuple):
    """A verdict: where its reading lies, when that was published and when this arrived, both in
    milliseconds since 1970.
    """

    partition: int
    offset: int
    published: int
    arrived: float


class Listener:
    """Subscribes to `scores` on a thread of its own, for the length of a `with` block."""

    def __init__(self, settings: Settings) -> None:
        self.received: list[Received] = []
        """What has arrived so far, in order."""
        self._settings = settings
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join()

    def _run(self) -> None:
        topic, halted = self._settings.topics.scores, self._halt.is_set
        values = tail(self._settings, topic, from_beginning=False, should_stop=halted)
        with closing(values):
            for value in values:
                event, now = orjson.loads(value), 1000 * time.time()
                self.received.append(
                    Received(event["partition"], event["offset"], event["published_at"], now)
                )


def percentiles(delays: ArrayLike) -> list[float]:
    """Of `PERCENTILES`, in the unit of the delays; NaN of nothing."""
    values = np.asarray(delays, np.float64)
    if not len(values):
        return [float("nan")] * len(PERCENTILES)
    return [round(float(one), 1) for one in np.percentile(values, PERCENTILES)]

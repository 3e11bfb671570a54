"""What the worker does with the models that are named while it works."""

import asyncio
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from connections.prometheus import Exporter
from plantwatch.errors import ConfigError
from plantwatch.scoring import Detector, Verdicts
from stream_processors.app import or_fail
from stream_processors.backlog import Chunk, Part
from stream_processors.model_watch import ModelWatch
from stream_processors.telemetry import Telemetry
from stream_processors.transport import Consumer
from stream_processors.worker import Worker
from tests.support.clock import Clock
from tests.support.streams import SumDetector, empty_partition, message, small_window_settings


class Defective:
    """A look for models that fails as no cache should."""

    def newer(self, current: Detector) -> Detector | None:
        raise RuntimeError(f"a defect, not {current.version}")

    def challenger(self, current: Detector | None) -> Detector | None:
        return current

    def trained_at(self, digest: str) -> float:
        return float(len(digest))

    def last_contact(self) -> float:
        return 0.0


class Slow(SumDetector):
    """Takes some seconds for every call."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.calls = 0

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        self.calls += 1
        self._clock.now += self._seconds
        return super().score(windows)


class Busy(SumDetector):
    """What production takes: a tenth of a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        self._clock.now += 0.1
        return super().score(windows)


# A challenger that takes most of the time of twenty chunks is asked no more, counted and logged
# once; production goes on, and another one that is named is given its chance.
def test_a_slow_challenger_is_dropped() -> None:
    async def asked() -> list[int]:
        settings, exporter = small_window_settings(), Exporter()
        clock = Clock()
        worker = Worker(settings, Busy(clock), Telemetry(exporter), clock)
        worker.hooks().own({0: empty_partition(settings)})
        calls = []
        for challenger in (Slow(clock, 0.9), Slow(clock, 0.1)):
            worker.challenge(challenger)
            for _ in range(30):
                at = worker.partitions[0].ledger.position
                readings = [message(at + n, 0, at + n + 1, 1.0) for n in range(8)]
                worker.process(Chunk(0, [Part(0, at, cast("list[Any]", readings))]))
            calls.append(challenger.calls)
            assert worker.challenger is challenger
        refused = exporter.registry.get_sample_value(
            "plantwatch_models_refused_total", {"role": "challenger"}
        )
        assert refused == 1
        assert worker.partitions[0].ledger.counts["scored"] == 60 * 8 - 4
        return calls

    with capture_logs() as logged:
        assert asyncio.run(asked()) == [20, 30]
    assert sum("too slow" in line["event"] for line in logged) == 1


class Dated(Defective):
    """Knows when its models were trained; knows how often asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def trained_at(self, digest: str) -> float:
        self.asked.append(digest)
        if digest == "damaged":
            raise ConfigError("its card is damaged")
        return 1_700_000_000.0


# The age of the model in use is told once for each; a card that is damaged since stops nobody.
def test_the_age_of_the_model_is_told() -> None:
    class Damaged(SumDetector):
        digest = "damaged"

    async def watched(detector: Detector) -> tuple[list[str], float | None]:
        exporter, models = Exporter(), Dated()
        telemetry = Telemetry(exporter)
        worker = Worker(small_window_settings(), detector, telemetry)
        watch = ModelWatch(models, worker, telemetry)
        await watch.look_for_challenger()
        await watch.look_for_challenger()
        value = exporter.registry.get_sample_value("plantwatch_model_trained_timestamp_seconds")
        return models.asked, value

    assert asyncio.run(watched(SumDetector())) == ([SumDetector.digest], 1_700_000_000)
    assert asyncio.run(watched(Damaged())) == (["damaged"], 0)


# A defect in the look for models ends the worker, which is restarted: it would else go on for ever
# with the model it has, and nobody would know.
def test_a_worker_ends_with_its_watch() -> None:
    async def watched() -> BaseException:
        telemetry = Telemetry(Exporter())
        worker = Worker(small_window_settings(), SumDetector(), telemetry)
        watch = ModelWatch(Defective(), worker, telemetry)
        await or_fail(worker, watch.run(Consumer.__new__(Consumer), 0))
        return await worker.failure

    with pytest.raises(RuntimeError, match="a defect"):
        raise asyncio.run(watched())

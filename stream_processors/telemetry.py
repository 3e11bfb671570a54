"""The worker's metrics: what is counted, and when."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from connections.prometheus import Exporter, show_only
from plantwatch import metrics
from plantwatch.scoring import Detector
from plantwatch.windows import ReadingClass
from stream_processors.chunks import Outcome


class Telemetry:
    """One method per thing that happens. `clock` is seconds since 1970."""

    def __init__(self, exporter: Exporter, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._readings = exporter.counter(metrics.READINGS)
        self._rejects = exporter.counter(metrics.REJECTS)
        self._anomalies = exporter.counter(metrics.ANOMALIES)
        self._latency = exporter.histogram(metrics.VERDICT_LATENCY)
        self._chunk_readings = exporter.histogram(metrics.CHUNK_READINGS)
        self._chunk_seconds = exporter.histogram(metrics.CHUNK_SECONDS)
        self._lag = exporter.gauge(metrics.LAG)
        self._unaccounted = exporter.gauge(metrics.UNACCOUNTED)
        self._machines = exporter.gauge(metrics.MACHINES)
        self._read_back = exporter.counter(metrics.READ_BACK)
        self._rebalances = exporter.counter(metrics.REBALANCES)
        self._truncated = exporter.counter(metrics.HISTORY_TRUNCATED)
        self._model = exporter.gauge(metrics.MODEL)
        self._trained = exporter.gauge(metrics.MODEL_TRAINED)
        self._challenger = exporter.gauge(metrics.CHALLENGER)
        self._shadowed = exporter.counter(metrics.SHADOW_WINDOWS)
        self._refused = exporter.counter(metrics.MODELS_REFUSED)
        self._disagreed = exporter.counter(metrics.SHADOW_DISAGREEMENTS)
        self._contact = exporter.gauge(metrics.REGISTRY_CONTACT)
        # From the start, or the first of a kind would be no increase.
        for kind in ReadingClass:
            self._readings.labels(kind)
        for role in ("production", "challenger"):
            self._refused.labels(role)

    def model(self, version: str, digest: str) -> None:
        """This model scores from now on."""
        show_only(self._model, version, digest)

    def trained(self, instant: float) -> None:
        """When the model in use was trained, in seconds since 1970."""
        self._trained.set(instant)

    def challenger(self, detector: Detector | None) -> None:
        """This model scores in shadow from now on; None: none does."""
        if detector is None:
            self._challenger.clear()
        else:
            show_only(self._challenger, detector.version, detector.digest)

    def refused(self, role: str) -> None:
        """A model is named that cannot be used."""
        self._refused.labels(role).inc()

    def registry_contact(self, instant: float) -> None:
        """When the registry last answered, in seconds since 1970; 0 for never."""
        self._contact.set(instant)

    @contextmanager
    def chunk(self, readings: int) -> Iterator[None]:
        """Around the work on one chunk."""
        self._chunk_readings.observe(readings)
        with self._chunk_seconds.time():
            yield

    def finished(self, outcome: Outcome) -> None:
        """A chunk's verdicts are with the producer."""
        for kind, number in outcome.kinds.items():
            self._readings.labels(kind).inc(number)
        for reason, number in outcome.reasons.items():
            self._rejects.labels(reason).inc(number)
        for result, number in outcome.shadow.windows.items():
            self._shadowed.labels(result).inc(number)
        self._disagreed.inc(outcome.shadow.disagreed)
        self._anomalies.inc(outcome.anomalies)
        now = self._clock()
        for milliseconds in outcome.published_at:
            self._latency.observe(now - milliseconds / 1000)

    def rebuilt(self, readings: int, *, truncated: bool) -> None:
        """A partition's state was read back."""
        self._read_back.inc(readings)
        self._truncated.inc(int(truncated))

    def took_over(self, partitions: Sequence[int]) -> None:
        """These partitions, and no others, are ours."""
        self._rebalances.inc()
        for gauge in (self._lag, self._unaccounted, self._machines):
            gauge.clear()
        for number in partitions:
            self.partition(number, lag=0, unaccounted=0, machines=0)

    def partition(self, number: int, *, lag: int, unaccounted: int, machines: int) -> None:
        """The state of one partition, now and then."""
        self._lag.labels(number).set(lag)
        self._unaccounted.labels(number).set(unaccounted)
        self._machines.labels(number).set(machines)

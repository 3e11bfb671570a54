"""The API's metrics: what is counted, and when."""

from typing import TYPE_CHECKING

from connections.prometheus import Exporter, show_only
from plantwatch import metrics

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

_ROLE = "production"


class Telemetry:
    """One method per thing that happens."""

    def __init__(self, exporter: Exporter) -> None:
        self._requests = exporter.counter(metrics.API_REQUESTS)
        self._seconds = exporter.histogram(metrics.API_SECONDS)
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        windows = exporter.counter(metrics.API_WINDOWS)
        self._model = exporter.gauge(metrics.MODEL)
        self._refused = exporter.counter(metrics.MODELS_REFUSED)
        # From the start, or the first of a kind would be no increase.
        self._normal, self._anomalous = map(windows.labels, ("normal", "anomalous"))
        self._refused.labels(_ROLE)

    def finished(self, route: str, status: int, seconds: float) -> None:
        """A request was answered, or given up by its caller."""
        if (route, status) not in self._series:
            # Kept: there are few, and to look one up takes as long as to count.
            self._series[route, status] = (
                self._requests.labels(route, status),
                self._seconds.labels(route),
            )
        answered, took = self._series[route, status]
        answered.inc()
        took.observe(seconds)

    def judged(self, windows: int, anomalous: int) -> None:
        for counter, number in ((self._normal, windows - anomalous), (self._anomalous, anomalous)):
            if number:
                counter.inc(number)

    def model(self, version: str, digest: str) -> None:
        """This model judges from now on."""
        show_only(self._model, version, digest)

    def refused(self) -> None:
        """A model is named that cannot be used."""
        self._refused.labels(_ROLE).inc()

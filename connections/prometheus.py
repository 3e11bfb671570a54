"""The core's metrics made live: one registry and one HTTP endpoint per process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from plantwatch.errors import ConfigError
from plantwatch.metrics import Metric
from plantwatch.settings import Metrics


class Exporter:
    """The metrics of one process, served at http://`host`:`port`/metrics once started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.help, metric.labels, registry=self.registry)

    def gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.help, metric.labels, registry=self.registry)

    def histogram(self, metric: Metric) -> Histogram:
        return Histogram(
            metric.name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets
        )

    def start(self, settings: Metrics, port: int, variable: str) -> None:
        """Serve the registry from a daemon thread.

        Raises:
            ConfigError: the port is in use; `variable` is the setting that moves it.
        """
        try:
            start_http_server(port, addr=settings.host, registry=self.registry)
        except OSError as error:
            raise ConfigError(
                f"port {port} for metrics: {error.strerror}; "
                f"end the process that has it or set {variable} to a free port"
            ) from None


def show_only(gauge: Gauge, *labels: object) -> None:
    """Show 1 under these labels and nothing under others: what is in use, of all that may be."""
    gauge.clear()
    gauge.labels(*labels).set(1)

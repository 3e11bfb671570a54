"""What every sink tells Prometheus about itself."""

from collections.abc import Mapping

from connections.prometheus import Exporter
from plantwatch import metrics
from sinks.sink import Outcome, R


class Instruments:
    """The metrics of one sink's loop."""

    def __init__(self, exporter: Exporter, sink: str) -> None:
        self._sink = sink
        self._rows = exporter.counter(metrics.SINK_ROWS)
        self._batches = exporter.histogram(metrics.SINK_BATCH_ROWS)
        self._retries = exporter.counter(metrics.SINK_RETRIES)
        self._lag = exporter.gauge(metrics.SINK_LAG)

    def written(self, outcome: Outcome[R]) -> None:
        """Count a written batch by what became of its rows."""
        counts = {
            "stored": len(outcome.stored),
            "known": outcome.known,
            "refused": len(outcome.refused),
        }
        for result, count in counts.items():
            self._rows.labels(self._sink, result).inc(count)
        self._batches.labels(self._sink).observe(sum(counts.values()))

    def passed_over(self, count: int) -> None:
        """Count messages that are not for this store."""
        self._rows.labels(self._sink, "passed over").inc(count)

    def retried(self, why: str) -> None:
        """Count a try that will be repeated."""
        self._retries.labels(self._sink, why).inc()

    def lag(self, by_partition: Mapping[int, int]) -> None:
        """Show the lag of the partitions that are ours now, and of no other."""
        self._lag.clear()
        for partition, messages in by_partition.items():
            self._lag.labels(self._sink, partition).set(messages)

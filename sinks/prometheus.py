"""Verdicts as metrics, for alerts and dashboards.

These counters are of this process: they begin at zero when it starts, and a batch that is read
again after a crash is counted again. Exact numbers are in PostgreSQL and in the commit metadata.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from connections.prometheus import Exporter, show_only
from plantwatch import metrics
from plantwatch.messages import ScoreEvent
from sinks.sink import Outcome, Row

_RATE_WINDOW: Final = 1000
"""Verdicts in `metrics.ANOMALY_RATE`, as its help says."""


class PrometheusSink:
    """The sink of what Prometheus scrapes; it is never away and refuses nothing."""

    name = "prometheus"

    def __init__(self, exporter: Exporter) -> None:
        self._verdicts = exporter.counter(metrics.VERDICTS)
        self._scores = exporter.histogram(metrics.SCORES)
        self._latency = exporter.histogram(metrics.VERDICT_LATENCY)
        self._unseen = exporter.counter(metrics.UNSEEN_REGIME)
        self._rate = exporter.gauge(metrics.ANOMALY_RATE)
        self._model = exporter.gauge(metrics.MODEL)
        self._last: deque[bool] = deque(maxlen=_RATE_WINDOW)
        self._named: tuple[str, str] | None = None

    def write(self, batch: Sequence[Row]) -> Outcome[Row]:
        for row in batch:
            self._count(row)
            self._name_model(row.event)
        if self._last:
            self._rate.set(sum(self._last) / len(self._last))
        return Outcome(stored=batch, known=0, refused=())

    def tend(self) -> None:
        """Nothing to do between batches."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _count(self, row: Row) -> None:
        event = row.event
        self._verdicts.labels("anomaly" if event.is_anomaly else "normal").inc()
        self._scores.observe(event.anomaly_score)
        self._unseen.inc(event.unseen_regime)
        # Both ends are Kafka's own timestamps, so how far behind this sink is does not enter.
        self._latency.observe(max(0.0, (row.record.timestamp - event.published_at) / 1000))
        self._last.append(event.is_anomaly)

    def _name_model(self, event: ScoreEvent) -> None:
        named = (event.model_version, event.model_digest)
        if named != self._named:
            show_only(self._model, *named)
            self._named = named

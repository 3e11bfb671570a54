"""What the dashboard of the pipeline asks."""

from typing import Final

from grafana.spec import Prom

WORKERS: Final = "label_values(plantwatch_lag_readings, instance)"
UP: Final = Prom("min by (job) (up)", "{{job}}")
_HERE: Final = 'instance=~"$instance"'
UNACCOUNTED: Final = Prom("sum(plantwatch_unaccounted_readings)", "in no class")
CLASSES: Final = Prom(
    f"sum by (class) (rate(plantwatch_readings_total{{{_HERE}}}[$__rate_interval]))", "{{class}}"
)
CLASS_TOTALS: Final = Prom(
    f"sum by (class) (plantwatch_readings_total{{{_HERE}}})", "{{class}}", instant=True
)
LAG: Final = Prom(
    f"sum by (partition) (plantwatch_lag_readings{{{_HERE}}})", "partition {{partition}}"
)
SINK_LAG: Final = Prom("sum by (sink) (plantwatch_sink_lag_messages)", "{{sink}}")
SINK_ROWS: Final = Prom(
    "sum by (sink, result) (rate(plantwatch_sink_rows_total[$__rate_interval]))",
    "{{sink}} {{result}}",
)
SINK_RETRIES: Final = Prom(
    "sum by (sink, why) (increase(plantwatch_sink_retries_total[$__rate_interval])) or vector(0)",
    "{{sink}} {{why}}",
)
REFUSED: Final = Prom(
    'sum by (sink) (increase(plantwatch_sink_rows_total{result="refused"}[$__rate_interval]))',
    "{{sink}} refused",
)


def _latency(histogram: str, share: str) -> Prom:
    """So many seconds, or less, at this share of what a histogram counts."""
    rate = f"sum by (le) (rate({histogram}_bucket[$__rate_interval]))"
    return Prom(f"histogram_quantile({share}, {rate})", f"p{share[2:].ljust(2, '0')}")


_SHARES: Final = ("0.5", "0.95", "0.99")
VERDICT_LATENCY: Final = tuple(
    _latency("plantwatch_publish_to_verdict_seconds", share) for share in _SHARES
)
STORED_LATENCY: Final = tuple(
    _latency("plantwatch_publish_to_stored_seconds", share) for share in _SHARES
)
CHUNK_LATENCY: Final = _latency("plantwatch_chunk_seconds", "0.99")
CHUNK_SIZE: Final = Prom(
    "sum(rate(plantwatch_chunk_readings_sum[$__rate_interval]))"
    " / sum(rate(plantwatch_chunk_readings_count[$__rate_interval]))",
    "readings in a chunk",
)
DEAD_LETTERS: Final = Prom(
    "sum by (class) (increase("
    'plantwatch_readings_total{class=~"conflict|late|rejected"}[$__rate_interval])) or vector(0)',
    "{{class}}",
)
REJECTS: Final = Prom(
    "sum by (reason) (increase(plantwatch_rejects_total[$__rate_interval])) or vector(0)",
    "{{reason}}",
)
PRODUCED: Final = Prom(
    "sum(rate(plantwatch_readings_published_total[$__rate_interval]))", "published"
)
PRODUCE_RETRIES: Final = Prom(
    "sum(increase(plantwatch_produce_retries_total[$__rate_interval]))", "producer waited"
)
REBALANCES: Final = Prom(
    "sum(increase(plantwatch_rebalances_total[$__rate_interval]))", "take-overs"
)
READ_BACK: Final = Prom(
    "sum(rate(plantwatch_read_back_readings_total[$__rate_interval]))", "read back"
)
TRUNCATED: Final = Prom("sum(plantwatch_history_truncated_total)", "take-overs", instant=True)
KNOWN_MACHINES: Final = Prom("sum(plantwatch_machines)", "machines", instant=True)
OUTBOX: Final = Prom("max(plantwatch_outbox_rows)", "being published")
BATCHES: Final = Prom(
    "histogram_quantile(0.5, "
    "sum by (le, sink) (rate(plantwatch_sink_batch_rows_bucket[$__rate_interval])))",
    "{{sink}}",
)

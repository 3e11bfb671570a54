"""Verdicts as metrics."""

import pytest

from connections.prometheus import Exporter
from plantwatch import metrics
from sinks.prometheus import PrometheusSink
from tests.support.verdicts import row


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


# Verdicts are counted by outcome, their scores by bucket, and the latency is Kafka's own.
def test_verdicts_are_counted(exporter: Exporter) -> None:
    PrometheusSink(exporter).write([row(1), row(2), row(3, is_anomaly=True, anomaly_score=0.9)])
    value = exporter.registry.get_sample_value
    assert value("plantwatch_verdicts_total", {"outcome": "normal"}) == 2
    assert value("plantwatch_verdicts_total", {"outcome": "anomaly"}) == 1
    assert value("plantwatch_anomaly_score_bucket", {"le": "0.5"}) == 2
    assert value("plantwatch_publish_to_verdict_seconds_sum") == pytest.approx(6.0)


# A score in a regime that training never saw means little, and somebody should know how many are.
def test_verdicts_in_unseen_regimes_are_counted(exporter: Exporter) -> None:
    PrometheusSink(exporter).write([row(1), row(2, unseen_regime=True), row(3, unseen_regime=True)])
    assert exporter.registry.get_sample_value("plantwatch_unseen_regime_verdicts_total") == 2


# The rate is that of the last 1,000 verdicts, not of all time.
def test_the_rate_forgets(exporter: Exporter) -> None:
    sink = PrometheusSink(exporter)
    sink.write([row(n, is_anomaly=True) for n in range(500)])
    assert exporter.registry.get_sample_value(metrics.ANOMALY_RATE.name) == 1.0
    sink.write([row(n) for n in range(750)])
    assert exporter.registry.get_sample_value(metrics.ANOMALY_RATE.name) == 0.25


# After a model swap only the new model is shown as in use.
def test_one_model_is_in_use(exporter: Exporter) -> None:
    sink = PrometheusSink(exporter)
    sink.write([row(1)])
    sink.write([row(2, model_version="lstm_ae_v2", model_digest="d2")])
    samples = [s for m in exporter.registry.collect() for s in m.samples if "model" in s.name]
    assert [s.labels for s in samples] == [{"model_version": "lstm_ae_v2", "digest": "d2"}]

"""Challengers beside production, in the tables of a real PostgreSQL."""

import pytest

from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Settings
from sinks.comparison import Comparison, compare
from sinks.migrate import upgrade
from sinks.postgres import ANOMALY_EVENTS, SHADOW_EVENTS, PostgresSink, Table
from sinks.sink import Outcome, Row
from tests.support.verdicts import row

pytestmark = pytest.mark.real


def write(settings: Settings, table: Table, rows: list[Row]) -> Outcome[Row]:
    sink = PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY), table=table)
    outcome = sink.write(rows)
    sink.close()
    return outcome


def by(digest: str, cycle: int, score: float) -> Row:
    return row(
        cycle,
        anomaly_score=score,
        is_anomaly=score >= 0.5,
        model_digest=digest,
        model_version=f"lstm_ae_v{digest[1:]}",
    )


# Each challenger has one verdict on a window in its table, production one for all: also where both
# come in one batch, or again.
def test_each_challenger_judges_a_window_once(settings: Settings) -> None:
    upgrade(settings)
    batch = [by("d1", 1, 0.2), by("d2", 1, 0.3), by("d1", 1, 0.2)]
    shadow = write(settings, SHADOW_EVENTS, batch)
    assert (list(shadow.stored), shadow.known) == (batch[:2], 1)
    assert write(settings, SHADOW_EVENTS, batch).known == 3
    production = write(settings, ANOMALY_EVENTS, batch)
    assert (list(production.stored), production.known) == (batch[:1], 2)


# Only windows that both judged are compared, each challenger with each model it stood beside.
def test_they_are_compared_on_common_windows(settings: Settings) -> None:
    upgrade(settings)
    assert compare(settings) == []
    write(settings, ANOMALY_EVENTS, [by("d1", cycle, 0.6) for cycle in range(1, 5)])
    write(settings, ANOMALY_EVENTS, [by("d2", 5, 0.1)])
    write(settings, SHADOW_EVENTS, [by("d3", cycle, 0.2 * cycle) for cycle in range(1, 10)])
    first, second = sorted(compare(settings), key=lambda one: one.production)
    assert first == Comparison(
        challenger="lstm_ae_v3",
        challenger_digest="d3",
        production="lstm_ae_v1",
        windows=4,
        agreement=0.5,
        difference=first.difference,
        anomalies_production=4,
        anomalies_challenger=2,
    )
    assert first.difference == pytest.approx((0.4 + 0.2 + 0.0 + 0.2) / 4)
    assert (second.production, second.windows, second.agreement) == ("lstm_ae_v2", 1, 0.0)

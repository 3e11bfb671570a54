"""What every sink must do, whatever it stores verdicts in."""

import pytest

from connections.prometheus import Exporter
from plantwatch import metrics
from sinks.migrate import upgrade
from sinks.postgres import ANOMALY_EVENTS, SHADOW_EVENTS, PostgresSink
from sinks.prometheus import PrometheusSink
from sinks.sink import Outcome, Row, Sink
from tests.support.verdicts import row


@pytest.fixture(
    params=[
        "prometheus",
        pytest.param("postgres", marks=pytest.mark.real),
        pytest.param("shadow", marks=pytest.mark.real),
    ]
)
def sink(request: pytest.FixtureRequest) -> Sink[Row]:
    if request.param == "prometheus":
        return PrometheusSink(Exporter())
    settings = request.getfixturevalue("settings")
    upgrade(settings)
    table = SHADOW_EVENTS if request.param == "shadow" else ANOMALY_EVENTS
    return PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY), table=table)


def accounted(outcome: Outcome[Row]) -> int:
    return len(outcome.stored) + outcome.known + len(outcome.refused)


# Every row of a batch is stored, known or refused: none is passed over in silence.
def test_every_row_is_accounted_for(sink: Sink[Row]) -> None:
    batch = [row(cycle) for cycle in range(1, 51)]
    outcome = sink.write(batch)
    assert list(outcome.stored) == batch
    assert accounted(outcome) == 50


# A batch that is written again, as after a lost reply or a rebalance, does no harm.
def test_writing_again_is_harmless(sink: Sink[Row]) -> None:
    batch = [row(cycle) for cycle in range(1, 51)]
    sink.write(batch)
    outcome = sink.write([*batch[25:], row(51)])
    assert accounted(outcome) == 26
    assert not outcome.refused


# A sink that was closed opens again by itself: closing only lets go.
def test_closing_is_not_the_end(sink: Sink[Row]) -> None:
    sink.close()
    sink.write([row(1)])
    sink.close()
    sink.close()
    assert accounted(sink.write([row(2)])) == 1
    sink.close()


# Sinks of different stores can be told apart in metrics.
def test_it_has_a_name(sink: Sink[Row]) -> None:
    assert sink.name in {"postgres", "prometheus", "shadow"}

"""What every sink must do, whatever it stores verdicts in."""

from collections.abc import Callable
from typing import Any

import pytest

from connections.prometheus import Exporter
from plantwatch import metrics
from sinks.migrate import upgrade
from sinks.postgres import ANOMALY_EVENTS, SHADOW_EVENTS, PostgresSink
from sinks.prometheus import PrometheusSink
from sinks.readings import ReadingsSink
from sinks.sink import Outcome, Sink
from tests.support import verdicts
from tests.support.readings import reading_row

Row = Callable[[int], Any]


@pytest.fixture(
    params=[
        "prometheus",
        pytest.param("postgres", marks=pytest.mark.real),
        pytest.param("shadow", marks=pytest.mark.real),
        pytest.param("readings", marks=pytest.mark.real),
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def row(kind: str) -> Row:
    """Makes rows of the kind that the sink takes, by their cycle."""
    return reading_row if kind == "readings" else verdicts.row


@pytest.fixture
def sink(request: pytest.FixtureRequest, kind: str) -> Sink[Any]:
    if kind == "prometheus":
        return PrometheusSink(Exporter())
    settings = request.getfixturevalue("settings")
    upgrade(settings)
    latency = Exporter().histogram(metrics.STORED_LATENCY)
    if kind == "readings":
        return ReadingsSink(settings, latency)
    table = SHADOW_EVENTS if kind == "shadow" else ANOMALY_EVENTS
    return PostgresSink(settings, latency, table=table)


def accounted(outcome: Outcome[Any]) -> int:
    return len(outcome.stored) + outcome.known + len(outcome.refused)


# Every row of a batch is stored, known or refused: none is passed over in silence.
def test_every_row_is_accounted_for(sink: Sink[Any], row: Row) -> None:
    batch = [row(cycle) for cycle in range(1, 51)]
    outcome = sink.write(batch)
    assert list(outcome.stored) == batch
    assert accounted(outcome) == 50


# A batch that is written again, as after a lost reply or a rebalance, does no harm.
def test_writing_again_is_harmless(sink: Sink[Any], row: Row) -> None:
    batch = [row(cycle) for cycle in range(1, 51)]
    sink.write(batch)
    outcome = sink.write([*batch[25:], row(51)])
    assert accounted(outcome) == 26
    assert not outcome.refused


# Tending a store takes nothing from it that came just now, and may be done at any time.
def test_tending_is_harmless(sink: Sink[Any], row: Row) -> None:
    sink.tend()
    sink.write([row(1)])
    sink.tend()
    sink.close()
    sink.tend()
    assert accounted(sink.write([row(1), row(2)])) == 2
    sink.close()


# A sink that was closed opens again by itself: closing only lets go.
def test_closing_is_not_the_end(sink: Sink[Any], row: Row) -> None:
    sink.close()
    sink.write([row(1)])
    sink.close()
    sink.close()
    assert accounted(sink.write([row(2)])) == 1
    sink.close()


# Sinks of different stores can be told apart in metrics.
def test_it_has_a_name(sink: Sink[Any]) -> None:
    assert sink.name in {"postgres", "prometheus", "shadow", "readings"}

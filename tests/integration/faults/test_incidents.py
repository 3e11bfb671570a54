"""The judge of incidents finds what is not as the rule says, and nothing else."""

from typing import Any, cast

import pytest

from connections.postgres import connect
from connections.prometheus import Exporter
from faults.incidents import compared
from plantwatch import metrics
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from sinks.postgres import PostgresSink
from tests.support.verdicts import row

pytestmark = pytest.mark.real

DOUBLE = """
INSERT INTO incidents
SELECT (jsonb_populate_record(incidents, '{"id": 99, "opened_cycle": 99}')).*
FROM incidents WHERE sensor_id = 'a'
"""


@pytest.fixture
def happened(settings: Settings) -> Settings:
    """Two machines with an incident each, one that is over; a third one without."""
    upgrade(settings)
    sink = PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY))
    lives = {"a": "111" + "0" * 20, "b": "01111", "c": "00100"}
    sink.write(
        [
            row(cycle, sensor_id=name, partition=at, is_anomaly=flag == "1", anomaly_score=0.7)
            for at, (name, flags) in enumerate(lives.items())
            for cycle, flag in enumerate(flags, start=1)
        ]
    )
    sink.close()
    return settings


# Incidents as the sink leaves them are those of the rule.
def test_sound_incidents_are_found_sound(happened: Settings) -> None:
    assert compared(happened) == {"incidents": 2, "incidents_wrong": 0}


# One that is lost, doubled or changed is counted by its machine.
@pytest.mark.parametrize(
    ("harm", "left"),
    [
        ("DELETE FROM incidents WHERE sensor_id = 'a'", 1),
        (DOUBLE, 3),
        ("UPDATE incidents SET peak_cycle = 2 WHERE sensor_id = 'b'", 2),
        ("UPDATE incidents SET sensor_id = 'c' WHERE sensor_id = 'b'", 2),
    ],
)
def test_a_wrong_incident_is_found(happened: Settings, harm: str, left: int) -> None:
    with connect(happened, "owner") as owner:
        owner.execute(cast("Any", harm))
    moved = "'c'" in harm
    assert compared(happened) == {"incidents": left, "incidents_wrong": 2 if moved else 1}

"""Incidents on a real server: moved by new rows, once, in the transaction that stores them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from connections.postgres import connect
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.errors import StoreAwayError
from plantwatch.incidents import CALM, Maintenance, follow
from plantwatch.messages import Incident
from plantwatch.settings import Settings
from sinks import incidents
from sinks.incidents import incident_of
from sinks.migrate import upgrade
from sinks.postgres import ANOMALY_EVENTS, SHADOW_EVENTS, PostgresSink, Table
from sinks.sink import Row
from tests.support.stored import do
from tests.support.verdicts import row, verdict

pytestmark = pytest.mark.real

SCORES = {"0": 0.25, "1": 0.75, "2": 0.95}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """3 of 5 open, 4 clean close."""
    upgrade(settings)
    anomaly = settings.anomaly.model_copy(update={"alarm_clean": 4})
    sink = settings.sink.model_copy(update={"lock_timeout_sec": 0.2})
    return settings.model_copy(update={"anomaly": anomaly, "sink": sink})


@pytest.fixture
def sink(settings: Settings) -> Iterator[PostgresSink]:
    sink = sink_of(settings)
    yield sink
    sink.close()


def sink_of(settings: Settings, table: Table = ANOMALY_EVENTS) -> PostgresSink:
    return PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY), table=table)


def rows(levels: str, first: int = 1, **changes: Any) -> list[Row]:
    """A machine's verdicts with these levels, a cycle each."""
    return [
        row(cycle, anomaly_score=SCORES[level], is_anomaly=level != "0", **changes)
        for cycle, level in enumerate(levels, start=first)
    ]


def stored(settings: Settings) -> list[Incident]:
    """Every incident, without the number that PostgreSQL gave it."""
    found = do(settings, "SELECT to_jsonb(incidents) FROM incidents ORDER BY id")
    return [replace(incident_of(one), id=None) for (one,) in found]


def moves(settings: Settings) -> list[tuple[str, str]]:
    """What is in the outbox: kind and machine, in its order."""
    return do(settings, "SELECT kind, incident->>'sensor_id' FROM outbox ORDER BY id")


def remembered(settings: Settings) -> list[tuple[str, str]]:
    return do(settings, "SELECT sensor_id, recent FROM machine_states ORDER BY sensor_id")


def expected(
    settings: Settings, verdicts: Sequence[Row], *maintenance: Maintenance
) -> list[Incident]:
    """What the pure rule makes of one machine's verdicts."""
    followed = follow(CALM, [one.event for one in verdicts], settings.anomaly.rule(), maintenance)
    still = followed.machine.incident
    return [*followed.closed, *([still] if still else [])]


# An incident opens, gets worse and is over, all as the rule says, and each move is told of.
def test_an_incident_opens_escalates_and_is_over(settings: Settings, sink: PostgresSink) -> None:
    verdicts = rows("01012220000")
    sink.write(verdicts)
    assert stored(settings) == expected(settings, verdicts)
    (incident,) = stored(settings)
    assert (incident.severity, incident.closed_why) == ("critical", "recovered")
    assert [kind for kind, _ in moves(settings)] == ["opened", "escalated", "closed"]
    assert remembered(settings) == []


# In whichever batches verdicts come, one by one or many at once, the incidents are the same.
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_batches_change_nothing(settings: Settings, sink: PostgresSink, size: int) -> None:
    verdicts = rows("0101222000011100001101122")
    for start in range(0, len(verdicts), size):
        sink.write(verdicts[start : start + size])
    assert stored(settings) == expected(settings, verdicts)
    assert len(stored(settings)) == 3
    kinds = [kind for kind, _ in moves(settings)]
    assert sorted(kinds) == ["closed"] * 2 + ["escalated"] + ["opened"] * 3
    assert remembered(settings) == [("FD001-engine-001", "01122")]


# Rows that are known move nothing: a batch written again, or the whole topic read once more.
def test_known_rows_move_nothing(settings: Settings, sink: PostgresSink) -> None:
    verdicts = rows("01012220000111")
    for _ in range(2):
        sink.write(verdicts[:6])
    sink.write(verdicts[3:])
    once = stored(settings), moves(settings), remembered(settings)
    sink.write(verdicts)
    assert (stored(settings), moves(settings), remembered(settings)) == once
    assert once[0] == expected(settings, verdicts)


# Machines do not mix, and one that is calm leaves nothing but its rows.
def test_each_machine_has_its_own(settings: Settings, sink: PostgresSink) -> None:
    bad = rows("111", sensor_id="bad", partition=0)
    good = rows("000", sensor_id="good", partition=1)
    worse = rows("222", sensor_id="worse", partition=2)
    sink.write([one for trio in zip(bad, good, worse, strict=True) for one in trio])
    assert [(one.sensor_id, one.severity) for one in stored(settings)] == [
        ("bad", "warning"),
        ("worse", "critical"),
    ]
    assert [name for name, _ in remembered(settings)] == ["bad", "worse"]


# A bad row among good ones is refused, and takes no part in what the good ones open.
def test_a_bad_row_takes_no_part(settings: Settings, sink: PostgresSink) -> None:
    verdicts = rows("11101")
    verdicts[2] = row(3, anomaly_score=0.75, is_anomaly=True, confidence=1.5)
    outcome = sink.write(verdicts)
    assert [one.row for one in outcome.refused] == [verdicts[2]]
    assert stored(settings) == expected(settings, [*verdicts[:2], *verdicts[3:]])
    assert [one.opened_cycle for one in stored(settings)] == [5]


# When the process dies after the rows are written and before they are committed, neither rows nor
# moves are there, and the next try makes both.
def test_a_crash_before_the_commit_leaves_nothing(
    settings: Settings, sink: PostgresSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(connection: psycopg.Connection, changes: Any) -> None:
        write(connection, changes)
        connection.close()
        raise psycopg.OperationalError

    write = incidents._write
    monkeypatch.setattr(incidents, "_write", die)
    with pytest.raises(StoreAwayError):
        sink.write(rows("111"))
    monkeypatch.undo()
    assert do(settings, "SELECT count(*) FROM anomaly_events") == [(0,)]
    assert (stored(settings), moves(settings), remembered(settings)) == ([], [], [])
    sink.write(rows("111"))
    assert stored(settings) == expected(settings, rows("111"))


# While a machine is being worked on its verdicts are stored and mean nothing: an open incident is
# over, none opens, and the count begins anew after the last window that overlaps.
def test_maintenance_mutes(settings: Settings, sink: PostgresSink) -> None:
    early, during, late = rows("111"), rows("11", first=4), rows("11", first=6)
    sink.write(early)
    starts, ends = (one.event.event_time for one in during)
    do(
        settings,
        "INSERT INTO maintenance (sensor_id, starts_at, ends_at, reason, created_by)"
        " VALUES ('FD001-engine-001', %s, %s, 'bearing', 'me'), ('another', %s, %s, '', 'me')",
        *(starts, ends) * 2,
        role="operator",
    )
    sink.write([*during, *late])
    verdicts = [*early, *during, *late]
    assert stored(settings) == expected(settings, verdicts, Maintenance(starts, ends))
    assert [one.closed_why for one in stored(settings)] == ["maintenance"]
    assert remembered(settings) == [("FD001-engine-001", "11")]
    assert do(settings, "SELECT count(*) FROM anomaly_events") == [(7,)]


# A window that reaches back into the time of maintenance is muted, though its end lies after it.
def test_a_window_that_reaches_back_is_muted(settings: Settings, sink: PostgresSink) -> None:
    starts, ends = verdict(4).event_time, verdict(5).event_time
    do(
        settings,
        "INSERT INTO maintenance (sensor_id, starts_at, ends_at, reason, created_by)"
        " VALUES ('FD001-engine-001', %s, %s, '', 'me')",
        starts,
        ends,
        role="operator",
    )
    sink.write(rows("111", first=20, window_start=ends))
    assert (stored(settings), remembered(settings)) == ([], [])


# What a person says of an incident stays when the incident goes on.
def test_what_people_say_stays(settings: Settings, sink: PostgresSink) -> None:
    sink.write(rows("111"))
    do(
        settings,
        "UPDATE incidents SET acknowledged_at = now(), acknowledged_by = 'me', note = 'seen'",
        role="operator",
    )
    sink.write(rows("10000", first=4))
    (incident,) = stored(settings)
    assert (incident.acknowledged_by, incident.note) == ("me", "seen")
    assert (incident.anomalies, incident.closed_why) == (4, "recovered")
    assert [kind for kind, _ in moves(settings)] == ["opened", "acknowledged", "closed"]


# After a person has closed an incident the count begins anew.
def test_a_close_by_hand_starts_the_count_again(settings: Settings, sink: PostgresSink) -> None:
    sink.write(rows("111"))
    do(
        settings,
        "UPDATE incidents SET closed_at = now(), closed_by = 'me', closed_why = 'by hand'",
        role="operator",
    )
    sink.write(rows("11", first=4))
    assert len(stored(settings)) == 1
    sink.write(rows("1", first=6))
    assert [one.opened_cycle for one in stored(settings)] == [3, 6]


# While a person's act is not committed, the sink waits; if it takes too long, for its next try.
def test_a_persons_act_is_waited_for(settings: Settings, sink: PostgresSink) -> None:
    sink.write(rows("111"))
    with connect(settings, "operator") as person:
        person.execute("UPDATE incidents SET note = 'hm'")
        with pytest.raises(StoreAwayError) as away:
            sink.write(rows("1", first=4))
        assert away.value.why == "55"
    sink.write(rows("1", first=4))
    (incident,) = stored(settings)
    assert (incident.note, incident.anomalies) == ("hm", 4)


# A zombie that was stopped in mid-batch and its successor open one incident, whoever commits.
@pytest.mark.parametrize("commits", [True, False])
def test_a_zombie_and_its_successor_open_one(
    settings: Settings, sink: PostgresSink, monkeypatch: pytest.MonkeyPatch, *, commits: bool
) -> None:
    def interrupted(connection: psycopg.Connection, *rest: Any) -> None:
        monkeypatch.undo()
        with suppress(StoreAwayError):  # it waits for the zombie's keys, in vain
            sink.write(rows("11111"))
        if not commits:
            raise psycopg.OperationalError
        incidents.move(connection, *rest)

    zombie = sink_of(settings)
    monkeypatch.setattr("sinks.postgres.incidents.move", interrupted)
    with suppress(StoreAwayError):
        zombie.write(rows("1111"))
    zombie.close()
    sink.write(rows("11111"))
    assert stored(settings) == expected(settings, rows("11111"))
    assert moves(settings) == [("opened", "FD001-engine-001")]


# What a challenger says moves nothing.
def test_a_challenger_opens_nothing(settings: Settings) -> None:
    shadow = sink_of(settings, table=SHADOW_EVENTS)
    shadow.write(rows("222"))
    shadow.close()
    assert do(settings, "SELECT count(*) FROM shadow_events") == [(3,)]
    assert (stored(settings), moves(settings), remembered(settings)) == ([], [], [])


# The ends of the calendar are times like others, whatever the server's zone.
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"])
def test_the_ends_of_the_calendar(settings: Settings, sink: PostgresSink, time: str) -> None:
    database = settings.postgres.db
    do(settings, f"ALTER DATABASE \"{database}\" SET timezone = 'Asia/Tokyo'")
    sink.write(rows("111", event_time=time))
    sink.write(rows("1", first=4, event_time=time))
    (incident,) = stored(settings)
    assert (incident.opened_at, incident.anomalies) == (time, 4)

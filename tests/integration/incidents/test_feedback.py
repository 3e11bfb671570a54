"""What people say of incidents, on a real PostgreSQL and as the operator."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from connections.postgres import session
from incidents import feedback, queries
from incidents.precision import precision
from incidents.queries import Choice, Phase
from plantwatch.errors import RefusedError
from plantwatch.settings import Settings
from tests.support import stored

pytestmark = pytest.mark.real


def outbox(connection: psycopg.Connection) -> list[str]:
    return [kind for (kind,) in connection.execute("SELECT kind FROM outbox ORDER BY id")]


def acknowledged(settings: Settings, number: int, who: str, start: threading.Barrier) -> str:
    """What one of two people is told who acknowledge in the same moment."""
    with session(settings, "operator") as connection:
        start.wait()
        try:
            feedback.acknowledge(connection, number, who)
        except RefusedError as error:
            return str(error)
    return "done"


# Of two who acknowledge at once one wins; the other is told who, and when.
def test_of_two_at_once_one_wins(settings: Settings, owner: psycopg.Connection) -> None:
    for name in (f"FD001-engine-{number:03}" for number in range(10)):
        number = stored.incident(owner, name)
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as people:
            told = {
                who: people.submit(acknowledged, settings, number, who, start)
                for who in ("Ada", "Ben")
            }
        said = {who: one.result() for who, one in told.items()}
        [winner] = [who for who, words in said.items() if words == "done"]
        [loser] = set(said) - {winner}
        assert f"by {winner}, 20" in said[loser]
        assert queries.one(owner, number).acknowledged_by == winner
    assert outbox(owner) == ["opened", "acknowledged"] * 10


# A closed incident cannot be acknowledged; the one who tries is told who closed it, and when.
def test_a_closed_one_is_nobodys(owner: psycopg.Connection, operator: psycopg.Connection) -> None:
    number = stored.incident(owner)
    closed = feedback.close(operator, number, "Ada", "bearing changed")
    assert (closed.phase, closed.closed_by, closed.closed_why) == (Phase.CLOSED, "Ada", "by hand")
    assert (closed.judgement, closed.note) == ("real", "bearing changed")
    for act in (feedback.acknowledge, feedback.close):
        with pytest.raises(RefusedError, match=r"closed since 20.*by Ada"):
            act(operator, number, "Ben")
    by_itself = stored.incident(
        owner, "FD001-engine-002", closed_at=stored.at(120), closed_why="recovered"
    )
    with pytest.raises(RefusedError, match=r"2026-01-01 14:00:00 UTC, by itself \(recovered\)"):
        feedback.acknowledge(operator, by_itself, "Ben")


# What never was is told so, with a way to find what is.
def test_an_unknown_one_is_refused(operator: psycopg.Connection) -> None:
    for act in (feedback.acknowledge, feedback.close):
        with pytest.raises(RefusedError, match=r"no incident 77; .*incident list --all"):
            act(operator, 77, "Ada")
    with pytest.raises(RefusedError, match="no incident 77"):
        feedback.judge(operator, 77, "Ada", false_alarm=True)


# Calling it a false alarm closes an open incident, and lets its machine begin anew; a closed one is
# judged, and may be judged anew.
def test_a_false_alarm(owner: psycopg.Connection, operator: psycopg.Connection) -> None:
    number = stored.incident(owner)
    stored.insert(owner, "machine_states", {"sensor_id": stored.MACHINE, "recent": "0111"})
    feedback.judge(operator, number, "Ada", false_alarm=True, note="calibration")
    assert owner.execute("SELECT count(*) FROM machine_states").fetchone() == (0,)
    with pytest.raises(RefusedError, match="called false alarm already"):
        feedback.judge(operator, number, "Ben", false_alarm=True)
    again = feedback.judge(operator, number, "Ben", false_alarm=False)
    assert (again.judgement, again.closed_by, again.note) == ("real", "Ada", "calibration")
    assert outbox(owner) == ["opened", "closed"]


# Precision is the share of those judged that were real, with an interval that says how sure it is.
def test_precision_is_what_people_say(
    owner: psycopg.Connection, operator: psycopg.Connection
) -> None:
    assert str(precision(operator)) == "not known yet: none of 0 incidents has been judged"
    numbers = [stored.incident(owner, f"engine-{number}") for number in range(5)]
    for number in numbers[:3]:
        feedback.close(operator, number, "Ada")
    feedback.judge(operator, numbers[3], "Ada", false_alarm=True)
    found = precision(operator)
    assert (found.real, found.judged, found.total) == (3, 4, 5)
    assert found.interval == pytest.approx((0.3006, 0.9544), abs=1e-4)  # R: prop.test's score
    assert "75% of 4 judged incidents were real (95 %: 30% to 95%); 1 not judged" in str(found)


# What needs somebody comes first: open before closed, critical before warning, then by peak.
def test_the_list_has_the_worst_first(owner: psycopg.Connection) -> None:
    stored.incident(owner, "a", peak_score=0.9, closed_at=stored.at(1), closed_why="recovered")
    stored.incident(owner, "b", peak_score=0.6)
    stored.incident(owner, "c", peak_score=0.8)
    stored.incident(owner, "d", severity="critical", peak_score=0.7)
    stored.incident(owner, "e", acknowledged_at=stored.at(1), acknowledged_by="Ada")

    def names(choice: Choice, limit: int = 9) -> str:
        return "".join(one.sensor_id for one in queries.listed(owner, choice, limit))

    assert names(Choice()) == "dcbea"
    assert names(Choice(), limit=2) == "dc"
    assert names(Choice(closed=False)) == "dcbe"
    assert names(Choice(severity="warning", acknowledged=False)) == "cba"
    assert names(Choice(sensor_id="d")) == "d"
    assert names(Choice(since=stored.at(200))) == ""

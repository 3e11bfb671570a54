"""Maintenance windows on a real PostgreSQL, as the operator."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from connections.postgres import session
from incidents import maintenance
from incidents.maintenance import Maintenance
from plantwatch.errors import RefusedError
from plantwatch.settings import Settings
from tests.support import stored
from tests.support.stored import MACHINE, at

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def known(owner: psycopg.Connection) -> None:
    stored.verdict(owner, 30)


def add(
    connection: psycopg.Connection, start: int, end: int, machine: str = MACHINE
) -> Maintenance:
    """A window between two cycles."""
    return maintenance.add(connection, machine, at(start), at(end), reason="bearing", by="Ada")


# Windows of one machine may not meet, not in one instant; those of others may.
@pytest.mark.parametrize("other", [(10, 20), (5, 10), (20, 30), (12, 13), (0, 99)])
def test_an_overlap_is_refused(
    other: tuple[int, int], owner: psycopg.Connection, operator: psycopg.Connection
) -> None:
    stored.verdict(owner, 30, "FD001-engine-002")
    first = add(operator, 10, 20)
    with pytest.raises(RefusedError, match=rf"under maintenance {first.id} from .*bearing, Ada"):
        add(operator, *other)
    add(operator, *other, machine="FD001-engine-002")
    add(operator, 100, 110)
    assert len(maintenance.listed(operator, MACHINE)) == 2


# Of two that overlap, added in the same moment, one is refused.
def test_of_two_at_once_one_wins(settings: Settings, operator: psycopg.Connection) -> None:
    def try_it(number: int, start: threading.Barrier) -> bool:
        with session(settings, "operator") as connection:
            start.wait()
            try:
                add(connection, number, number + 10)
            except RefusedError:
                return False
            return True

    for begin in range(0, 500, 50):
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as people:
            done = [people.submit(try_it, begin + later, start) for later in (0, 5)]
        assert sorted(one.result() for one in done) == [False, True]
    assert len(maintenance.listed(operator)) == 10


# One that ends before it starts is refused, and so is one of a machine that nobody ever heard of:
# with the name that was meant, if there is one like it.
def test_what_cannot_be_is_refused(operator: psycopg.Connection) -> None:
    for end in (10, 5):
        with pytest.raises(RefusedError, match="not after its start at 2026-01-01 12:10:00 UTC"):
            add(operator, 10, end)
    with pytest.raises(RefusedError, match=r"stored of a machine 'FD001-engine-01'.*mean 'FD001-"):
        add(operator, 10, 20, "FD001-engine-01")
    assert maintenance.listed(operator) == []


# A machine that is warming up has readings only, and is known.
def test_a_reading_is_enough(owner: psycopg.Connection, operator: psycopg.Connection) -> None:
    row = {"sensor_id": "new", "cycle": 1, "event_time": at(1), "published_at": at(1)}
    where = {"source_partition": 0, "source_offset": 7}
    stored.insert(owner, "readings", row | where | {"values": [1.0, 2.0]})
    assert add(operator, 10, 20, "new").sensor_id == "new"


# It ends when somebody says so, once; one that has not begun is called off.
def test_it_ends_early(operator: psycopg.Connection) -> None:
    first = add(operator, 10, 20)
    assert maintenance.end(operator, first.id, at(15)).ends_at == at(15)
    with pytest.raises(RefusedError, match="has ended already, at 2026-01-01 12:15:00 UTC"):
        maintenance.end(operator, first.id, at(16))
    later = add(operator, 30, 40)
    assert maintenance.end(operator, later.id, at(20)).called_off
    with pytest.raises(RefusedError, match=rf"no maintenance {later.id}; .*list --all"):
        maintenance.end(operator, later.id, at(35))
    assert maintenance.listed(operator, since=at(16)) == []

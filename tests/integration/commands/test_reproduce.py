"""`plantwatch reproduce` and `explain` on what a real worker and a real sink stored."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from connections.kafka import ensure_topics
from connections.postgres import connect
from local_stack.free import free_ports
from plantwatch.configuration import with_changes
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from tests.support import plant, topics
from tests.support import stored as rows_of
from tests.support.commands import Command
from tests.support.small_training import cached_model, small_fleet

pytestmark = pytest.mark.real

MACHINE = "FD001-engine-001"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Those of a pipeline with a small model and no registry; topics and table are made."""
    cached_model(tmp_path / "models")
    away = f"http://127.0.0.1:{free_ports(1)[0]}"
    own = with_changes(settings, "model", cache=tmp_path / "models")
    own = with_changes(own, "mlflow", tracking_uri=away)
    ensure_topics(own)
    upgrade(own)
    return own


@pytest.fixture
def stored(settings: Settings, tmp_path: Path) -> Settings:
    """A worker and a sink have stored the verdicts on a fleet."""
    fleet = small_fleet("test")
    topics.publish(settings, [plant.reading(fleet, row) for row in plant.rows(fleet)])
    wanted = int((fleet.cycle >= settings.window.length).sum())
    with ExitStack() as stack:
        for arguments in (("worker",), ("sink", "postgres")):
            command = Command(tmp_path / arguments[0], settings, *arguments)
            stack.callback(command.wait)
            stack.callback(command.process.kill)
        command.until(lambda: rows(settings) == wanted)
    return settings


def rows(settings: Settings) -> int:
    with connect(settings, "owner") as connection:
        found = connection.execute("SELECT count(*) FROM anomaly_events").fetchone()
    return 0 if found is None else int(found[0])


@pytest.fixture
def reproduce(stored: Settings, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """The command for a cycle of MACHINE, or an incident: exit code, and all it says."""

    def run(
        cycle: int = 0, command: str = "reproduce", incident: int | None = None
    ) -> tuple[int, str]:
        folder = tmp_path / f"reproduce-{len(list(tmp_path.iterdir()))}"
        options = ["--sensor-id", MACHINE, "--cycle", str(cycle)]
        if incident is not None:
            options = ["--incident", str(incident)]
        started = Command(folder, stored, command, *options)
        return started.wait(), started.said

    return run


# The stored score is found again, to the last bit that matters, with the readings it stands on; a
# row that says something else is found out; and what cannot be told is one line with the reason.
def test_a_verdict_is_found_again(
    stored: Settings, reproduce: Callable[..., tuple[int, str]]
) -> None:
    code, said = reproduce(40)
    assert code == 0, said
    assert "cycles 11-40" in said
    assert "isolation_forest_v1" in said

    code, said = reproduce(40, "explain")
    assert code == 0, said
    named = {line.split()[0] for line in said.splitlines() if line.strip()}
    assert set(map(str, stored.features.sensors)) <= named, said
    assert "the median of training machines at this score" in said
    assert_one_line(reproduce(3, "explain"), 65, "no verdict")

    number, verdicts = incident_of(stored)
    code, said = reproduce(incident=number)
    assert code == 0, said
    assert f"verdicts    {verdicts}, cycles 30-" in said
    assert "at most, at cycle" in said

    with connect(stored, "owner") as connection:
        connection.execute("UPDATE anomaly_events SET anomaly_score = 0.125 WHERE cycle = 40")
    code, said = reproduce(40)
    assert (code, "NOT THE SAME" in said) == (1, True), said

    code, said = reproduce(incident=number)
    assert (code, "at cycle 40; 1 ARE NOT THE SAME" in said) == (1, True), said

    assert_one_line(reproduce(3), 65, "no verdict")
    assert_one_line(reproduce(incident=10_000), 1, "no incident 10000")
    shutil.move(stored.model.cache, stored.model.cache.with_name("elsewhere"))
    assert_one_line(reproduce(41), 69, "MLflow")
    shutil.move(stored.model.cache.with_name("elsewhere"), stored.model.cache)
    topics.forget(stored, topics.ends(stored, stored.topics.readings))
    assert_one_line(reproduce(41), 65, "retention has removed")


def incident_of(settings: Settings) -> tuple[int, int]:
    """An incident as long as all that is stored of MACHINE; its number, and how many verdicts."""
    query = """
        SELECT source_partition, min(first_offset), max(last_offset), count(*) FROM anomaly_events
        WHERE sensor_id = %s GROUP BY source_partition
    """
    with rows_of.owner(settings) as owner:
        found = owner.execute(query, [MACHINE]).fetchone()
        assert found is not None
        partition, first, last, verdicts = found
        where = {"source_partition": partition, "first_offset": first, "last_offset": last}
        closed = {"closed_at": rows_of.at(200), "closed_why": "recovered"}
        return rows_of.incident(owner, MACHINE, **where, **closed), verdicts


def assert_one_line(result: tuple[int, str], code: int, says: str) -> None:
    assert result[0] == code, result
    [line] = result[1].splitlines()
    assert line.startswith("plantwatch: ")
    assert says in line

"""`plantwatch incident` and `maintenance`, as a person runs them, on a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

import pytest

from plantwatch.settings import Postgres, Settings
from tests.support import stored
from tests.support.commands import Command

pytestmark = pytest.mark.real

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def settings(database: Postgres) -> Settings:
    return stored.with_tables(database)


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command: its exit code, and all it says, in lines of 100 columns at most."""
    monkeypatch.setenv("USER", "ada")

    def run(*arguments: str) -> tuple[int, str]:
        started = Command(tmp_path / str(len(list(tmp_path.iterdir()))), settings, *arguments)
        code = started.wait()
        assert max(map(len, started.said.splitlines()), default=0) <= 100 or code, started.said
        return code, started.said

    return run


# An incident's way, from the list to the verdict of people, each step told; what comes too late is
# one line that says who was first, and exit code 1.
def test_an_incidents_way(settings: Settings, run: Run) -> None:
    assert "no open incidents" in run("incident", "list")[1]
    with stored.owner(settings) as owner:
        number = str(stored.incident(owner, severity="critical"))
    code, said = run("incident", "list")
    assert code == 0, said
    assert "2026-01-01 13:40:00" in said
    assert "nobody yet" in said

    assert run("incident", "ack", number)[0] == 0
    code, said = run("incident", "ack", number, "--by", "Ben")
    assert (code, said.count("\n")) == (1, 1), said
    assert "acknowledged already: by ada" in said

    said = run("incident", "show", number)[1]
    assert f"incident {number}, {stored.MACHINE}, critical, acknowledged" in said
    assert f"next: plantwatch incident close {number}" in said
    assert run("incident", "false-alarm", number, "--note", "calibration")[0] == 0
    said = run("incident", "list", "--all")[1]
    assert "false alarm" in said
    assert "0% of 1 judged incidents were real" in said
    assert run("incident", "close", number)[0] == 1
    assert run("incident", "ack", number, "--by", " ")[0] == 2


# Maintenance from its beginning to its end; what cannot be is refused in one line, with the reason.
def test_maintenance(settings: Settings, run: Run) -> None:
    add = ("maintenance", "add", "--reason", "bearing", "--sensor-id")
    code, said = run(*add, stored.MACHINE, "--hours", "4")
    assert (code, "nothing is stored of a machine" in said) == (1, True), said
    with stored.owner(settings) as owner:
        stored.verdict(owner, 30)
    code, said = run(*add, stored.MACHINE, "--hours", "4")
    assert code == 0, said
    code, said = run(*add, stored.MACHINE, "--hours", "4", "--by", "Ben")
    assert (code, said.count("\n")) == (1, 1), said
    assert "(bearing, ada), which this would overlap" in said
    times = ("--start", "2030-01-02T00:00:00", "--end", "2030-01-01T00:00:00")
    assert "not after its start" in run(*add, stored.MACHINE, *times)[1]
    assert "bearing" in run("maintenance", "list")[1]
    assert run("maintenance", "end", "1")[0] == 0
    assert "has ended already" in run("maintenance", "end", "1")[1]
    assert "--all shows past ones" in run("maintenance", "list")[1]

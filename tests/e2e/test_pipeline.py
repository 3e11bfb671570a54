"""The whole pipeline as `plantwatch up` runs it: servers, training, worker and sinks."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import local_stack
from connections.postgres import connect
from data import cmapss
from data.fleet import Fleet
from demo import tour
from demo.account import expected
from demo.tour import Screen, Tour
from local_stack.free import free_addresses
from local_stack.pipeline import environment_of
from local_stack.process import State, Status
from plantwatch.configuration import load
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from tests.support.listening import descendants, listeners
from tests.support.pages import commands, tabled, words
from tests.support.servers import CONFIGS
from tests.support.small_training import SMALL, small_fleet

pytestmark = pytest.mark.real

_TEXT = (CONFIGS.parent / "README.md").read_text(encoding="utf-8")
README = list(dict.fromkeys([*commands(_TEXT), *tabled(_TEXT)]))
RUN = {
    *("plantwatch incident", "plantwatch reproduce", "plantwatch maintenance"),
    *("plantwatch evaluate --experiment", "plantwatch models list", "plantwatch alerts$"),
    *("make status", "make ledger", "make dlq ARGS=list", "make reproduce", "make explain"),
}
NOT_RUN = {
    "make (demo|test|train|evaluate|replay|watch|up|down|faults|soak)": "has a test of its own",
    "make doctor": "has a test of its own, and fails on a machine that is short of something",
    "make bench": "takes a quiet machine, and minutes",
    "make dashboard": "serves until it is stopped; tests/integration/dashboard",
    "make serve": "serves until it is stopped; tests/integration/api",
    "curl": "tests/unit/api and tests/integration/api ask the same, at a free port",
    "make docker-": "needs Docker; tests/contract/test_compose.py",
    "plantwatch drift": "takes NASA's files; has tests of its own",
    "plantwatch grafana": "needs a Grafana; tests/unit/grafana/test_publish.py",
    "docker": "needs Docker",
}
"""What is not run here, by how it begins, and why."""


@dataclass(frozen=True)
class Plant:
    """A running stack with a folder of its own, which is also where this process stands."""

    settings: Settings
    folder: Path
    statuses: list[Status]

    def kill(self, name: str) -> None:
        """As `kill -9` does, and without asking whether it is a good moment."""
        pid = self.process(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def process(self, name: str) -> Status:
        (found,) = (one for one in self.statuses if one.name == name)
        return found


@contextlib.contextmanager
def variable(name: str, value: Path) -> Iterator[None]:
    """An environment variable, for this process and those that it starts meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, str(value))
        yield


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """Everything up, with a model trained on a small simulated fleet, in small chunks.

    The folder is not pytest's: PostgreSQL's own user may not enter that.
    """
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for part in ("train", "test"):
            cmapss.write(small_fleet(part), folder / "cmapss")
        environ = SMALL | free_addresses() | {"WORKER_CHUNK_SIZE": "4", "SINK_BATCH_ROWS": "100"}
        settings = load(CONFIGS, environ)
        stack.enter_context(contextlib.chdir(folder))  # everything writes to .local/
        stack.enter_context(variable("PLANTWATCH_CONFIG", CONFIGS))
        # Only for the training: NASA's files are looked for under the same name.
        with variable("CMAPSS_DIR", folder / "cmapss"):
            running = stack.enter_context(local_stack.running(local_stack.plan(settings)))
        yield Plant(running.settings, folder, running.statuses)


def _ignore(_: object) -> None:
    """Nobody is watching."""


def _tour(plant: Plant, fleet: Fleet, left: Callable[[int], None] = _ignore) -> Tour:
    """One pass, with its account in order and every stored score that of the model offline."""
    result = tour.run(plant.settings, fleet, Screen(_ignore, left, _ignore))
    windows = len(expected(fleet, plant.settings.window.length))
    account = result.account
    assert account.in_order, account
    assert (account.published, account.stored) == (len(fleet.cycle), windows)
    assert (account.lost, account.doubled) == (0, 0)
    assert result.parity.windows == windows
    assert result.parity.largest <= TOLERANCE
    return result


# All readings of a fleet are accounted for: scored or warming up, every verdict stored once, each
# equal to what the same model says offline.
def test_a_replay_is_accounted_for(plant: Plant) -> None:
    account = _tour(plant, small_fleet("test")).account
    assert (account.duplicate, account.late, account.conflict, account.rejected) == (0, 0, 0, 0)
    assert account.scored == account.published - account.warm_up
    assert account.source == "simulated, not NASA data"
    assert {one.state for one in plant.statuses} == {State.READY, State.DONE}


# Nobody off this machine can talk to anything that was started: all of it listens on its loopback.
@pytest.mark.skipif(sys.platform != "linux", reason="who listens where is asked of Linux's /proc")
def test_everything_listens_on_loopback_only(plant: Plant) -> None:
    found = listeners(descendants(os.getpid()))
    assert [(one.program, one.address) for one in found if not one.address.is_loopback] == []
    ports = {one.port for one in found}
    settings = plant.settings
    served = {
        settings.stack.kafka_controller_port,
        settings.postgres.port,
        settings.worker.metrics_port,
        settings.sink.postgres_metrics_port,
        settings.outbox.metrics_port,
        settings.streamlit.port,
        *(
            int(one.rpartition(":")[2])
            for one in (
                settings.kafka.bootstrap_servers,
                settings.mlflow.tracking_uri,
            )
        ),
    }
    assert served <= ports, "looked for in the wrong place"


# A socket that is open to others is seen, whichever family it is of: the test above is awake.
@pytest.mark.skipif(sys.platform != "linux", reason="who listens where is asked of Linux's /proc")
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104 (for a moment)
def test_an_open_socket_is_seen(host: str) -> None:
    with socket.create_server((host, 0)) as server:
        port = server.getsockname()[1]
        (found,) = (one for one in listeners({os.getpid()}) if one.port == port)
    assert str(found.address) == host


# Worker and sink, killed in mid-run (kill -9), are started again, and nothing is lost or doubled.
def test_kills_lose_nothing(plant: Plant) -> None:
    fleet = small_fleet("train", engines=60)
    victims = {"worker": 0.8, "sink-postgres": 0.4}  # and the share left to do when they die

    def sabotage(left: int) -> None:
        for name, share in list(victims.items())[:1]:
            if left < share * len(fleet.cycle):
                assert left > 0, f"{name} was done before it could be killed"
                plant.kill(name)
                del victims[name]

    _tour(plant, fleet, sabotage)
    assert not victims
    assert plant.process("worker").restarts == plant.process("sink-postgres").restarts == 1
    assert plant.process("worker").reason == "signal 9"


# NASA's FD001 test: 100 engines, 13,096 readings, of which each engine's first 29 warm up.
@pytest.mark.nasa
def test_nasas_test_fleet(plant: Plant, cmapss_dir: Path) -> None:
    account = _tour(plant, cmapss.read(cmapss_dir, "FD001", "test", "NASA C-MAPSS")).account
    assert (account.published, account.scored, account.warm_up) == (13_096, 10_196, 2_900)


def _plantwatch(plant: Plant, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The console script, as a person runs it in the plant's folder."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("plantwatch")), *arguments],
        cwd=plant.folder,
        env=os.environ
        | environment_of(plant.settings)
        | {"CMAPSS_DIR": str(plant.folder / "cmapss"), "USER": "somebody"},
        capture_output=True,
        text=True,
        check=False,
    )


# `plantwatch demo` on a stack that is up ends with a summary and its account, exit code 0, and
# leaves the stack up.
def test_the_demonstration(plant: Plant) -> None:
    fleet = small_fleet("test")
    shown = _plantwatch(plant, "demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "every reading is accounted for" in shown.stdout
    account = json.loads((plant.folder / ".local" / "demo.json").read_text(encoding="utf-8"))
    assert list(account) == [
        *("source", "published", "scored", "warm_up", "duplicate", "late", "conflict"),
        *("rejected", "stored", "lost", "doubled", "anomalies", "seconds"),
    ]
    assert account["published"] == len(fleet.cycle)
    assert account["stored"] == account["scored"] == len(expected(fleet, 30))
    assert (account["lost"], account["doubled"]) == (0, 0)
    assert plant.process("worker").state is State.READY


# `plantwatch demo --help` says what it does and what its exit code means.
def test_the_demonstration_explains_itself(plant: Plant) -> None:
    shown = _plantwatch(plant, "demo", "--help")
    assert shown.returncode == 0
    assert "--keep" in shown.stdout
    assert "Exit code 0" in shown.stdout


# What README.md shows to whoever has a stack up does what it says, in this order and as it stands.
def test_the_commands_of_the_readme(plant: Plant) -> None:
    _tour(plant, small_fleet("train"))  # to failure: their incidents stay open
    with connect(plant.settings, "reader") as connection:
        found = connection.execute(
            "SELECT id FROM incidents WHERE closed_at IS NULL ORDER BY id LIMIT 2"
        ).fetchall()
    one, other = (str(number) for (number,) in found)
    some = {"12": one, "13": other, "X": "FD001-engine-001", "N": "40"}
    for command in README:
        if any(re.match(pattern, command) for pattern in RUN):
            shown = _plantwatch(plant, *(some.get(w, w) for w in _as_plantwatch(command)))
            assert shown.returncode == 0, f"{command}: {shown.stdout}{shown.stderr}"


# Every command of README.md is run here, or there is a reason why not.
def test_no_command_of_the_readme_is_forgotten() -> None:
    said = RUN | NOT_RUN.keys()
    assert [one for one in README if not any(re.match(pattern, one) for pattern in said)] == []
    assert [pattern for pattern in said if not any(re.match(pattern, one) for one in README)] == []


def _as_plantwatch(command: str) -> list[str]:
    """`make X ARGS=...` is `plantwatch X ...`, as tests/unit/test_makefile.py shows."""
    first, *rest = words(command)
    if first == "make":
        rest = [word for text in rest for word in shlex.split(text.removeprefix("ARGS="))]
    return rest

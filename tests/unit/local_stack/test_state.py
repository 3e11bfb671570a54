"""What `status` and `down` make of what a stack left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_stack import state
from local_stack.process import State, Status
from plantwatch.errors import ConfigError

KAFKA = Status("kafka", State.READY, "127.0.0.1:9092", 42, 1, "exit 1: boom")


def snapshot(pid: int) -> state.Snapshot:
    return state.Snapshot(pid, settled=True, processes=[KAFKA])


def test_a_running_stack_is_read_as_it_was_written(tmp_path: Path) -> None:
    with state.held(tmp_path):
        state.write(tmp_path, snapshot(os.getpid()))
        assert state.read(tmp_path) == snapshot(os.getpid())


# A dead supervisor's pid may be another's by now: here it is this test's, which must live.
def test_the_state_of_a_dead_supervisor_is_nobodys(tmp_path: Path) -> None:
    with state.held(tmp_path):
        pass
    state.write(tmp_path, snapshot(os.getpid()))
    assert not state.stop(tmp_path, patience=0)
    assert state.read(tmp_path) is None


def test_a_second_stack_is_refused(tmp_path: Path) -> None:
    with state.held(tmp_path), pytest.raises(ConfigError, match="already up"):  # noqa: SIM117 - the second one raises
        with state.held(tmp_path):
            pass


# A supervisor that does not listen to SIGTERM is killed.
@pytest.mark.parametrize("ignores", [False, True], ids=["gentle", "stubborn"])
def test_down_returns_when_the_supervisor_is_gone(tmp_path: Path, *, ignores: bool) -> None:
    code = f"""
import os, pathlib, signal
from local_stack import state
signal.signal(signal.SIGTERM, signal.SIG_IGN if {ignores} else signal.SIG_DFL)
home = pathlib.Path({str(tmp_path)!r})
with state.held(home):
    state.write(home, state.Snapshot(os.getpid(), True, []))
    print("up", flush=True)
    while True: signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"up\n"
        assert state.stop(tmp_path, patience=0 if ignores else 60)
        assert supervisor.wait() == -(signal.SIGKILL if ignores else signal.SIGTERM)

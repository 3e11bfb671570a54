"""The two scripts that run in containers."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from pytest_httpserver import HTTPServer

from local_stack.free import free_ports
from tests.support.waiting import until

FOLDER: Final = Path(__file__).parents[3] / "docker"


def healthy(port_and_path: str) -> int:
    script = str(FOLDER / "healthy.py")
    return subprocess.run(
        [sys.executable, script, port_and_path], capture_output=True, check=False
    ).returncode


# Healthy is what answers with success; an error, or nobody, is not.
def test_healthy_is_what_answers_with_success(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics").respond_with_data("up 1")
    httpserver.expect_request("/readyz").respond_with_data("no model", status=503)
    assert healthy(f"{httpserver.port}/metrics") == 0
    assert healthy(f"{httpserver.port}/readyz") == 1
    [nobody] = free_ports(1)
    assert healthy(f"{nobody}/metrics") == 1


class Halting:
    """halt.sh around a `python` that does as it is told."""

    def __init__(self, folder: Path, program: str) -> None:
        python = folder / "python"
        python.write_text(f"#!/bin/sh\n{program}\n")
        python.chmod(0o755)
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [FOLDER / "halt.sh", "worker", "--flag"],
            env={"PATH": f"{folder}:/usr/bin:/bin"},
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self, what: str) -> bool:
        return what in self.log.read_text()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(10)


# Any other end is the container's own: Docker starts it again.
@pytest.mark.parametrize("code", [0, 1, 69, 78])
def test_an_exit_code_is_passed_on(tmp_path: Path, code: int) -> None:
    halting = Halting(tmp_path, f'echo "$@"; exit {code}')
    assert halting.process.wait(10) == code
    assert halting.said("-m commands.app worker --flag")


# After 65 it stays, so that Docker starts nothing; it says why, and ends when it is told to.
def test_it_waits_for_a_person_after_65(tmp_path: Path) -> None:
    halting = Halting(tmp_path, "exit 65")
    until(lambda: halting.said("halted: mend"))
    assert halting.process.poll() is None
    assert halting.end() == 0
    with pytest.raises(ProcessLookupError):  # and leaves nothing behind
        os.killpg(halting.process.pid, signal.SIGTERM)


# SIGTERM reaches the command, which finishes its work; its exit code is the container's.
def test_a_command_may_finish_its_work(tmp_path: Path) -> None:
    work = "trap 'sleep 0.1; echo drained; exit 75' TERM; echo ready; while :; do sleep 0.05; done"
    halting = Halting(tmp_path, work)
    until(lambda: halting.said("ready"))
    assert halting.end() == 75
    assert halting.said("drained")

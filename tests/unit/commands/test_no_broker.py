"""Commands that look at topics where there is no broker."""

import subprocess
import sys

import pytest


# They end with exit 69 and one line that names the address and the way out.
@pytest.mark.parametrize("command", ["watch", "dlq list", "ledger"])
def test_no_broker_is_one_line(command: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "commands.app", *command.split()],
        env={"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 69
    assert len(run.stderr.splitlines()) == 1
    assert "127.0.0.1:1" in run.stderr
    assert "make up" in run.stderr

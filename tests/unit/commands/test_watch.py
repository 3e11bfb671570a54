"""`plantwatch watch` without anything to watch."""

import subprocess
import sys


# Without a broker it ends with exit 69 and one line that names the address and the way out.
def test_no_broker_is_one_line() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "commands.app", "watch"],
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

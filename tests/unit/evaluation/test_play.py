"""Playing an evaluation in processes of its own."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_SEC

SCRIPT = """
import os, signal, sys
from evaluation.play import play
from tests.support.small_training import small_fleet, small_settings

class Waits:
    name = type = "waits"
    peer = False
    settings = small_settings(EVALUATION_PROCESSES="2")

    def play(self, *_):
        with open(sys.argv[1], "w") as fifo:
            print(os.getpid(), file=fifo, flush=True)
            signal.pause()

if __name__ == "__main__":
    play([Waits()], "official", 2, small_fleet("train"), small_fleet("test"))
"""


# Whoever stops an evaluation stops what it started, too, whether it can still say so or not.
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_survives_an_evaluation_that_is_ended(
    how: signal.Signals, tmp_path: Path
) -> None:
    script, fifo = tmp_path / "script.py", tmp_path / "held"
    script.write_text(SCRIPT)
    os.mkfifo(fifo)
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, str(script), str(fifo)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as evaluation:
        with fifo.open() as held:
            fitting = [int(held.readline()) for _ in range(2)]
            evaluation.send_signal(how)
            ended, _, _ = select.select([held], [], [], PATIENCE_SEC)
        for left in fitting if not ended else ():
            os.kill(left, signal.SIGKILL)
        assert ended, "nobody closed the other end"

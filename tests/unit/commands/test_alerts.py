"""`plantwatch alerts`, as a process of its own: the table for people, the files for programs."""

import os
import subprocess
import sys
from pathlib import Path

from monitoring import files
from monitoring.alerts import table
from plantwatch.configuration import load
from tests.support.servers import CONFIGS


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "commands.app", "alerts", *words],
        cwd=folder,
        env=os.environ | {"PLANTWATCH_CONFIG": str(CONFIGS), "COLUMNS": "200"} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


# A person sees every alert, how bad it is, and when it fires.
def test_it_shows_the_table(tmp_path: Path) -> None:
    shown = run(tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert {line.split()[0] for line in shown.stdout.splitlines() if "min" in line} >= {
        one.name for one in table(load(CONFIGS, {}))
    }
    assert 'up{job=~"worker|sink-postgres|outbox"} == 0' in shown.stdout
    assert list(tmp_path.iterdir()) == []


# Anywhere, by the settings of the moment.
def test_it_writes_the_files(tmp_path: Path) -> None:
    written = run(tmp_path, "--write", "--folder", "here", ALERTS_LAG_READINGS="77")
    assert written.returncode == 0, written.stderr
    wanted = files.files(load(CONFIGS, {"ALERTS_LAG_READINGS": "77"}))
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "here").iterdir()} == wanted


# Where it may not write it says so in one line.
def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = run(tmp_path, "--write", "--folder", "file")
    assert refused.returncode == 78
    assert refused.stderr.startswith("plantwatch: file: ")
    assert len(refused.stderr.splitlines()) == 1

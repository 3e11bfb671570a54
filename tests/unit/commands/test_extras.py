"""Commands where not everything is installed."""

import os
import subprocess
import sys

import pytest

from local_stack.free import free_addresses
from tests.support.servers import CONFIGS

RUN = """
import sys
sys.modules[sys.argv[1]] = None  # as if it were not there
sys.argv[1:] = sys.argv[2:]
from commands.app import main
main()
"""


# Whoever lacks a package is told its name and what has it, in one line.
@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("streamlit", ["dashboard"]),
        ("river", ["drift", "watch"]),
        ("grafana_foundation_sdk", ["grafana", "check"]),
    ],
)
def test_a_missing_package_is_one_line(missing: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, missing, "--config", str(CONFIGS), *words],
        env=os.environ | free_addresses(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith(f"plantwatch: {missing}")
    assert line.endswith("is not installed; `make install` has it")

"""What a machine's history costs: resident bytes, in a process that does nothing else.

python -m benchmarks.edges.memory 64 10000      (readings of each of so many machines)
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.processes import resident_bytes
from data.fleet import SENSORS, SETTINGS
from plantwatch.configuration import load
from plantwatch.decode import Reading
from plantwatch.settings import Window
from plantwatch.windows import Windower

MACHINES: Final = 10_000
"""So many that the pages the process needs for other things do not show."""
READINGS: Final = (1, 29, 64)
"""A first one; one fewer than a window needs, the most that is kept packed; a full history."""


def bytes_per_machine(readings: int, machines: int = MACHINES) -> int:
    """Ask a fresh process: memory that another filling has freed would be used again."""
    command = [sys.executable, "-m", "benchmarks.edges.memory", str(readings), str(machines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


def growth(rule: Window, machines: int, readings: int) -> int:
    """Resident bytes by which the process grows when a windower takes so many readings of each.

    They come as a plant sends them: all machines' first readings, then their second ones.
    """
    width = SETTINGS + SENSORS
    windower = Windower(rule, width)
    values, out = np.ones(width, np.float32), np.empty((rule.length, width), np.float32)
    windower.push(0, Reading("another", 1, 1, []), values, out)
    before = resident_bytes()
    for number in range(machines * readings):
        cycle, machine = divmod(number, machines)
        reading = Reading(f"FD001-engine-{machine:05d}", 1 + cycle, 1 + cycle * 1_000_000, [])
        windower.push(1 + number, reading, values, out)
    grown = resident_bytes() - before
    assert len(windower) == 1 + machines
    return grown


def main() -> None:
    """Print the bytes per machine; the arguments are those of `bytes_per_machine`."""
    readings, machines = map(int, sys.argv[1:])
    configs = Path(os.environ.get("PLANTWATCH_CONFIG", "configs"))
    rule = load(configs, {}).window
    sys.stdout.write(f"{growth(rule, machines, readings) // machines}\n")


if __name__ == "__main__":
    main()

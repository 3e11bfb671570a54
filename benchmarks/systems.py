"""Who is measured, and how each of them is started."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import rival_environment
from benchmarks.processes import Child, running
from benchmarks.results import FOLDER
from plantwatch.errors import UnavailableError

OFFLINE: Final = "offline"
PLAIN: Final = "plain"
PLANTWATCH: Final = "plantwatch"


@dataclass(frozen=True, slots=True)
class System:
    """A program that scores what the topic of readings holds.

    Attributes:
        name: as in the result.
        arguments: of its Python; it runs in the project's folder.
        bounded: so slow that it is measured for a time, not until all is scored.
        rival: it runs in the rivals' own environment.
    """

    name: str
    arguments: tuple[str, ...]
    bounded: bool = False
    rival: bool = False


SYSTEMS: Final = (
    System(OFFLINE, ("-m", "benchmarks.offline", str(FOLDER / "offline.json"))),
    System(PLAIN, ("-m", "benchmarks.plain_loop")),
    System(PLANTWATCH, ("-m", "commands.app", "worker")),
    System(
        "faust_by_the_book",
        ("-m", "faust", "-A", "benchmarks.rivals.faust_by_the_book", "worker", "-l", "warn"),
        bounded=True,
        rival=True,
    ),
    System("quixstreams", ("-m", "benchmarks.rivals.quix"), bounded=True, rival=True),
    System("bytewax", ("-m", "benchmarks.rivals.bytewax_flow"), rival=True),
)
"""In the order of a round; what is offline comes first, since the others are held against it."""


def available() -> tuple[list[System], str]:
    """The systems that can run here; and why others cannot, or nothing."""
    try:
        rival_environment.ensure()
    except UnavailableError as error:
        left_out = ", ".join(one.name for one in SYSTEMS if one.rival)
        return [one for one in SYSTEMS if not one.rival], f"without {left_out}: {error}"
    return list(SYSTEMS), ""


def process(system: System, environ: Mapping[str, str]) -> AbstractContextManager[Child]:
    """A system at work for the length of the block, on the last core where that can be said."""
    log = log_of(system)
    log.unlink(missing_ok=True)
    return running(_command(system), environ, log)


def log_of(system: System) -> Path:
    """What its last run printed."""
    return FOLDER / f"{system.name}.log"


def _command(system: System) -> Sequence[str]:
    python = rival_environment.HOME / "bin/python" if system.rival else Path(sys.executable)
    pin = ("taskset", "-c", str((os.cpu_count() or 1) - 1)) if shutil.which("taskset") else ()
    return [*pin, str(python), *system.arguments]

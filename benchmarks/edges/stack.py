"""Servers and processes of the measurement's own, on free ports, in a folder that is removed."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import local_stack
from benchmarks.processes import Child, running
from benchmarks.results import FOLDER
from local_stack.free import free_addresses
from local_stack.pipeline import command, environment_of
from plantwatch.configuration import load
from plantwatch.settings import Settings

LOG: Final = FOLDER / "edges.log"
"""What the measured processes print."""


@contextmanager
def servers(configs: Path) -> Iterator[tuple[Settings, Path]]:
    """Kafka and PostgreSQL, with the shipped settings; the settings, and the folder of all data.

    Raises:
        UnavailableError: Kafka's jars are neither cached nor to be had.
    """
    home = (FOLDER / "edges").resolve()
    shutil.rmtree(home, ignore_errors=True)
    LOG.unlink(missing_ok=True)
    try:
        planned = local_stack.plan(load(configs, free_addresses()), ("kafka", "postgres"), home)
        with local_stack.running(planned) as stack:
            yield stack.settings, home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def process(
    settings: Settings, home: Path, *words: str, environ: Mapping[str, str] = MappingProxyType({})
) -> AbstractContextManager[Child]:
    """`plantwatch` with these words, at work in `home` for the length of the block."""
    return running(command(*words), environment_of(settings) | dict(environ), LOG, folder=home)

"""Servers and processes of the measurement's own, on free ports, in a folder that is removed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import local_stack
from local_stack.free import free_addresses
from local_stack.pipeline import environment_of
from plantwatch.configuration import load
from plantwatch.settings import Settings

FOLDER: Final = Path(".local/bench")
LOG: Final = FOLDER / "edges.log"
"""What the measured processes say."""


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


@contextmanager
def process(
    settings: Settings, home: Path, *words: str, environ: Mapping[str, str] | None = None
) -> Iterator[int]:
    """`plantwatch` with these words, at work in `home`; its pid. Ended by SIGTERM."""
    with LOG.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "commands.app", *words],
            cwd=home,
            env=os.environ | environment_of(settings) | dict(environ or {}),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait()

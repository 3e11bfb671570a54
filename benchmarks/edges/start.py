"""The seconds from starting `plantwatch worker` to its first verdict, and what it imports."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.edges.stack import LOG, process
from benchmarks.isolation import isolated_worker
from connections.kafka import ensure_topics
from connections.tail import tail
from data.fleet import Fleet
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings
from producers import kafka

UNWANTED: Final = ("torch", "mlflow")
"""Packages that take seconds and hundreds of megabytes to import, and that scoring never needs."""

_PATIENCE_SEC: Final = 60.0


def run(settings: Settings, home: Path, fleet: Fleet, starts: int) -> Iterator[float]:
    """Publish a fleet, then start one worker after another on it, each in a group of its own.

    The model is in `model.cache`. A start before the first is not counted: the disk is cold.

    Raises:
        UnavailableError: a worker gave no verdict.
    """
    kafka.replay(settings, fleet, manifest=home / "waiting.json")
    for number in range(starts + 1):
        seconds = _start(isolated_worker(settings, f"start-{number}"), home)
        if number:
            yield seconds


def imported(settings: Settings, home: Path) -> tuple[str, ...]:
    """Which of `UNWANTED` a worker has imported by its first verdict.

    Raises:
        UnavailableError: it gave no verdict, or did not report what it imports.
    """
    before = LOG.stat().st_size if LOG.exists() else 0
    _start(isolated_worker(settings, "imports"), home, {"PYTHONPROFILEIMPORTTIME": "1"})
    text = LOG.read_bytes()[before:].decode(errors="replace")
    packages = imported_packages(text)
    if "confluent_kafka" not in packages:
        raise UnavailableError(f"the worker did not report what it imports; read {LOG}")
    return tuple(one for one in UNWANTED if one in packages)


def imported_packages(text: str) -> set[str]:
    """The packages whose import `python -X importtime` has reported in a text."""
    return set(re.findall(r"^import time:[ \d|]+\| +(\w+)", text, re.MULTILINE))


def _start(
    settings: Settings, home: Path, environ: Mapping[str, str] = MappingProxyType({})
) -> float:
    """Seconds from the start of a worker to its first verdict being read."""
    ensure_topics(settings)
    began = time.monotonic()

    def too_late() -> bool:
        return time.monotonic() - began > _PATIENCE_SEC

    follow = tail(settings, settings.topics.scores, from_beginning=True, should_stop=too_late)
    with process(settings, home, "worker", environ=environ), closing(follow) as verdicts:
        if next(verdicts, None) is None:
            raise UnavailableError(f"the worker gave no verdict; read {LOG}")
        return time.monotonic() - began

"""The worker against the plain loop: the same preloaded topic, one core, in turn, several rounds.

A system's rate is taken between the moment a tenth of its scores is on the broker and the moment
nearly all are, so start-up counts for nobody. Rates of one run may be compared; those of two may
not: the machine is another one each time.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from connections.kafka import METADATA_TIMEOUT_SEC, client_config, end_offsets, ensure_topics
from data.fleet import Fleet
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings
from producers import kafka

RESULT: Final = Path(".local/bench/worker.json")
SYSTEMS: Final = {
    "plain": ("-m", "benchmarks.plain_loop"),
    "plantwatch": ("-m", "commands.app", "worker"),
}

_FIRST_SHARE: Final = 0.1
_LAST_SHARE: Final = 0.98
_LOOK_EVERY_SEC: Final = 0.02
_PATIENCE_SEC: Final = 180.0


@dataclass(frozen=True, slots=True)
class Round:
    """One system's run: wall and CPU of the measured stretch."""

    system: str
    readings_per_s: float
    cpu_us_per_reading: float


def run(
    settings: Settings,
    fleet: Fleet,
    environment_of: Callable[[Settings], Mapping[str, str]],
    *,
    passes: int,
    rounds: int,
) -> Iterator[Round]:
    """Preload the topic, then measure every system once a round.

    `environment_of` turns settings into the variables of a child process.

    Raises:
        UnavailableError: a system did not finish.
    """
    for number in range(passes):
        kafka.replay(settings, fleet, manifest=Path(f".local/bench/pass-{number}.json"))
    readings = passes * len(fleet.cycle)
    scores = passes * int((fleet.cycle >= settings.window.length).sum())
    for number in range(rounds):
        for system, arguments in SYSTEMS.items():
            own = _own_topics(settings, f"{system}-{number}")
            ensure_topics(own)
            with _process(arguments, environment_of(own)) as pid:
                yield _measure(own, system, pid, readings, scores)


def save(rounds: list[Round]) -> dict[str, dict[str, list[float]]]:
    """Write `.local/bench/worker.json`: per system, the rounds' figures."""
    figures = {
        system: {
            "readings_per_s": [one.readings_per_s for one in rounds if one.system == system],
            "cpu_us_per_reading": [
                one.cpu_us_per_reading for one in rounds if one.system == system
            ],
        }
        for system in SYSTEMS
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


def median(figures: Mapping[str, Mapping[str, list[float]]], system: str, figure: str) -> float:
    return statistics.median(figures[system][figure])


def _own_topics(settings: Settings, name: str) -> Settings:
    """The same input; a group and output topics of this run's own."""
    topics = settings.topics
    outputs = {
        field: f"{getattr(topics, field)}-{name}"
        for field in ("scores", "anomalies", "dead_letters", "shadow_scores")
    }
    group = {"group_id": f"{settings.worker.group_id}-{name}"}
    return settings.model_copy(
        update={
            "topics": topics.model_copy(update=outputs),
            "worker": settings.worker.model_copy(update=group),
        }
    )


@contextmanager
def _process(arguments: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[int]:
    """A system at work, on the last core where that can be said."""
    pin = ("taskset", "-c", str((os.cpu_count() or 1) - 1)) if shutil.which("taskset") else ()
    with Path(".local/bench/system.log").open("wb") as log:
        process = subprocess.Popen(
            [*pin, sys.executable, *arguments],
            env=os.environ | dict(environment),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _measure(settings: Settings, system: str, pid: int, readings: int, scores: int) -> Round:
    """Watch one system's scores arrive until nearly all of `scores` are there."""
    watch = _watcher(settings)
    first = _wait_for(watch, _FIRST_SHARE * scores, pid)
    last = _wait_for(watch, _LAST_SHARE * scores, pid)
    done = (last.scores - first.scores) * readings / scores
    return Round(system, done / (last.wall - first.wall), 1e6 * (last.cpu - first.cpu) / done)


@dataclass(frozen=True, slots=True)
class _Moment:
    scores: int
    wall: float
    cpu: float


def _wait_for(watch: Callable[[], int], scores: float, pid: int) -> _Moment:
    deadline = time.monotonic() + _PATIENCE_SEC
    while time.monotonic() < deadline:
        now = _Moment(watch(), time.monotonic(), _cpu_seconds(pid))
        if now.scores >= scores:
            return now
        time.sleep(_LOOK_EVERY_SEC)
    raise UnavailableError("a system did not get on; read .local/bench/system.log")


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads (Linux: /proc/<pid>/stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _watcher(settings: Settings) -> Callable[[], int]:
    """A question: how many scores of this system are on the broker?"""
    topic = settings.topics.scores
    admin = AdminClient(client_config(settings))
    numbers = admin.list_topics(topic, METADATA_TIMEOUT_SEC).topics[topic].partitions

    def scored() -> int:
        try:
            return sum(end_offsets(admin, topic, numbers).values())
        except KafkaException:  # for a moment a new topic has no leader
            return 0

    return scored

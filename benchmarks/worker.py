"""The worker among others: the same preloaded topic, one core, in turn, several rounds.

A system's rate is taken between the moment a tenth of its scores is on the broker and the moment
nearly all are, so start-up counts for nobody. A bounded one is measured for ten seconds from its
first hundredth on; of the readings that give no score it is credited the share of the whole topic,
though it has seen most of its first pass only: to its advantage. Rates of one run may be compared;
those of two may not: the machine is another one each time.

What each system said is held against the offline scoring of the same log.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from benchmarks.isolation import isolated_worker
from benchmarks.outputs import Differences, Scores, compare, published
from benchmarks.processes import Child, cpu_seconds
from benchmarks.results import FOLDER
from benchmarks.rivals.rules import STATE
from benchmarks.stretch import FIRST_SHARE, LAST_SHARE, Moment, speed
from benchmarks.systems import OFFLINE, System, log_of, process
from connections.kafka import METADATA_TIMEOUT_SEC, client_config, end_offsets, ensure_topics
from data.fleet import Fleet
from plantwatch.errors import PlantwatchError, UnavailableError
from plantwatch.settings import Settings
from producers import kafka

_BOUNDED_FIRST_SHARE: Final = 0.01
_BOUNDED_SEC: Final = 10.0
"""It would need minutes a round for all of the scores."""
_LOOK_EVERY_SEC: Final = 0.02
"""The fastest needs seconds for the stretch, so a look too late is well below a percent of it."""
_PATIENCE_SEC: Final = 180.0


@dataclass(frozen=True, slots=True)
class Round:
    """One system's run: wall and CPU of the measured stretch."""

    system: str
    readings_per_s: float
    cpu_us_per_reading: float


class Load(NamedTuple):
    """How many readings the topic holds, and how many of them get a score."""

    readings: int
    scores: int


def run(
    settings: Settings,
    fleet: Fleet,
    environment_of: Callable[[Settings], Mapping[str, str]],
    systems: Sequence[System],
    *,
    passes: int,
    rounds: int,
) -> Iterator[Round]:
    """Preload the topic, then measure every system once a round, `offline` first.

    `environment_of` turns settings into the variables of a child process.

    Raises:
        UnavailableError: a system did not finish.
        PlantwatchError: a system's scores are not those of the offline scoring.
    """
    shutil.rmtree(STATE, ignore_errors=True)
    load = _preload(settings, fleet, passes)
    for number in range(rounds):
        truth: Scores = {}
        for system in systems:
            own = isolated_worker(settings, f"{system.name}-{number}")
            ensure_topics(own)
            measure = _offline if system.name == OFFLINE else _measure
            with process(system, environment_of(own)) as child:
                measured = measure(own, system, child, load)
            scores = published(own)
            truth = truth or dict(scores)
            check(system, compare(truth, scores, whole=not system.bounded), len(truth), load)
            yield measured


def _preload(settings: Settings, fleet: Fleet, passes: int) -> Load:
    for number in range(passes):
        kafka.replay(settings, fleet, manifest=FOLDER / f"pass-{number}.json")
    scored = int((fleet.cycle >= settings.window.length).sum())
    return Load(passes * len(fleet.cycle), passes * scored)


def check(system: System, differences: Differences, scores: int, load: Load) -> None:
    """Let no figure stand of a system that did not do the job.

    Raises:
        PlantwatchError: it did not; or there is no truth to hold it against.
    """
    if scores != load.scores:
        raise PlantwatchError(f"offline scored {scores:,} readings, not {load.scores:,}")
    if differences:
        raise PlantwatchError(f"{system.name} did not do the same job as offline: {differences}")


def _offline(_settings: Settings, system: System, child: Child, _load: Load) -> Round:
    """What it measured itself, since nobody sees it at work."""
    if child.wait(_PATIENCE_SEC):
        raise _stuck(system)
    figures = json.loads(Path(system.arguments[-1]).read_text(encoding="utf-8"))
    return Round(system.name, figures["readings_per_s"], figures["cpu_us_per_reading"])


def _measure(settings: Settings, system: System, child: Child, load: Load) -> Round:
    """Watch one system's scores arrive: of a bounded one for a time, else until all are there."""
    arrival = _Arrival(settings, system, child)
    last_share = LAST_SHARE * load.scores
    if system.bounded:
        first = arrival.of(_BOUNDED_FIRST_SHARE * load.scores)
        last = arrival.of(last_share, at_most_sec=_BOUNDED_SEC)
    else:
        first, last = arrival.of(FIRST_SHARE * load.scores), arrival.of(last_share)
        arrival.of(load.scores)  # its outputs are judged whole
    return _round(system, first, last, load)


def _round(system: System, first: Moment, last: Moment, load: Load) -> Round:
    try:
        of_scores = speed(first, last)
    except ValueError:
        raise _stuck(system) from None
    each = load.readings / load.scores
    return Round(system.name, of_scores.per_s * each, of_scores.cpu_us / each)


class _Arrival:
    """The scores of a system as they come."""

    def __init__(self, settings: Settings, system: System, child: Child) -> None:
        self._system = system
        self._child = child
        self._arrived = _counter(settings)

    def of(self, scores: float, at_most_sec: float | None = None) -> Moment:
        """The moment at which so many are there, or `at_most_sec` are over.

        Raises:
            UnavailableError: the system ended, or is not on in three minutes.
        """
        end = time.monotonic() + (at_most_sec or _PATIENCE_SEC)
        while self._child.poll() is None:
            now = Moment(self._arrived(), time.monotonic(), cpu_seconds(self._child.pid))
            if now.done >= scores or (at_most_sec and now.wall >= end):
                return now
            if now.wall >= end:
                break
            time.sleep(_LOOK_EVERY_SEC)
        raise _stuck(self._system)


def _stuck(system: System) -> UnavailableError:
    return UnavailableError(f"{system.name} did not get on; read {log_of(system)}")


def _counter(settings: Settings) -> Callable[[], int]:
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

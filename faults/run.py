"""One scenario from an empty pipeline to its judgement: load, inject, heal, drain, judge."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from connections import span
from data.fleet import Fleet
from faults.load import Load
from faults.plant import (
    PIPELINE,
    FaultError,
    NotRunnableError,
    Plant,
    Servers,
    plant,
)
from faults.readings import Sent, encoded, endless
from ledger.findings import Findings
from ledger.run import run as judge
from models.cache import Named
from plantwatch.errors import PlantwatchError
from plantwatch.messages import score_event_from_bytes
from producers.manifest import FOLDER as MANIFESTS

MACHINES: Final = 100
RATE: Final = 1000.0
"""Readings a second while a fault is injected."""

Measured = dict[str, float]
Inject = Callable[["Trial"], Measured | None]
Source = Callable[["Trial"], Iterable[Sent]]
Surroundings = Callable[[Servers], AbstractContextManager[Mapping[str, str]]]


@dataclass(frozen=True)
class Session:
    """What all scenarios of one run share; `versions` are two models, the first in production."""

    servers: Servers
    configs: Path
    home: Path
    cache: Path
    fleet: Fleet
    versions: tuple[Named, Named]
    cmapss: Path | None = None
    """The folder of NASA's files, where there is one."""


@dataclass(frozen=True)
class Trial:
    """What an injection works with; `rng` is seeded by the run's seed and the scenario's name."""

    session: Session
    plant: Plant
    load: Load | None
    rng: Random


def _everyday(trial: Trial) -> Iterable[Sent]:
    return encoded(endless(trial.session.fleet, MACHINES))


def _no_surroundings(_: Servers) -> AbstractContextManager[Mapping[str, str]]:
    return nullcontext({})


@dataclass(frozen=True)
class Scenario:
    """One row of the table.

    `inject` runs while readings come, and returns when all is healed; what it measured is shown.
    `source` makes the readings: without an end (at `rate`, stopped after the injection) or with
    one (waited for); None for a scenario that publishes by itself.
    """

    name: str
    inject: Inject
    source: Source | None = _everyday
    rate: float | None = RATE
    burst: int = 29 * MACHINES
    """Readings that come without a pause before that rate applies; as it is, what warms up."""
    environ: Mapping[str, str] = field(default_factory=dict)
    around: Surroundings = _no_surroundings
    names: tuple[str, ...] = PIPELINE
    sabotage: str = ""
    """A defect of `faults.sabotage`: the ledger must find rows lost, or the scenario fails."""
    quick: bool = False
    """One of those that run with every change."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a scenario. `why`: how it failed, or why it could not run; "" when all held."""

    name: str
    seed: int
    ran: bool
    ok: bool
    why: str
    seconds: float
    figures: Mapping[str, Any]
    measured: Mapping[str, float]


def run(scenario: Scenario, session: Session, seed: int) -> Result:
    """Run one scenario; whatever goes wrong in it is told in the result."""
    began, ran = time.monotonic(), True
    figures: dict[str, Any] = {}
    measured: Measured = {}
    why = ""
    try:
        findings, measured = _play(scenario, session, Random(f"{seed} {scenario.name}"))
        figures, why = findings.document(), _verdict(scenario, findings)
    except NotRunnableError as error:
        ran, why = False, str(error)
    except (FaultError, PlantwatchError) as error:
        why = f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - began, 1)
    return Result(scenario.name, seed, ran, ran and not why, why, seconds, figures, measured)


def _play(scenario: Scenario, session: Session, rng: Random) -> tuple[Findings, Measured]:
    home = session.home / scenario.name.replace(" ", "-").replace("/", "-")
    with (
        scenario.around(session.servers) as found,
        plant(
            session.servers,
            session.configs,
            home,
            {"MODEL_CACHE": str(session.cache), **scenario.environ, **found},
            sabotage=scenario.sabotage,
            names=scenario.names,
        ) as made,
    ):
        trial = Trial(session, made, None, rng)
        with _loaded(scenario, trial) as trial:
            measured = scenario.inject(trial) or {}
        measured["drain_sec"] = round(made.drained(), 1)
        findings = judge(made.settings, home / MANIFESTS, lambda _done, _of: None)
        measured |= _scores(made)
        if trial.load is not None and trial.load.sent != findings.published:
            raise FaultError(f"{trial.load.sent} acknowledged, {findings.published} on the topic")
        return findings, measured


@contextmanager
def _loaded(scenario: Scenario, trial: Trial) -> Iterator[Trial]:
    """Readings come for the length of the block; all of them are acknowledged after it."""
    if scenario.source is None:
        yield trial
        return
    load = Load(trial.plant.settings, scenario.source(trial), scenario.rate, scenario.burst)
    load.start()
    try:
        yield Trial(trial.session, trial.plant, load, trial.rng)
    except BaseException:
        load.abandon()
        raise
    if scenario.rate is None:
        load.finish()
    else:
        load.stop()


def _scores(made: Plant) -> Measured:
    """Messages on `scores` beyond one for each reading (done twice, which harms nobody), and the
    longest time, by Kafka's clock, from a reading's publication to its first verdict's.
    """
    topic = made.settings.topics.scores
    seen: set[str] = set()
    redone, longest = 0, 0
    for message in span.read(made.settings, topic, span.held(made.settings, topic)):
        event = score_event_from_bytes(message.value() or b"")
        if event.id in seen:
            redone += 1
        else:
            seen.add(event.id)
            longest = max(longest, message.timestamp()[1] - event.published_at)
    return {"redone": redone, "longest_sec": round(longest / 1000, 1)}


def _verdict(scenario: Scenario, findings: Findings) -> str:
    """Why the scenario has failed; "" if it has not."""
    if scenario.sabotage:
        return "" if findings.lost else "a pipeline that loses readings was not found out"
    if not findings.published:
        return "nothing was published"
    return "; ".join(
        f"{number} x {fault.name.lower()}: {example}"
        for fault, (number, example) in findings.faults.items()
    )

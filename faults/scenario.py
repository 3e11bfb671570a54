"""What a scenario is, and what its injection works with."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from data.fleet import Fleet
from faults.load import Load
from faults.plant import PIPELINE, Plant, Servers
from faults.proxy import Proxy
from faults.readings import Sent, encoded, endless
from models.cache import Named

MACHINES: Final = 100
RATE: Final = 1000.0
"""Readings a second while a fault is injected."""

Measured = dict[str, float]
Inject = Callable[["Trial"], Measured | None]
Source = Callable[["Trial"], Iterable[Sent]]


@dataclass(frozen=True)
class Around:
    """What a pipeline is started with: settings over the shipped ones, a proxy to PostgreSQL."""

    environ: Mapping[str, str] = field(default_factory=dict)
    proxy: Proxy | None = None


Surroundings = Callable[["Session"], AbstractContextManager[Around]]


@dataclass(frozen=True)
class Session:
    """What all scenarios of one run share; `versions` are two models, the first in production."""

    servers: Servers
    configs: Path
    home: Path
    models: Path
    fleet: Fleet
    versions: tuple[Named, Named]
    cmapss: Path | None = None
    """The folder of NASA's files, where there is one."""


@dataclass(frozen=True)
class Trial:
    """What an injection works with; `rng` is seeded by the run's seed and the scenario's name."""

    session: Session
    plant: Plant
    rng: Random
    proxy: Proxy | None = None
    load: Load | None = None


def _everyday(trial: Trial) -> Iterable[Sent]:
    return encoded(endless(trial.session.fleet, MACHINES))


def _nothing_around(_: Session) -> AbstractContextManager[Around]:
    return nullcontext(Around())


@dataclass(frozen=True)
class Scenario:
    """One row of the table.

    `inject` runs while readings come, and returns when all is healed. `source` makes the readings,
    `rate` a second (None: without a pause) after a first `burst`, which as it is warms everything
    up; without an end, and then stopped after the injection, unless it `ends` by itself. No source:
    the injection publishes.
    """

    name: str
    inject: Inject
    source: Source | None = _everyday
    rate: float | None = RATE
    burst: int = 29 * MACHINES
    ends: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    around: Surroundings = _nothing_around
    names: tuple[str, ...] = PIPELINE
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """What was measured or found must lie between these."""
    sabotage: str = ""
    """A defect of `faults.sabotage`: the ledger must find rows lost, or the scenario fails."""
    quick: bool = False
    """One of those that run with every change."""
    alone: bool = False
    """It strikes at the servers that all share, or a limit of it is tight: no other runs then."""

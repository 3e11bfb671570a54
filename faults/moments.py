"""How far a plant is: what injections wait for, and what they look at."""

from contextlib import suppress
from typing import Final
from urllib.request import urlopen

from connections import groups, span
from faults.plant import Plant
from faults.points import Role
from faults.supervised import until
from plantwatch.errors import UnavailableError

WORKER: Final = "worker"
SINK: Final = "sink-postgres"
KEPT_AS: Final = {Role.WORKER: WORKER, Role.SINK: SINK}
"""The supervised process of a role."""
HITS: Final = 3
"""How often each failpoint is hit."""
FROZEN_SEC: Final = 30.0
BREATH_SEC: Final = 2.0
"""Between two faults, for the pipeline to be in the middle of its work again."""
_UNKNOWN: Final = 10**9


def in_mid_work(plant: Plant, name: str = WORKER) -> None:
    """Wait until a worker, or a sink, gets on (again)."""
    until(lambda: _done(plant, name) >= 0, "Kafka answers")
    before = _done(plant, name)
    until(lambda: _done(plant, name) > before, f"{name} gets on")


def _done(plant: Plant, name: str) -> int:
    """Messages on `scores`, or those that are stored; -1 while Kafka does not say."""
    if name == SINK:
        return committed(plant, SINK)
    with suppress(UnavailableError):
        return scores(plant)
    return -1


def committed(plant: Plant, name: str) -> int:
    """Readings that workers, or scores that sinks, have committed; -1 while Kafka does not say."""
    settings = plant.settings
    group, topic = settings.worker.group_id, settings.topics.readings
    if name == SINK:
        group, topic = settings.sink.postgres_group_id, settings.topics.scores
    with suppress(UnavailableError):
        return sum(max(0, one.offset) for one in groups.committed(settings, group, topic))
    return -1


def scores(plant: Plant) -> int:
    """Messages on `scores`.

    Raises:
        UnavailableError: Kafka does not say.
    """
    held = span.held(plant.settings, plant.settings.topics.scores)
    return sum(len(offsets) for offsets in held.values())


def waiting(plant: Plant) -> int:
    """Readings not scored and scores not stored; very many while Kafka does not say."""
    with suppress(UnavailableError):
        return groups.behind(plant.settings)
    return _UNKNOWN


def drained(plant: Plant) -> float:
    """Wait until all that was published is scored and stored; how long that took, in seconds.

    Raises:
        FaultError: it was not within the contract's 120 s.
    """
    return until(lambda: waiting(plant) == 0, lambda: f"all is stored; {waiting(plant)} wait")


def metric(plant: Plant, process: str, name: str) -> float:
    """What a process tells Prometheus, summed over labels; 0 for what it does not have."""
    with urlopen(plant.processes.status(process).address, timeout=10) as reply:  # noqa: S310 (ours)
        lines = reply.read().decode().splitlines()
    return sum(float(one.split()[-1]) for one in lines if one.split("{")[0].split()[0] == name)

"""How far a plant is: what injections wait for."""

from typing import Final

from connections import span
from connections.groups import behind
from faults.plant import Plant, until
from plantwatch.errors import UnavailableError

BREATH_SEC: Final = 2.0
"""Between two faults, for the pipeline to be in the middle of its work again."""
_UNKNOWN: Final = 10**9


def in_mid_work(plant: Plant) -> None:
    """Wait until scores come in (again)."""
    before = scores(plant)
    until(lambda: scores(plant) > before >= 0, "scores come in")


def scores(plant: Plant) -> int:
    """Messages on `scores`; -1 while Kafka does not say."""
    try:
        held = span.held(plant.settings, plant.settings.topics.scores)
    except UnavailableError:
        return -1
    return sum(len(offsets) for offsets in held.values())


def waiting(plant: Plant) -> int:
    """Readings not scored and scores not stored; very many while Kafka does not say."""
    try:
        return behind(plant.settings)
    except UnavailableError:
        return _UNKNOWN

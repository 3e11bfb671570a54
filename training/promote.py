"""Which version goes into production: the best by validation F1 among those of the same data."""

from collections.abc import Iterable

from models.registry import Registered, list_versions, set_production
from plantwatch.settings import Settings


def best(versions: Iterable[Registered], data_hash: str) -> Registered:
    """The highest validation F1 among versions trained on `data_hash`; of equals the newest.

    F1 of different data (a simulated fleet, another subset) cannot be compared.
    """
    same = (one for one in versions if one.data_hash == data_hash)
    return max(same, key=lambda one: (one.f1, one.version))


def promote_best(settings: Settings, data_hash: str) -> Registered:
    """Give the best version alias and stage; at least one of this data must be registered.

    Raises:
        UnavailableError: the registry is away.
    """
    chosen = best(list_versions(settings), data_hash)
    set_production(settings, chosen.version)
    return chosen

"""From what a reading costs here to what a plant needs: arithmetic, no measurement.

Every stage but the worker is taken as measured on one machine at its highest rate that held; what
grows otherwise than in proportion (a broker's replication, a database's size) is said beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from plantwatch.settings import Settings

FULL: Final = 0.7
"""How busy a core may be: the rest is for catching up after a take-over."""
TAKE_OVER_SEC: Final = 20.0
"""The contract's limit after a kill."""


@dataclass(frozen=True, slots=True)
class Need:
    """What `machines` at one reading a second need; cores by stage, workers of one core each."""

    machines: int
    workers: int
    partitions: int
    cores: dict[str, int]
    worker_gb: float
    rows_gb_per_day: float


def need(
    figures: Mapping[str, Any], read_back_us: float, settings: Settings, machines: int
) -> Need:
    """Compute it from the document of `plantwatch bench-pipeline`, and what a reading of a
    read-back takes (`plantwatch faults` measures that).
    """
    best = max((one for one in figures["rates"] if one["held"]), key=lambda one: float(one["rate"]))
    cores = {name: ceil(us * machines / 1e6 / FULL) for name, us in best["cpu_us"].items()}
    # Not only speed asks for workers: each must have its histories back within the promise.
    history = settings.window.history - 1
    per_worker = TAKE_OVER_SEC * 1e6 / read_back_us / history
    workers = max(cores["worker"], ceil(machines / per_worker))
    # A history must lie within the horizon, or its oldest readings expire before they are enough.
    per_partition = settings.window.horizon / history
    partitions = max(workers, ceil(machines / per_partition))
    biggest = figures["fleets"][-1]
    return Need(
        machines=machines,
        workers=workers,
        partitions=partitions,
        cores=cores | {"worker": workers},
        worker_gb=machines * biggest["bytes_per_machine"] / 1e9,
        rows_gb_per_day=machines * 86_400 * figures["burst"]["row_bytes"] / 1e9,
    )

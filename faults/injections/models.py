"""Models that change, are damaged, or whose registry is gone; a challenger in shadow."""

import time
from typing import Final

from connections.groups import lag
from connections.postgres import connect
from faults.moments import WORKER, drained, in_mid_work, metric
from faults.plant import Plant
from faults.scenario import Measured, Trial
from faults.supervised import FaultError, until
from models.cache import Named, Role, write_named
from models.card import NETWORK

_SWAPS: Final = 6
SHADOW: Final = "sink-shadow"


def swapped_under_kills(trial: Trial) -> Measured:
    """Another model in production again and again, the worker killed close to each swap."""
    plant = trial.plant
    for swap in range(_SWAPS):
        in_mid_work(plant)
        _name(plant, Role.PRODUCTION, trial.session.versions[(swap + 1) % 2])
        time.sleep(trial.rng.uniform(0, 1.5) * plant.settings.model.refresh_sec)
        plant.processes.kill(WORKER)
    in_mid_work(plant)
    return {"kills": _SWAPS}


def damaged(trial: Trial) -> None:
    """A model is named whose network was changed by one bit: the present one stays in use."""
    plant, (_, second) = trial.plant, trial.session.versions
    network = plant.settings.model.cache / second.digest / NETWORK
    sound = network.read_bytes()
    in_mid_work(plant)
    network.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    _name(plant, Role.PRODUCTION, second)
    plant.processes.until_logged(WORKER, "another model is named but cannot be used")
    in_mid_work(plant)


def registry_gone(trial: Trial) -> Measured:
    """Nobody answers where the registry should be, at start and at reload; scoring goes on."""
    plant = trial.plant
    in_mid_work(plant)
    plant.processes.until_logged("registry", "MLflow at")
    restarts = plant.processes.status(WORKER).restarts
    plant.processes.kill(WORKER)
    plant.processes.until_ready(WORKER, restarts)
    in_mid_work(plant)
    if plant.processes.status("registry").restarts:
        raise FaultError("the follower did not bear it that the registry is away")
    if metric(plant, WORKER, "plantwatch_registry_contact_timestamp_seconds"):
        raise FaultError("the worker's metric does not say that the registry never answered")
    return {"kills": 1}


def challenged(trial: Trial) -> Measured:
    """A challenger scores in shadow while worker and shadow sink are killed: every window that
    production judged, it judged once.
    """
    plant = trial.plant
    _name(plant, Role.CHALLENGER, trial.session.versions[1])
    for name in (WORKER, SHADOW, WORKER):
        in_mid_work(plant)
        plant.processes.kill(name)
    assert trial.load is not None
    trial.load.stop()
    drained(plant)
    topic, group = plant.settings.topics.shadow_scores, plant.settings.sink.shadow_group_id
    until(lambda: lag(plant.settings, group, topic) == 0, "the shadow is stored")
    with connect(plant.settings, "reader") as connection:
        ((judged, missing),) = connection.execute(_JUDGED).fetchall()
    return {"kills": 3, "shadow_judged": judged, "shadow_missing": missing}


_JUDGED: Final = """
WITH begun AS (
    SELECT source_partition, min(last_offset) AS at FROM shadow_events GROUP BY source_partition
)
SELECT count(s.sensor_id), count(*) - count(s.sensor_id)
FROM anomaly_events e JOIN begun USING (source_partition)
    LEFT JOIN shadow_events s USING (sensor_id, cycle, detected_at)
WHERE e.last_offset >= begun.at
"""
"""Since the challenger began, in each partition."""


def _name(plant: Plant, role: Role, version: Named) -> None:
    write_named(plant.settings.model.cache, role, version)

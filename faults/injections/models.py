"""Models that change, are damaged, or whose registry is gone."""

import time

from faults.moments import BREATH_SEC, in_mid_work
from faults.plant import FaultError, Plant, until
from faults.run import Measured, Trial
from models.cache import Role, write_named
from models.card import NETWORK

SWAPS = 6


def swapped_under_kills(trial: Trial) -> Measured:
    """Another model in production again and again, the worker killed close to each swap."""
    plant = trial.plant
    for swap in range(SWAPS):
        in_mid_work(plant)
        other = trial.session.versions[(swap + 1) % 2]
        write_named(plant.settings.model.cache, Role.PRODUCTION, other)
        time.sleep(trial.rng.uniform(0, 1.5) * plant.settings.model.refresh_sec)
        plant.processes.kill("worker")
    in_mid_work(plant)
    return {"kills": SWAPS, "swaps": SWAPS}


def damaged(trial: Trial) -> Measured:
    """A model is named whose network was changed by one bit: the present one stays in use."""
    plant, (first, second) = trial.plant, trial.session.versions
    cache = plant.settings.model.cache
    network = cache / second.digest / NETWORK
    sound = network.read_bytes()
    in_mid_work(plant)
    network.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    write_named(cache, Role.PRODUCTION, second)
    _until_said(plant, "another model is named but cannot be used")
    in_mid_work(plant)
    write_named(cache, Role.PRODUCTION, first)
    network.write_bytes(sound)
    in_mid_work(plant)
    return {}


def registry_gone(trial: Trial) -> Measured:
    """Nobody answers where the registry should be, at start and at reload; scoring goes on."""
    plant = trial.plant
    in_mid_work(plant)
    until(lambda: "MLflow at" in _log(plant, "registry"), "the follower says so")
    restarts = plant.processes.status("worker").restarts
    plant.processes.kill("worker")
    plant.processes.until_ready("worker", restarts)
    in_mid_work(plant)
    if plant.processes.status("registry").restarts:
        raise FaultError("the follower did not bear it that the registry is away")
    return {"kills": 1}


def _until_said(plant: Plant, words: str) -> None:
    patience = 5 * plant.settings.model.refresh_sec + BREATH_SEC
    until(lambda: words in _log(plant, "worker"), f"the worker says {words!r}", patience)


def _log(plant: Plant, name: str) -> str:
    return (plant.home / "log" / f"{name}.log").read_text(encoding="utf-8")

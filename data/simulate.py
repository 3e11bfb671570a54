"""A made-up fleet in C-MAPSS format; seeded, so that all who simulate see the same engines."""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from data.cmapss import check_subset
from data.datasets import Simulated, SimulatedFleet
from data.fleet import SUBSETS, Fleet, Split

SOURCE: Final = "simulated, not NASA data"


def simulate(parameters: Simulated, subset: str, split: Split) -> Fleet:
    """Draw the fleet; the same parameters, subset and split give the same numbers.

    Raises:
        ConfigError: there is no such subset.
    """
    check_subset(subset)
    stream = [parameters.fleet.seed, SUBSETS.index(subset), int(split == "test")]
    rng = np.random.default_rng(stream)
    life, observed = _lives(parameters.fleet, split, rng)
    engine = np.repeat(np.arange(1, len(life) + 1), observed)
    first_row = np.repeat(np.cumsum(observed) - observed, observed)
    cycle = np.arange(len(engine)) - first_row + 1
    rul = life[engine - 1] - cycle
    return Fleet(
        subset=subset,
        split=split,
        source=SOURCE,
        engine=engine,
        cycle=cycle,
        settings=_settings(parameters, len(engine), rng),
        sensors=_sensors(parameters, engine, rul, rng),
        rul=rul,
    )


def _lives(
    fleet: SimulatedFleet, split: Split, rng: Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cycles each engine lives, and for how many of them it is seen; both int64 [engines]."""
    life = rng.integers(*fleet.life, size=fleet.engines, endpoint=True)
    if split == "train":
        return life, life
    unseen = rng.integers(*fleet.test_rul, size=fleet.engines, endpoint=True)
    return life, np.maximum(life - unseen, fleet.min_observed)


def _settings(parameters: Simulated, rows: int, rng: Generator) -> NDArray[np.float64]:
    mean, spread = np.array(parameters.settings.mean), np.array(parameters.settings.spread)
    noise = rng.standard_normal((rows, len(mean)))
    return np.round(mean + spread * noise, parameters.degradation.decimals)


def _sensors(
    parameters: Simulated, engine: NDArray[np.int64], rul: NDArray[np.int64], rng: Generator
) -> NDArray[np.float64]:
    """[rows, 21]: mean + drift * severity * exp(-rul / decay_cycles) + spread * noise."""
    sensors, law = parameters.sensors, parameters.degradation
    severity = rng.normal(1.0, law.severity_spread, size=int(engine[-1]))[engine - 1]
    wear = severity * np.exp(-rul / law.decay_cycles)
    noise = rng.standard_normal((len(engine), len(sensors.mean)))
    values = sensors.mean + np.outer(wear, sensors.drift) + np.array(sensors.spread) * noise
    return np.round(values, law.decimals)

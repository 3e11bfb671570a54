"""A made-up fleet in C-MAPSS format; seeded, so that all who simulate see the same engines.

An engine wears from its start (u = 0, u the share of its life that is over) to its end (u = 1) by
g(u) = (exp(k u) - 1) / (exp(k) - 1), exponentially, as in the program that made NASA's files
(Saxena et al. 2008, Damage propagation modeling for aircraft engine run-to-failure simulation):

    sensor = mean + (1 - g) start + g (drift + end) + spread * white noise, per operating regime

New engines differ by `start`, failing ones by `end`: each is a sum of two factors of the engine,
for two things wear, the flow and the efficiency of a part. Everything drawn at random has a stream
of its own, so a larger fleet begins with the engines of a smaller one.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from data.cmapss import check_subset
from data.datasets import Regime, Simulated
from data.fleet import SENSORS, SETTINGS, SUBSETS, Fleet, Split, cycles

SOURCE: Final = "simulated, not NASA data"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def simulate(parameters: Simulated, split: Split) -> Fleet:
    """Draw the fleet; the same parameters and split give the same numbers.

    Raises:
        ConfigError: there is no such subset.
    """
    subset, number = parameters.subset, parameters.fleet.engines
    check_subset(subset)
    stream = [parameters.fleet.seed, SUBSETS.index(subset), int(split == "test")]
    lives, engines, rows, settings, sensors = map(
        np.random.default_rng, np.random.SeedSequence(stream).spawn(5)
    )
    life, observed = _lives(parameters, split, lives)
    engine = np.repeat(np.arange(1, number + 1), observed)
    cycle = cycles(observed)
    g = worn(cycle / life[engine - 1], parameters.engines.wear.steepness)
    terms = design(g, engine - 1, *_engines(parameters, engines))
    known = parameters.engines.operation.regimes
    regime = _choose([one.share for one in known], rows.random(len(engine)))
    return Fleet(
        subset=subset,
        split=split,
        source=SOURCE,
        engine=engine,
        cycle=cycle,
        settings=_settings(parameters, regime, settings),
        sensors=_sensors(parameters, regime, terms, sensors),
        rul=life[engine - 1] - cycle,
    )


def worn(u: Floats, steepness: float) -> Floats:
    """g: how far an engine is on its way from start to end, 0 to 1, u of its life being over.

    >>> worn(np.array([0.0, 0.5, 1.0]), 4.0).round(2)
    array([0.  , 0.12, 1.  ])
    """
    return np.asarray(np.expm1(steepness * u) / np.expm1(steepness))


def design(g: Floats, engine: Ints, fault: Ints, start: Floats, end: Floats) -> Floats:
    """What `coefficients` multiply: [rows, 3 + 3 * faults], of rows of engines 0, 1, ...

    `fault` [engines] is an engine's way to fail; `start` and `end` [engines, 2] are its factors.
    """
    ending = np.column_stack([np.ones(len(end)), end])
    ends = [ending * (fault == one)[:, None] for one in range(int(fault.max(initial=0)) + 1)]
    starts = (1 - g)[:, None] * start[engine]
    return np.hstack([np.ones((len(g), 1)), starts, *(g[:, None] * one[engine] for one in ends)])


def coefficients(regime: Regime) -> Floats:
    """What a regime makes of the columns of `design`: [3 + 3 * faults, sensors]."""
    faults = [row for one in regime.faults for row in (one.drift, *one.end)]
    return np.array([regime.mean, *regime.start, *faults])


def _lives(parameters: Simulated, split: Split, rng: Generator) -> tuple[Ints, Ints]:
    """Cycles each engine lives, and for how many of them it is seen; both int64 [engines]."""
    law = parameters.engines.life
    shares = rng.random((parameters.fleet.engines, 2))
    life, unseen = (
        np.rint(_at(deciles, share)).astype(np.int64)
        for deciles, share in zip((law.cycles, law.unseen), shares.T, strict=True)
    )
    if split == "train":
        return life, life
    return life, np.minimum(np.maximum(life - unseen, law.min_observed), life)


def _engines(parameters: Simulated, rng: Generator) -> tuple[Ints, Floats, Floats]:
    """Each engine's way to fail [engines], and its factors at start and end, both [engines, 2]."""
    wear = parameters.engines.wear
    shares = rng.random((parameters.fleet.engines, 5))
    fault = _choose([one.share for one in wear.faults], shares[:, 0])
    start = np.column_stack([_at(wear.start[i], shares[:, 1 + i]) for i in range(2)])
    end = np.empty_like(start)
    for number, one in enumerate(wear.faults):
        here = fault == number
        end[here] = np.column_stack([_at(one.end[i], shares[here, 3 + i]) for i in range(2)])
    return fault, start, end


def _settings(parameters: Simulated, regime: Ints, rng: Generator) -> Floats:
    noise = rng.standard_normal((len(regime), SETTINGS))
    known = parameters.engines.operation.regimes
    mean = np.array([one.settings_mean for one in known])
    spread = np.array([one.settings_spread for one in known])
    return _rounded(mean[regime] + spread[regime] * noise, parameters.engines.decimals.settings)


def _sensors(parameters: Simulated, regime: Ints, terms: Floats, rng: Generator) -> Floats:
    values = rng.standard_normal((len(regime), SENSORS))
    for number, one in enumerate(parameters.engines.operation.regimes):
        here = regime == number
        values[here] = terms[here] @ coefficients(one)[: terms.shape[1]] + values[here] * one.spread
    return _rounded(values, parameters.engines.decimals.sensors)


def _at(deciles: Sequence[float], share: Floats) -> Floats:
    """The values below which `share` of a distribution lies."""
    return np.interp(share, np.linspace(0, 1, len(deciles)), deciles)


def _choose(shares: Sequence[float], drawn: Floats) -> Ints:
    """The number of the share in which each drawn value lies; shares need not quite add up to 1."""
    edges = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(edges[:-1], drawn, side="right")


def _rounded(values: Floats, decimals: Sequence[int]) -> Floats:
    """Rounded in place, each column as the files have it."""
    for column, places in enumerate(decimals):
        values[:, column] = values[:, column].round(places)
    return values

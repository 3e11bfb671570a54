"""The trials of a protocol: who is fitted, who sets the threshold, who is judged; all by engine."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from data.fleet import Fleet
from plantwatch.errors import BadDataError
from plantwatch.settings import Settings
from training.dataset import Sample, Windows, cut, split

Protocol = Literal["official", "held-out"]

_FEWEST: Final = 2
"""Engines that a split into fit and validation needs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One split: `fold` is None under `official`, whose judged engines are NASA's test."""

    seed: int
    fold: int | None = None

    def __str__(self) -> str:
        return f"seed-{self.seed}" + ("" if self.fold is None else f"-fold-{self.fold}")


def plan(protocol: Protocol, seeds: int, fleet: Fleet, settings: Settings) -> list[Trial]:
    """Every trial of `seeds` repetitions.

    Raises:
        BadDataError: the training fleet has too few engines to split.
    """
    folds = settings.evaluation.folds
    needed = _FEWEST if protocol == "official" else max(folds, _FEWEST + 1)
    if len(fleet.slices) < needed:
        raise BadDataError(
            f"{fleet.subset}: {len(fleet.slices)} training engines cannot be split, {protocol} "
            f"needs {needed} or more; give it more engines"
        )
    return list(_plan(protocol, seeds, folds))


def _plan(protocol: Protocol, seeds: int, folds: int) -> Iterator[Trial]:
    for seed in range(seeds):
        if protocol == "official":
            yield Trial(seed)
        else:
            yield from (Trial(seed, fold) for fold in range(folds))


def build(trial: Trial, fleet: Fleet, test: Fleet, settings: Settings) -> tuple[Sample, Windows]:
    """The sample to fit and calibrate on, and the windows to judge; they share no engine.

    A fold's engines are taken out of the fleet before it is split, so nothing can be fitted or
    chosen on them.
    """
    length, share = settings.window.length, settings.training.validation_share
    if trial.fold is None:
        return split(fleet, length, share, trial.seed), cut(test, length)
    others, held_out = parted(trial, fleet, settings)
    return split(others, length, share, trial.seed), cut(held_out, length)


def parted(trial: Trial, fleet: Fleet, settings: Settings) -> tuple[Fleet, Fleet]:
    """The engines outside a fold, and those in it."""
    assert trial.fold is not None, "NASA's test is a fleet of its own"
    engines = np.random.default_rng(trial.seed).permutation(list(fleet.slices))
    held_out = np.array_split(engines, settings.evaluation.folds)[trial.fold]
    out = np.isin(fleet.engine, held_out)
    return _rows(fleet, ~out), _rows(fleet, out)


def _rows(fleet: Fleet, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Fleet:
    columns = ("engine", "cycle", "settings", "sensors", "rul")
    return dataclasses.replace(fleet, **{name: getattr(fleet, name)[chosen] for name in columns})

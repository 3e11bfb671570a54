"""The mixture of directions finds how machines fail, told where they ended or not."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.small_training import small_sample, small_settings
from training.mixture import fit_mixture, fit_self_trained
from training.summary import Summary

RawOf = Callable[[np.ndarray], np.ndarray]
WINDOWS = small_sample().fit
NORMAL = WINDOWS.rul > 50
SMALL = small_settings().mixture_head


def two_ways_to_fail() -> np.ndarray:
    """Four numbers; engines drift along the first or the second, away from each other."""
    drift = 5 * np.exp(-WINDOWS.rul / 20)
    even = WINDOWS.engine % 2 == 0
    x = np.random.default_rng(0).normal(size=(len(WINDOWS), 4))
    x[:, 0] += drift * even
    x[:, 1] -= drift * ~even
    return x


def summary(x: np.ndarray) -> Summary:
    return Summary(x, WINDOWS, NORMAL, centre=np.zeros(4), spread=np.ones(4))


def self_trained(x: np.ndarray) -> np.ndarray:
    forest = small_settings().isolation_forest
    return fit_self_trained(summary(x), SMALL, forest, seed=0).raw(x)


def told(x: np.ndarray) -> np.ndarray:
    return fit_mixture(summary(x), SMALL).raw(x)


# Either way to fail scores far beyond normal windows.
@pytest.mark.parametrize("raw_of", [told, self_trained])
@pytest.mark.parametrize("parity", [0, 1])
def test_each_way_to_fail_is_found(raw_of: RawOf, parity: int) -> None:
    raw = raw_of(two_ways_to_fail())
    failing = (WINDOWS.rul < 5) & (WINDOWS.engine % 2 == parity)
    assert np.median(raw[failing]) > np.quantile(raw[NORMAL], 0.99)


# Directions matter, not only distances: as far out the other way is no failure.
def test_the_other_way_is_no_failure() -> None:
    mixture = fit_mixture(summary(two_ways_to_fail()), SMALL)
    there, opposite = mixture.raw(np.array([[5.0, 0, 0, 0], [-5.0, 0, 0, 0]]))
    assert there > 4  # deviations of normal windows
    assert opposite < 0


# The mixture knows two directions for two ways to fail, and each is its number's.
def test_directions_are_those_of_the_failures() -> None:
    mixture = fit_mixture(summary(two_ways_to_fail()), SMALL)
    assert mixture.groups == (1, 2, 3)
    of_two = mixture.weights[1:3]
    assert sorted(np.abs(of_two).argmax(axis=1)) == [0, 1]


# Engines without ends of life do not matter to the self-trained: it sees no label but normal.
def test_self_training_looks_at_no_end_of_life() -> None:
    x = two_ways_to_fail()
    assert np.corrcoef(self_trained(x), told(x))[0, 1] > 0.95

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.support.small_training import small_fleet, small_sample
from training.dataset import cut, split


# A window is an engine's 30 readings up to a row, and carries that row's truth.
def test_windows_are_the_readings_up_to_a_row() -> None:
    fleet = small_fleet("train")
    windows = cut(fleet, 30)
    rows = fleet.slices[3]
    of_engine = windows.of((3,))
    assert len(of_engine) == rows.stop - rows.start - 29
    assert_array_equal(of_engine.values[0], fleet.values[rows][:30])
    assert_array_equal(of_engine.values[-1], fleet.values[rows][-30:])
    assert_array_equal(of_engine.rul, fleet.rul[rows][29:])


# Windows start at an engine's 30th row, so none crosses from one engine into the next.
def test_engines_warm_up() -> None:
    fleet = small_fleet("test")
    assert len(cut(fleet, 30)) == (fleet.cycle >= 30).sum()


# No engine stands on both sides of a split, none is left out, and its share is as asked for.
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_split_is_by_engine(seed: int) -> None:
    sample = small_sample(seed)
    assert not set(sample.fit_engines) & set(sample.validation_engines)
    assert sorted(sample.fit_engines + sample.validation_engines) == list(sample.fleet.slices)
    assert len(sample.validation_engines) == 3
    assert set(np.unique(sample.validation.engine)) == set(sample.validation_engines)
    assert set(np.unique(sample.fit.engine)) == set(sample.fit_engines)


# The same seed gives the same split, another seed another.
def test_a_split_repeats_with_its_seed() -> None:
    fleet = small_fleet("train")
    first, again, other = (split(fleet, 30, 0.25, seed) for seed in (5, 5, 6))
    assert first.fit_engines == again.fit_engines
    assert first.fit_engines != other.fit_engines

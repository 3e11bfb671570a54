"""The simulated fleet looks and reads like C-MAPSS."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import cmapss, datasets
from data.datasets import Simulated
from data.fleet import SUBSETS, Fleet, Split
from data.simulate import simulate, worn

FD001 = datasets.simulated(datasets.CONFIGS, "FD001")
FD002 = datasets.simulated(datasets.CONFIGS, "FD002")


def with_fleet(parameters: Simulated, **changes: int) -> Simulated:
    return parameters.model_copy(update={"fleet": parameters.fleet.model_copy(update=changes)})


def rows(fleet: Fleet) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.column_stack([fleet.engine, fleet.cycle, fleet.rul, fleet.settings, fleet.sensors])


# Two people who simulate see the same fleet, and no two subsets, splits or seeds are alike; a
# subset that nobody fitted is simulated all the same.
def test_seeded() -> None:
    hashes = {
        simulate(
            with_fleet(datasets.simulated(datasets.CONFIGS, subset), seed=seed), split
        ).data_hash
        for subset in SUBSETS
        for split in ("train", "test")
        for seed in (1, 2)
        for _again in range(2)
    }
    assert len(hashes) == 16


# Who asks for more engines gets the same first ones; the rows are those of the engines, in order.
@settings(max_examples=25, deadline=None)  # the machine may be busy
@given(few=st.integers(1, 20), more=st.integers(0, 20), seed=st.integers(0, 2**32))
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_larger_fleet_begins_with_a_smaller_one(
    split: Split, few: int, more: int, seed: int
) -> None:
    small = simulate(with_fleet(FD002, engines=few, seed=seed), split)
    large = simulate(with_fleet(FD002, engines=few + more, seed=seed), split)
    assert list(large.slices) == list(range(1, few + more + 1))
    assert large.values.shape == (len(large.rul), 24)
    np.testing.assert_array_equal(rows(large)[: len(small.rul)], rows(small))


# The fleet passes every check of the reader and comes back equal, RUL included.
@pytest.mark.parametrize("split", ["train", "test"])
def test_reads_as_cmapss(tmp_path: Path, split: Split) -> None:
    fleet = simulate(FD002, split)
    cmapss.write(fleet, tmp_path)
    assert cmapss.read(tmp_path, "FD002", split, "again").data_hash == fleet.data_hash
    assert fleet.source == "simulated, not NASA data"


# Lives are those of the parameters; a test engine stops before its end, seen long enough.
@pytest.mark.parametrize("parameters", [FD001, FD002], ids=["FD001", "FD002"])
def test_lives(parameters: Simulated) -> None:
    train, test = simulate(parameters, "train"), simulate(parameters, "test")
    law = parameters.engines.life
    lives = train.cycle[train.rul == 0]
    assert len(lives) == parameters.fleet.engines
    assert law.cycles[0] <= lives.min() <= lives.max() <= law.cycles[-1]
    last = [one.stop - 1 for one in test.slices.values()]
    assert (test.rul[last] > 0).all()
    assert (test.cycle[last] >= law.min_observed).all()


# An engine starts unworn, only gets worse, ever faster, and is worn out at its end.
@given(steepness=st.floats(0.1, 12))
def test_wear_grows_ever_faster(steepness: float) -> None:
    g = worn(np.linspace(0, 1, 50), steepness)
    assert (g[0], round(g[-1], 12)) == (0, 1)
    assert (np.diff(g) > 0).all()
    assert (np.diff(g, 2) > 0).all()


# Near their end the sensors have moved the way of the fitted drift, by several deviations of a
# healthy engine's: in every operating regime, for every sensor whose engines agree on the way.
@pytest.mark.parametrize("parameters", [FD001, FD002], ids=["FD001", "FD002"])
def test_sensors_drift_the_fitted_way(parameters: Simulated) -> None:
    fleet = simulate(parameters, "train")
    for regime in parameters.engines.operation.regimes:
        here = (np.abs(fleet.settings - regime.settings_mean) < 1).all(axis=1)
        healthy = fleet.sensors[here & (fleet.rul > 125)]
        failing = fleet.sensors[here & (fleet.rul < 5)]
        moved = failing.mean(axis=0) - healthy.mean(axis=0)
        drift, (first, _) = np.array(regime.faults[0].drift), np.array(regime.faults[0].end)
        agreed = np.abs(drift) > 5 * np.abs(first) + 1e-3
        assert agreed.sum() >= 7
        assert (np.sign(moved) == np.sign(drift))[agreed].all()
        assert moved[1] > 2 * healthy.std(axis=0)[1]


# A sensor that never moves in NASA's files never moves here; values have as many decimals as there.
def test_still_sensors_and_decimals_are_those_of_the_files() -> None:
    fleet = simulate(FD001, "train")
    still = {n + 1 for n in range(21) if np.ptp(fleet.sensors[:, n]) == 0}
    assert {1, 5, 10, 16, 18, 19} <= still
    for column, places in enumerate(FD001.engines.decimals.sensors):
        values = fleet.sensors[:, column]
        assert (values == values.round(places)).all()

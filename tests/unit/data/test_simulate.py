"""The simulated fleet looks and reads like C-MAPSS."""

from pathlib import Path

import numpy as np
import pytest

from data import cmapss, datasets
from data.fleet import SUBSETS, Split
from data.simulate import simulate

PARAMETERS = datasets.simulated(datasets.CONFIGS)


# Two people who simulate see the same fleet, and no two subsets or splits are alike.
def test_seeded() -> None:
    hashes = {
        simulate(PARAMETERS, subset, split).data_hash
        for subset in SUBSETS
        for split in ("train", "test")
        for _again in range(2)
    }
    assert len(hashes) == 8


# The fleet passes every check of the reader and comes back equal, RUL included.
@pytest.mark.parametrize("split", ["train", "test"])
def test_reads_as_cmapss(tmp_path: Path, split: Split) -> None:
    fleet = simulate(PARAMETERS, "FD002", split)
    cmapss.write(fleet, tmp_path)
    assert cmapss.read(tmp_path, "FD002", split, "again").data_hash == fleet.data_hash
    assert fleet.source == "simulated, not NASA data"


# Lives are those of the configuration; a test engine stops before its end, seen long enough to be
# scored.
def test_lives() -> None:
    train, test = simulate(PARAMETERS, "FD001", "train"), simulate(PARAMETERS, "FD001", "test")
    shortest, longest = PARAMETERS.fleet.life
    lives = [rows.stop - rows.start for rows in train.slices.values()]
    assert shortest <= min(lives) <= max(lives) <= longest
    assert all(train.rul[rows.stop - 1] == 0 for rows in train.slices.values())
    assert all(test.rul[rows.stop - 1] > 0 for rows in test.slices.values())
    assert all(test.cycle[rows.stop - 1] >= 31 for rows in test.slices.values())


# Engines near their end differ from healthy ones by several standard deviations, as FD001's do.
def test_degradation_shows() -> None:
    fleet = simulate(PARAMETERS, "FD001", "train")
    healthy, failing = fleet.sensors[fleet.rul > 125], fleet.sensors[fleet.rul < 5]
    shift = np.abs(failing.mean(axis=0) - healthy.mean(axis=0))[1] / healthy.std(axis=0)[1]
    assert shift > 2

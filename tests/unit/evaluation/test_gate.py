"""Which versions the gate before production lets through, and why it refuses the others."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.gate import Golden, compare, misses_golden
from plantwatch.errors import ConfigError
from plantwatch.scoring import Verdicts
from tests.support.small_training import small_sample


@dataclasses.dataclass(frozen=True)
class FixedDetector:
    """A detector that calls these windows anomalous, in order."""

    flags: NDArray[np.bool_]
    version: str = "fixed_v1"
    digest: str = "0" * 64

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        assert len(windows) == len(self.flags)
        score = self.flags.astype(float)
        return Verdicts(score, score, self.flags, score)


WINDOWS = small_sample().fit
FAILING = WINDOWS.rul < 30


# A detector that misses half of what production finds is worse beyond chance; the numbers say so.
def test_a_worse_version_is_found_out() -> None:
    half = FAILING & (WINDOWS.rul < 15)
    found = compare(FixedDetector(half), FixedDetector(FAILING), WINDOWS, 30, 200)
    assert found.worse
    assert found.production == 1
    assert found.candidate == pytest.approx(2 / 3)
    assert "against production's 1.000" in str(found)


# Draws without any failing engine do not excuse a version that finds nothing; but where hardly an
# engine fails, nothing can be told, and that is said.
@pytest.mark.parametrize(("engines", "worse"), [(5, True), (1, False)])
def test_rare_failures(engines: int, worse: bool) -> None:  # noqa: FBT001 - a parameter of the cases
    fails = np.isin(WINDOWS.engine, np.unique(WINDOWS.engine)[:engines])
    rare = WINDOWS.where((WINDOWS.rul >= 30) | fails)
    failing = rare.rul < 30
    found = compare(FixedDetector(np.zeros_like(failing)), FixedDetector(failing), rare, 30, 200)
    assert found.worse == worse
    assert ("1 engines fail there, too few to tell" in str(found)) == (not worse)


# One that is wrong on a single engine is not worse by more than the choice of engines explains.
def test_chance_is_not_held_against_it() -> None:
    slip = FAILING & (WINDOWS.engine != WINDOWS.engine[0])
    assert not compare(FixedDetector(slip), FixedDetector(FAILING), WINDOWS, 30, 200).worse
    assert not compare(FixedDetector(FAILING), FixedDetector(slip), WINDOWS, 30, 200).worse


# A version that scores its golden windows as it did passes; one that does not is named.
def test_golden_windows_must_score_as_they_did() -> None:
    flags = np.array([True, False])
    windows = np.zeros((2, 30, 24), np.float32)
    assert misses_golden(FixedDetector(flags), Golden(windows, np.array([1.0, 0.0]))) is None
    why = misses_golden(FixedDetector(flags), Golden(windows, np.array([1.0, 0.1])))
    assert why == "2 golden windows score up to 0.1 away from what training said"


# Golden windows that are missing or no numbers are one line, not a traceback.
@pytest.mark.parametrize("content", [None, b"not numpy's"])
def test_unreadable_golden_windows_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "golden.npz"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be checked, train it again"):
        Golden.read(path)

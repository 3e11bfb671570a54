"""What the rivals share, and the environment that they run in."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import rival_environment, systems
from benchmarks.rivals.rules import follow
from plantwatch.decode import Reading
from plantwatch.errors import UnavailableError


def reading(cycle: int) -> Reading:
    return Reading("a", cycle, cycle, [float(cycle), 0.5])


# A machine's last three readings in a row are its window, oldest first.
def test_a_window_is_the_last_readings() -> None:
    state, window = None, None
    for cycle in range(1, 6):
        state, window = follow(state, reading(cycle), 3)
        assert (window is None) == (cycle < 3)
    assert window is not None
    np.testing.assert_array_equal(window, [[[3, 0.5], [4, 0.5], [5, 0.5]]])


# The next pass of the fleet begins with windows of its own.
def test_a_new_pass_begins_anew() -> None:
    state = None
    for cycle in (1, 2, 3, 1, 2):
        state, window = follow(state, reading(cycle), 3)
    assert window is None
    assert follow(state, reading(3), 3)[1] is not None


# Without a network those that can run do, and one line says who is missing and why.
def test_rivals_are_left_out_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise UnavailableError("cannot be installed; run `make bench` with a network")

    monkeypatch.setattr(rival_environment, "ensure", refuse)
    present, why = systems.available()
    assert [one.name for one in present] == ["offline", "plain", "plantwatch"]
    assert why.startswith("without faust_by_the_book, quixstreams, bytewax: cannot be installed")
    assert "\n" not in why


# What cannot be installed is not taken for installed the next time.
def test_a_failed_environment_is_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))  # no uv beside it
    requirements = tmp_path / "rivals.txt"
    requirements.write_text("bytewax==0.21.1\n")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="run `make bench` with a network"):
            rival_environment.ensure(tmp_path / "venv", requirements)

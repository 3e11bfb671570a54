"""The results of scenarios, as lines and as the file that a run goes on from."""

from pathlib import Path

import pytest

from faults.report import earlier, line, save, summary
from faults.run import Result
from plantwatch.errors import ConfigError

HELD = Result("a", 7, ran=True, ok=True, why="", seconds=1.0, figures={}, measured={"kills": 3})
FAILED = Result("b", 7, ran=True, ok=False, why="1 x lost", seconds=2.0, figures={}, measured={})
NOT_RUN = Result("c", 7, ran=False, ok=False, why="no disk", seconds=0.0, figures={}, measured={})


# A run goes on from its file, in which what failed or could not run is still told.
def test_a_run_can_go_on(tmp_path: Path) -> None:
    save([HELD, FAILED, NOT_RUN], 7, 9.0, tmp_path / "faults.json")
    assert earlier(tmp_path / "faults.json") == (7, 9.0, [HELD, FAILED, NOT_RUN])


# Where nothing was ever run, that is said in a line.
def test_there_may_be_nothing_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave --resume out"):
        earlier(tmp_path / "faults.json")


# Each state has its word, and the sentence at the end counts them.
def test_results_are_told_in_words() -> None:
    assert [line(one).split("  ")[0].strip() for one in (HELD, FAILED)] == ["ok", "FAILED"]
    assert line(NOT_RUN).startswith("not run")
    assert "1 x lost" in line(FAILED)
    assert summary([HELD, FAILED, NOT_RUN], 7, 3.0) == "1 of 2 held, 1 not run; seed 7, 3 s"

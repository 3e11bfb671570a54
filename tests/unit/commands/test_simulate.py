"""`plantwatch simulate`, as a process of its own: what it writes can be used, what it refuses is
said in one line.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from data import datasets
from data.cmapss import read
from tests.support.servers import CONFIGS


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """The project's configuration, but without a network."""
    shutil.copytree(CONFIGS, tmp_path / "configs")
    path = tmp_path / "configs" / "datasets" / "cmapss.yaml"
    document = yaml.safe_load(path.read_text())
    document["download"] |= {"addresses": ["http://127.0.0.1:1/"], "folder": str(tmp_path / "raw")}
    path.write_text(yaml.safe_dump(document))
    return tmp_path / "configs"


def run(configs: Path, *words: str, files: Path | str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "commands.app", "--config", str(configs), "simulate", *words],
        env=os.environ | {"CMAPSS_DIR": str(files)},
        capture_output=True,
        text=True,
        check=False,
    )


# Engines can be drawn into a folder of files, and the files fitted: what is written is what every
# simulation is drawn by from then on, and says where it is from.
def test_drawn_engines_can_be_fitted(tmp_path: Path, configs: Path) -> None:
    drawn = run(configs, "fleet", str(tmp_path / "made"), "--dataset", "FD002", "--engines", "40")
    assert drawn.returncode == 0, drawn.stderr
    assert "FD002 train: 40 engines" in drawn.stdout
    assert len(read(tmp_path / "made", "FD002", "test", "made up").slices) == 40
    fitted = run(configs, "fit", "--dataset", "FD002", files=tmp_path / "made")
    assert fitted.returncode == 0, fitted.stderr
    assert "40 engines, 6 operating regimes, 1 way to fail" in fitted.stdout
    path = datasets.engines_file(configs, "FD002")
    assert path.read_text().startswith("# How the engines of FD002 live and fail, from files in")
    before, after = (datasets.simulated(one, "FD002").engines for one in (CONFIGS, configs))
    assert before != after
    assert after.wear.steepness == pytest.approx(before.wear.steepness, rel=0.1)


# A subset that does not exist, files that are not there: one line, and nothing is
# written.
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("fit", "--dataset", "FD005"), 78, "unknown data set 'FD005'"),
        (("fit",), 69, "set CMAPSS_DIR"),
        (("check",), 69, "set CMAPSS_DIR"),
    ],
)
def test_refusals_are_one_line(configs: Path, words: tuple[str, ...], code: int, says: str) -> None:
    before = datasets.engines_file(configs, "FD001").read_text()
    ended = run(configs, *words)
    assert ended.returncode == code
    assert ended.stderr.startswith("plantwatch: ")
    assert ended.stderr.count("\n") == 1
    assert says in ended.stderr
    assert datasets.engines_file(configs, "FD001").read_text() == before


# So are engines too few for as many ways to fail as the subset has.
def test_too_few_engines_are_refused(tmp_path: Path, configs: Path) -> None:
    run(configs, "fleet", str(tmp_path), "--dataset", "FD003", "--engines", "12")
    ended = run(configs, "fit", "--dataset", "FD003", files=tmp_path)
    assert ended.returncode == 65
    assert "12 training engines are too few to fit 2 ways to fail, 20 are needed" in ended.stderr

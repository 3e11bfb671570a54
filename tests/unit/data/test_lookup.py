"""Where `data.load` finds a fleet, and that its source is said plainly."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from structlog.testing import capture_logs

import data
from data import cmapss, datasets, lookup
from data.fleet import Split
from data.simulate import simulate
from plantwatch.errors import ConfigError

FLEET = simulate(datasets.simulated(datasets.CONFIGS, "FD001"), "test")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def configs(tmp_path: Path, raw: Path) -> Path:
    """The project's datasets, but without a network, and with another folder for downloads."""
    shutil.copytree(datasets.CONFIGS, tmp_path / "configs")
    path = tmp_path / "configs" / "datasets" / "cmapss.yaml"
    document = yaml.safe_load(path.read_text())
    document["download"] |= {"addresses": ["http://127.0.0.1:1/"], "folder": str(raw)}
    path.write_text(yaml.safe_dump(document))
    return tmp_path / "configs"


# CMAPSS_DIR comes first, then the download folder; without either and without a network the fleet
# is simulated and says so.
def test_order_of_places(tmp_path: Path, raw: Path, configs: Path) -> None:
    named = {"CMAPSS_DIR": str(tmp_path / "mine")}
    cmapss.write(FLEET, tmp_path / "mine")
    assert data.load("FD001", "test", named, configs).source == lookup.FOREIGN
    assert data.load("FD001", "test", {}, configs).source == "simulated, not NASA data"
    cmapss.write(FLEET, raw)
    assert data.load("FD001", "test", {}, configs).source == lookup.FOREIGN


# A folder with some of the subsets is used for those; the rest is looked for elsewhere.
def test_folder_with_one_subset(tmp_path: Path, configs: Path) -> None:
    cmapss.write(FLEET, tmp_path / "mine")
    fleet = data.load("FD003", "train", {"CMAPSS_DIR": str(tmp_path / "mine")}, configs)
    assert fleet.source == "simulated, not NASA data"


# A CMAPSS_DIR that does not exist is a typo to be told, not a reason to simulate.
def test_missing_folder(configs: Path) -> None:
    with pytest.raises(ConfigError, match="CMAPSS_DIR=/nowhere is no folder"):
        data.load("FD001", "test", {"CMAPSS_DIR": "/nowhere"}, configs)


# A typo in a dataset's description is answered with the file and the key.
def test_bad_description(configs: Path) -> None:
    path = configs / "datasets" / "simulated-FD001.yaml"
    path.write_text(path.read_text().replace("steepness", "steepnes"))
    with pytest.raises(ConfigError, match=r"simulated-FD001.yaml: wear.steepnes"):
        data.load("FD001", "test", {}, configs)


# NASA's own files are recognised as such, with the engines and rows that NASA states.
@pytest.mark.nasa
@pytest.mark.parametrize(
    ("subset", "split", "engines", "rows"),
    [("FD001", "train", 100, 20631), ("FD001", "test", 100, 13096), ("FD002", "test", 259, 33991)],
)
def test_nasa_files(cmapss_dir: Path, subset: str, split: Split, engines: int, rows: int) -> None:
    fleet = data.load(subset, split, {"CMAPSS_DIR": str(cmapss_dir)})
    assert fleet.source == "NASA C-MAPSS"
    assert (len(fleet.slices), len(fleet.rul)) == (engines, rows)

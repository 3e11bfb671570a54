"""The notebooks run from top to bottom on a small fleet, and are committed bare."""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from data import cmapss, datasets
from data.fleet import Split
from data.simulate import simulate
from tests.support.coverage import not_measured
from tests.support.small_training import SMALL

SPLITS: tuple[Split, Split] = ("train", "test")
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small fleets in files, for a notebook that looks for NASA's."""
    folder = tmp_path_factory.mktemp("cmapss")
    for subset in ("FD001", "FD002"):
        parameters = datasets.simulated(datasets.CONFIGS, subset)
        small = parameters.fleet.model_copy(update={"engines": 15})
        for split in SPLITS:
            cmapss.write(simulate(parameters.model_copy(update={"fleet": small}), split), folder)
    return folder


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat


# Whoever opens one and runs it sees tables and pictures, no error; wherever Jupyter was started.
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, files: Path, tmp_path: Path) -> None:
    notebook = read(path)
    environ = {
        "CMAPSS_DIR": str(files),
        "EVALUATION_PROCESSES": "1",
        "EVALUATION_BOOTSTRAPS": "20",
        "EVALUATION_VARIANTS": "{}",  # integration/models/test_commands fits them
        "IPYTHONDIR": str(tmp_path),
    }
    client = NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=300)
    with not_measured():
        client.execute(env=os.environ | SMALL | environ)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [one for one in shown if "image/png" in one.get("data", {})]
    assert len(pictures) >= 2
    assert not [one for one in shown if one.get("name") == "stderr"]


# What a run shows is not committed: it would be large, stale, and of data that are not ours.
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_bare(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)

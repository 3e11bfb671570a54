"""The data set of the worked example, and settings that use it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from data import datasets, tables
from data.fleet import Fleet, Split
from plantwatch.configuration import load
from plantwatch.settings import Settings
from tests.support.servers import CONFIGS
from tests.support.small_training import SMALL

PUMPS: Final = "pumps"
_SCRIPT: Final = CONFIGS.parent / "examples" / "pumps.py"


def write_pumps(folder: Path) -> None:
    """Run the example's script."""
    subprocess.run([sys.executable, str(_SCRIPT), str(folder)], check=True, capture_output=True)


def pumps(folder: Path, split: Split) -> Fleet:
    """What was written into `folder`, by the example's description."""
    described = datasets.table(CONFIGS, PUMPS)
    assert described is not None
    paths = {"train": folder / "train.csv", "test": folder / "test.csv"}
    return tables.read(described.model_copy(update=paths), PUMPS, split)


def pump_settings(**variables: str) -> Settings:
    """Settings as with TRAINING_DATASET=pumps, that train in a second or two."""
    return load(CONFIGS, SMALL | {"TRAINING_DATASET": PUMPS} | variables)

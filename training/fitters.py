"""Every detector's `fit`, by its name."""

import importlib
from collections.abc import Callable
from typing import Final

from models.card import ModelType
from plantwatch.settings import Settings
from training import detectors
from training.dataset import Sample
from training.fit import Fitted

FITTERS: Final[dict[ModelType, Callable[[Sample, Settings, int], Fitted]]] = {
    name: importlib.import_module(f"{detectors.__name__}.{name}").fit for name in detectors.names()
}
"""By the modules of `training.detectors`."""

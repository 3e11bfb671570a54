"""What a contestant said in a trial, and its file in the cache."""

import dataclasses
import hashlib
import importlib.metadata
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np

from plantwatch.scoring import Calibration
from training.dataset import Scored

CACHE: Final = Path(".local/evaluation/cache")
_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = (
    "training",
    "models",
    "plantwatch/features.py",
    *(
        f"evaluation/{name}.py"
        for name in ("attribution", "contestants", "outcome", "peers", "trials")
    ),
)
_LIBRARIES: Final = ("numpy", "scikit-learn", "torch", "onnxruntime")


@dataclass(frozen=True, eq=False)
class Outcome:
    """One contestant in one trial; `supervision` as in `models.card.Card`.

    `calibration` is what it would go into production with, chosen on the windows `known`: a model's
    are those of fit and validation engines, a peer's those of `validation` alone. `by_sensor` as in
    `evaluation.attribution.by_sensor`.
    """

    known: Scored
    validation: Scored
    test: Scored
    calibration: Calibration
    supervision: Literal["U", "W", "S"]
    fit_seconds: float
    us_per_window: float
    size_mb: float | None
    by_sensor: dict[str, list[float]] | None

    def write(self, path: Path) -> None:
        """Whole or not at all: beside its place first, then renamed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{part}_{name}": getattr(getattr(self, part), name)
            for part in _PARTS
            for name in ("raw", "engine", "rul")
        }
        facts = {name: getattr(self, name) for name in _FACTS}
        facts["calibration"] = dataclasses.asdict(self.calibration)
        beside = path.with_name(f"{path.stem}.{os.getpid()}.npz")
        np.savez_compressed(beside, facts=np.array(json.dumps(facts)), **arrays)
        beside.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as file:
            known, validation, test = (
                Scored(*(file[f"{part}_{name}"] for name in ("raw", "engine", "rul")))
                for part in _PARTS
            )
            facts = json.loads(str(file["facts"]))
            calibration = Calibration(**facts.pop("calibration"))
            return cls(known, validation, test, calibration, **facts)


_PARTS: Final = ("known", "validation", "test")
_FACTS: Final = ("supervision", "fit_seconds", "us_per_window", "size_mb", "by_sensor")


def digest(facts: dict[str, Any]) -> str:
    """What an outcome depends on, as sha256: `facts`, the code that fits, and its libraries."""
    text = json.dumps(facts | _surroundings(), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _surroundings() -> dict[str, str]:
    content = hashlib.sha256()
    for source in _SOURCES:
        path = _ROOT / source
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            content.update(file.read_bytes())
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"code": content.hexdigest(), **versions}

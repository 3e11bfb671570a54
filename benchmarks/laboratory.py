"""A pipeline of real processes on real servers, as its users run it, to be measured."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from data import datasets
from data.fleet import Fleet
from data.simulate import simulate
from faults.plant import PIPELINE, Plant, Servers, plant, servers
from faults.trained import version
from models.cache import Role, write_named
from models.card import ModelType
from plantwatch.configuration import with_changes
from plantwatch.settings import Settings

_EPOCHS: Final = 1
"""How well a network is trained makes no difference to its speed."""


@dataclass(frozen=True)
class Laboratory:
    """Kafka and PostgreSQL, a model in a cache, and a fleet to replay."""

    servers: Servers
    configs: Path
    home: Path
    fleet: Fleet

    def pipeline(
        self, names: tuple[str, ...] = PIPELINE, environ: Mapping[str, str] = MappingProxyType({})
    ) -> AbstractContextManager[Plant]:
        """A pipeline with topics, groups and a database of its own."""
        return plant(
            self.servers,
            self.configs,
            self.home / uuid.uuid4().hex,
            {"MODEL_CACHE": str(self.home / "models"), **environ},
            names=names,
            armed=False,
        )


@contextmanager
def laboratory(settings: Settings, configs: Path, model: ModelType) -> Iterator[Laboratory]:
    """Servers on free ports with a folder of their own, and a model of this type to score by.

    Raises:
        UnavailableError: Kafka's jars are neither cached nor to be had.
    """
    fleet = simulate(datasets.simulated(configs, "FD001"), "train")
    # Not below the caller's folder: PostgreSQL's own user may not enter that everywhere.
    with tempfile.TemporaryDirectory(prefix="plantwatch-bench-") as name:
        home = Path(name)
        train(fleet, settings, model, home / "models")
        with servers(configs, home / "servers") as running:
            yield Laboratory(running, configs, home, fleet)


def train(fleet: Fleet, settings: Settings, model: ModelType, cache: Path) -> None:
    """Put a model of this type into `cache`, in production."""
    cache.mkdir(parents=True, exist_ok=True)
    write_named(cache, Role.PRODUCTION, version(fleet, _for_one_epoch(settings), cache, 0, model))


def _for_one_epoch(settings: Settings) -> Settings:
    for section in ("lstm_training", "patchtst_training"):
        settings = with_changes(settings, section, epochs=_EPOCHS)
    return settings

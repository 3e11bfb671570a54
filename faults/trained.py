"""Models for the pipelines of the faults: the recipe's forest, twice, trained in seconds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from data.fleet import Fleet
from models.cache import Named, Role, write_named
from models.card import ModelType, write_artifact
from plantwatch.settings import Settings
from training.dataset import split
from training.judge import judge
from training.train import build_card

_MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)


def train(fleet: Fleet, settings: Settings, cache: Path) -> tuple[Named, Named]:
    """Put two versions into `cache`, as `plantwatch models fetch` would; the first in production.

    Two seeds make two models: their scores differ, so a window scored by the wrong one shows.
    """
    cache.mkdir(parents=True, exist_ok=True)
    first, second = (version(fleet, settings, cache, seed) for seed in (0, 1))
    write_named(cache, Role.PRODUCTION, first)
    return first, second


def version(
    fleet: Fleet, settings: Settings, cache: Path, seed: int, model: ModelType = "isolation_forest"
) -> Named:
    """Put a model of this type into `cache`, under no role."""
    share = settings.training.validation_share
    sample = split(fleet, settings.window.length, share, seed)
    judged = judge(model, sample, sample.validation, settings, seed)
    card = build_card(judged, sample, settings, _MADE)
    digest = write_artifact(card, judged.fitted.network, cache).name
    return Named(digest=digest, version=seed + 1, model_version=f"{model}_v{seed + 1}")

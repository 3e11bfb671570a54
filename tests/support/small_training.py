"""A small simulated fleet and settings that train on it in a second or two."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from data import datasets
from data.fleet import Fleet, Split
from data.simulate import simulate
from local_stack.free import free_ports
from models.cache import Named, Role, read_production, write_named
from models.card import ModelType, write_artifact
from models.onnx_detector import OnnxDetector
from plantwatch.configuration import load, with_changes
from plantwatch.settings import Settings
from tests.support.servers import CONFIGS
from training.dataset import Sample, cut, split
from training.judge import Judged, judge
from training.train import build_card

SMALL = {
    "ISOLATION_FOREST_TREES": "25",
    "ISOLATION_FOREST_MAX_SAMPLES": "256",
    "LSTM_AE_HIDDEN_DIM": "8",
    "LSTM_TRAINING_WINDOWS": "512",
    "LSTM_TRAINING_EPOCHS": "2",
    "PATCHTST_TRAINING_WINDOWS": "512",
    "PATCHTST_TRAINING_EPOCHS": "2",
}


def small_settings(**variables: str) -> Settings:
    return load(CONFIGS, SMALL | variables)


@cache
def small_fleet(part: Split, engines: int = 12) -> Fleet:
    described = datasets.simulated(CONFIGS, "FD001")
    shrunk = described.fleet.model_copy(update={"engines": engines})
    return simulate(described.model_copy(update={"fleet": shrunk}), part)


@cache
def small_sample(seed: int = 0) -> Sample:
    return split(small_fleet("train"), 30, 0.25, seed)


@cache
def small_model(model_type: ModelType) -> Judged:
    """A model trained with the configured recipe, made small."""
    return judge(model_type, small_sample(), cut(small_fleet("test"), 30), small_settings(), 0)


def small_detector(model_type: ModelType, folder: Path) -> OnnxDetector:
    """The same from its artifact, written into `folder`."""
    judged = small_model(model_type)
    card = build_card(judged, small_sample(), small_settings(), datetime(2026, 1, 1, tzinfo=UTC))
    artifact = write_artifact(card, judged.fitted.network, folder)
    return OnnxDetector(artifact, f"{model_type}_v3", small_settings().anomaly)


def cached_model(folder: Path) -> None:
    """Make `folder` a cache as `plantwatch models fetch` leaves it, with a small forest."""
    judged = small_model("isolation_forest")
    card = build_card(judged, small_sample(), small_settings(), datetime(2026, 1, 1, tzinfo=UTC))
    digest = write_artifact(card, judged.fitted.network, folder).name
    production = Named(digest=digest, version=1, model_version="isolation_forest_v1")
    write_named(folder, Role.PRODUCTION, production)


def without_registry(settings: Settings, cache: Path) -> Settings:
    """The same with a small model in a new `cache`, and a registry that does not answer."""
    cached_model(cache)
    own = with_changes(settings, "model", cache=cache)
    return with_changes(own, "mlflow", tracking_uri=f"http://127.0.0.1:{free_ports(1)[0]}")


def other_model(cache: Path) -> Named:
    """Put a second model into a cache, under no role."""
    judged = small_model("lstm_ae")
    card = build_card(judged, small_sample(), small_settings(), datetime(2026, 1, 2, tzinfo=UTC))
    digest = write_artifact(card, judged.fitted.network, cache).name
    return Named(digest=digest, version=2, model_version="lstm_ae_v2")


def own_cache(settings: Settings, cache: Path) -> Settings:
    """The same production model in a cache of the test's own, looked at often."""
    old = settings.model.cache
    cache.mkdir()
    production = read_production(old)
    (cache / production.digest).symlink_to(old / production.digest)
    write_named(cache, Role.PRODUCTION, production)
    return with_changes(settings, "model", cache=cache, refresh_sec=0.1)

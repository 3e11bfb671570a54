"""Training, tracking and the registry on a real MLflow server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient

from local_stack.free import free_ports
from models.cache import Role, last_contact, load, load_production, read_named, read_production
from models.card import CARD, NETWORK, read_artifact
from models.fetch import fetch_challenger, fetch_digest, fetch_production
from models.registry import list_versions, set_challenger, set_production
from plantwatch.configuration import with_changes
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.settings import Settings
from tests.support.commands import Command
from tests.support.small_training import small_fleet, small_sample, small_settings
from training.fitters import FITTERS
from training.train import Trained, train

pytestmark = pytest.mark.real

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def settings_for(server: str, name: str, cache: Path) -> Settings:
    return small_settings(
        MLFLOW_TRACKING_URI=server,
        MLFLOW_EXPERIMENT_NAME=name,
        MODEL_NAME=name,
        MODEL_CACHE=str(cache),
    )


def train_all(settings: Settings, folder: Path) -> list[Trained]:
    fleets = small_fleet("train"), small_fleet("test")
    return train(*fleets, tuple(FITTERS), settings, seed=0, now=NOW, artifacts=folder)[0]


@pytest.fixture(scope="module")
def trained(
    mlflow_server: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, list[Trained]]:
    folder = tmp_path_factory.mktemp("trained")
    settings = settings_for(mlflow_server, "trained", folder / "cache")
    return settings, train_all(settings, folder)


# A training leaves one run per model, with what is needed to judge and to repeat it.
def test_runs_hold_parameters_metrics_and_artifacts(
    trained: tuple[Settings, list[Trained]],
) -> None:
    settings, _ = trained
    client = MlflowClient(settings.mlflow.tracking_uri)
    experiment = client.get_experiment_by_name(settings.mlflow.experiment_name)
    assert experiment is not None
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {
        "isolation_forest_v1",
        "direction_mixture_v1",
        "lstm_autoencoder_v1",
        "patchtst_v1",
    }
    for run in runs.values():
        assert run.info.status == "FINISHED"
        assert run.data.tags["source"] == "simulated, not NASA data"
        assert {"window_size", "threshold", "contamination"} <= set(run.data.params)
        assert {
            *("f1", "precision", "recall", "auc_roc"),
            *("training_time_sec", "model_size_mb", "validation_f1"),
        } <= set(run.data.metrics)
        names = {one.path for one in client.list_artifacts(run.info.run_id)}
        assert names == {*("model", "weights.npz", "golden.npz", "threshold.png", "confusion.png")}
        inside = {one.path for one in client.list_artifacts(run.info.run_id, "model")}
        assert inside == {f"model/{CARD}", f"model/{NETWORK}"}
    lstm = runs["lstm_autoencoder_v1"].data
    assert lstm.tags["model_type"] == "lstm_ae"
    assert {"hidden_dim", "num_layers"} <= set(lstm.params)


# The version with the best validation F1 has the alias and the stage, and the list says so.
def test_the_best_version_is_in_production(trained: tuple[Settings, list[Trained]]) -> None:
    settings, models = trained
    wanted = max(models, key=lambda one: (one.card.metrics["validation_f1"], one.version))
    client = MlflowClient(settings.mlflow.tracking_uri)
    alias = client.get_model_version_by_alias(settings.model.name, "production")
    assert int(alias.version) == wanted.version
    assert alias.current_stage == "Production"
    listed = list_versions(settings)
    assert [one.version for one in listed] == [4, 3, 2, 1]
    assert [one.version for one in listed if one.production] == [wanted.version]


# What is fetched scores as what was trained, under its type and registry version.
def test_the_fetched_model_is_the_trained_one(
    trained: tuple[Settings, list[Trained]],
) -> None:
    settings, models = trained
    folder = fetch_production(settings)
    detector = load_production(settings)
    one = next(model for model in models if model.folder.name == folder.name)
    assert detector.digest == folder.name == read_production(settings.model.cache).digest
    assert detector.version == f"{one.card.model_type}_v{one.version}"
    assert read_artifact(folder, folder.name)[0] == one.card
    assert len(detector.score(small_sample().validation.values[:3]).raw) == 3


# Any version can be had by its digest, in production or not; a digest nobody registered cannot.
def test_a_model_is_fetched_by_its_digest(
    trained: tuple[Settings, list[Trained]], tmp_path: Path
) -> None:
    settings, models = trained
    empty = settings.model_copy(
        update={"model": settings.model.model_copy(update={"cache": tmp_path / "cache"})}
    )
    for one in models:
        folder = fetch_digest(empty, one.folder.name)
        assert read_artifact(folder, one.folder.name)[0] == one.card
    with pytest.raises(ConfigError, match="no version"):
        fetch_digest(empty, "0" * 64)


# Fetching follows the alias from one version to the other.
def test_fetching_follows_the_alias(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "moved", tmp_path / "cache")
    train_all(settings, tmp_path / "artifacts")
    for version in (1, 2, 1):
        set_production(settings, version)
        fetch_production(settings)
        assert read_production(settings.model.cache).version == version
        assert load_production(settings).version.endswith(f"_v{version}")


# Where nobody set the alias, the stage decides.
def test_the_stage_decides_without_an_alias(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "staged", tmp_path / "cache")
    train_all(settings, tmp_path / "artifacts")
    set_production(settings, 1)
    MlflowClient(mlflow_server).delete_registered_model_alias("staged", "production")
    fetch_production(settings)
    assert read_production(settings.model.cache).version == 1


# A registry without models is one line that names the next step, and the cache stays empty.
def test_an_empty_registry_says_what_to_do(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "nothing-here", tmp_path / "cache")
    with pytest.raises(ConfigError, match="make train"):
        fetch_production(settings)
    assert list_versions(settings) == []
    assert list(tmp_path.iterdir()) == []


# An artifact changed on the server is refused, and nothing of it stays here.
def test_a_damaged_artifact_is_not_cached(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "damaged", tmp_path / "cache")
    train_all(settings, tmp_path / "artifacts")
    set_production(settings, 1)
    client = MlflowClient(mlflow_server)
    run_id = client.get_model_version("damaged", "1").run_id
    (tmp_path / NETWORK).write_bytes(b"not what was registered")
    client.log_artifact(run_id, str(tmp_path / NETWORK), "model")
    with pytest.raises(ConfigError, match="damaged"):
        fetch_production(settings)
    assert list(settings.model.cache.iterdir()) == []


# The challenger follows its alias too, and is gone with it; one damaged here is fetched anew.
def test_fetching_follows_the_challenger(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "challenged", tmp_path / "cache")
    cache = settings.model.cache
    train_all(settings, tmp_path / "artifacts")
    set_production(settings, 1)
    fetch_production(settings)
    fetch_challenger(settings)
    assert read_named(cache, Role.CHALLENGER) is None
    set_challenger(settings, 2)
    fetch_challenger(settings)
    named = read_named(cache, Role.CHALLENGER)
    assert named is not None
    assert (named.version, read_production(cache).version) == (2, 1)
    assert load(settings, named).version.endswith("_v2")
    set_challenger(settings, None)
    fetch_challenger(settings)
    assert read_named(cache, Role.CHALLENGER) is None

    set_challenger(settings, 2)
    fetch_challenger(settings)
    (cache / named.digest / NETWORK).write_bytes(b"not what was fetched")
    fetch_challenger(settings)
    assert load(settings, named).version.endswith("_v2")
    assert [one.version for one in list_versions(settings) if one.challenger] == [2]


# The follower brings what both aliases name and notes that the registry answered. When it is away
# nothing here changes, and it says so once.
def test_the_follower_outlives_its_registry(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "followed", tmp_path / "cache")
    settings = with_changes(settings, "model", refresh_sec=0.1)
    cache = settings.model.cache
    train_all(settings, tmp_path / "artifacts")
    set_production(settings, 1)
    set_challenger(settings, 2)
    with following(settings, tmp_path / "there") as follower:
        follower.until(lambda: read_named(cache, Role.CHALLENGER) is not None)
        follower.until(lambda: last_contact(cache) > 0)
    before = {path.name: path.stat().st_mtime for path in cache.iterdir()}
    away = with_changes(settings, "mlflow", tracking_uri=f"http://127.0.0.1:{free_ports(1)[0]}")
    with following(away, tmp_path / "away") as follower:
        follower.until(lambda: "challenger: MLflow at" in follower.said)
        follower.until(lambda: follower.said.count("make up") == 2)  # once for each
    assert {path.name: path.stat().st_mtime for path in cache.iterdir()} == before
    assert load_production(away).version.endswith("_v1")


@contextmanager
def following(settings: Settings, folder: Path) -> Iterator[Command]:
    follower = Command(folder, settings, "models", "follow")
    try:
        yield follower
    finally:
        follower.process.kill()
        follower.wait()


# A model for windows of another length is not named, though nothing is wrong with it.
def test_a_model_that_does_not_fit_is_not_named(mlflow_server: str, tmp_path: Path) -> None:
    settings = settings_for(mlflow_server, "misfit", tmp_path / "cache")
    train_all(settings, tmp_path / "artifacts")
    set_production(settings, 1)
    with pytest.raises(ConfigError, match="configs say 20"):
        fetch_production(with_changes(settings, "window", length=20))
    assert read_named(settings.model.cache, Role.PRODUCTION) is None


# Without its server there is no training: nothing is fitted that could not be tracked.
def test_no_training_without_tracking(tmp_path: Path) -> None:
    settings = settings_for(f"http://127.0.0.1:{free_ports(1)[0]}", "away", tmp_path / "cache")
    with pytest.raises(UnavailableError, match="MLFLOW_TRACKING_URI"):
        train_all(settings, tmp_path)
    with pytest.raises(UnavailableError, match="make up"):
        fetch_production(settings)
    assert list(tmp_path.iterdir()) == []

"""The MLflow registry: one registered model holds every type; alias and stage say which one runs.

`import mlflow` takes seconds, so it happens inside the functions: importing this module is free.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models.card import Card
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

ARTIFACT: Final = "model"
"""The folder of a run's artifacts that holds network and card."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One version in the registry; `f1` is that of validation, NaN where nobody said."""

    version: int
    model_type: str
    f1: float
    created_at: datetime
    digest: str
    data_hash: str
    production: bool
    challenger: bool

    @property
    def model_version(self) -> str:
        return f"{self.model_type}_v{self.version}"


@contextmanager
def client(settings: Settings) -> Iterator["MlflowClient"]:
    """A client of the tracking server and registry, whose failures inside become ours.

    Raises:
        UnavailableError: the server is away or fails.
    """
    # Read by MLflow when it acts: by default it waits for minutes, prints addresses of runs, draws
    # progress bars into pipes, and would unpickle for whoever asked it to load a model.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(settings.mlflow.timeout_sec)
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds, and reads these
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - the same

    uri = settings.mlflow.tracking_uri
    # Says how long it may wait for a version, which nobody needs to know.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Stages are deprecated in favour of aliases; both are kept, for those who use either.
            warnings.simplefilter("ignore", FutureWarning)
            yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except MlflowException as error:
        why = " ".join(str(error).split()).partition(" with exception")[0]
        raise UnavailableError(
            f"MLflow at {uri}: {why[:160]}; start it with `make up` or set MLFLOW_TRACKING_URI"
        ) from None


def register(settings: Settings, run_id: str, card: Card, digest: str) -> int:
    """Make the model among the run's artifacts a version; its tag `f1` is that of validation.

    Raises:
        UnavailableError: the registry is away.
    """
    name = settings.model.name
    with client(settings) as mlflow:
        if not mlflow.search_registered_models(f"name = '{name}'"):
            mlflow.create_registered_model(name)
        source = f"{mlflow.get_run(run_id).info.artifact_uri}/{ARTIFACT}"
        tags = {
            "model_type": card.model_type,
            "f1": f"{card.metrics['validation_f1']:.4f}",
            "digest": digest,
            "data_hash": card.trained_on.data_hash,
        }
        return int(mlflow.create_model_version(name, source, run_id, tags).version)


def set_production(settings: Settings, version: int) -> None:
    """Move alias and stage to `version`; the version that had the stage is archived.

    Raises:
        UnavailableError: the registry is away.
    """
    name = settings.model.name
    with client(settings) as mlflow:
        mlflow.set_registered_model_alias(name, settings.model.alias, str(version))
        mlflow.transition_model_version_stage(
            name, str(version), settings.model.stage, archive_existing_versions=True
        )


def set_challenger(settings: Settings, version: int | None) -> None:
    """Let `version` score in shadow; None: let none.

    Raises:
        UnavailableError: the registry is away.
        ConfigError: it has no such version.
    """
    name, alias = settings.model.name, settings.model.challenger
    if version is not None:
        find_version(settings, version)
    with client(settings) as mlflow:
        if version is not None:
            mlflow.set_registered_model_alias(name, alias, str(version))
        elif mlflow.search_registered_models(f"name = '{name}'"):
            mlflow.delete_registered_model_alias(name, alias)


def list_versions(settings: Settings) -> list[Registered]:
    """All versions, newest first; none where nothing was ever registered.

    Raises:
        UnavailableError: the registry is away.
    """
    with client(settings) as mlflow:
        found = mlflow.search_model_versions(f"name = '{settings.model.name}'")
        current = production_version(mlflow, settings) if found else None
        challenger = challenger_version(mlflow, settings) if found else None
        versions = [
            Registered(
                version=int(one.version),
                model_type=one.tags.get("model_type", "?"),
                f1=float(one.tags.get("f1", "nan")),
                created_at=datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
                digest=one.tags.get("digest", "?"),
                data_hash=one.tags.get("data_hash", "?"),
                production=current is not None and one.version == current.version,
                challenger=challenger is not None and one.version == challenger.version,
            )
            for one in found
        ]
    return sorted(versions, key=lambda one: -one.version)


def find_version(settings: Settings, version: int) -> Registered:
    """One version.

    Raises:
        UnavailableError: the registry is away.
        ConfigError: it has no such version.
    """
    found = next((one for one in list_versions(settings) if one.version == version), None)
    if found is None:
        raise ConfigError(f"there is no version {version}; `plantwatch models list` shows them")
    return found


def name_newest(settings: Settings, model_type: str) -> None:
    """Let `model.alias` mean the newest version of a type, such as for a benchmark's own alias.

    Raises:
        UnavailableError: the registry is away.
        ConfigError: it has no such version.
    """
    newest = next((v for v in list_versions(settings) if v.model_type == model_type), None)
    if newest is None:
        raise ConfigError(f"the registry has no {model_type}; run `make train`")
    with client(settings) as mlflow:
        mlflow.set_registered_model_alias(
            settings.model.name, settings.model.alias, str(newest.version)
        )


def has_production(settings: Settings) -> bool:
    """Whether the registry calls a version production.

    Raises:
        UnavailableError: the registry is away.
    """
    with client(settings) as mlflow:
        return production_version(mlflow, settings) is not None


def set_tag(settings: Settings, version: int, key: str, value: str) -> None:
    """Write down something about a version, where all who look at the registry see it.

    Raises:
        UnavailableError: the registry is away.
    """
    with client(settings) as mlflow:
        mlflow.set_model_version_tag(settings.model.name, str(version), key, value)


def fetch_artifact(settings: Settings, version: int, name: str, folder: Path) -> Path:
    """Bring a file that the run of a version logged beside its model into `folder`.

    Raises:
        UnavailableError: the registry is away.
        ConfigError: there is no such version, or its run has no such file.
    """
    with client(settings) as mlflow:
        run = mlflow.get_model_version(settings.model.name, str(version)).run_id or ""
        if name not in {one.path for one in mlflow.list_artifacts(run)}:
            raise ConfigError(f"version {version} has no {name}; train it again with `make train`")
        return Path(mlflow.download_artifacts(run, name, str(folder)))


def production_version(mlflow: "MlflowClient", settings: Settings) -> "ModelVersion | None":
    """The version that the alias names, or the stage where there is no alias."""
    name, alias, stage = settings.model.name, settings.model.alias, settings.model.stage
    found = mlflow.search_registered_models(f"name = '{name}'")
    if not found:
        return None
    if alias in found[0].aliases:
        return mlflow.get_model_version_by_alias(name, alias)
    staged = mlflow.get_latest_versions(name, stages=[stage])
    return staged[0] if staged else None


def challenger_version(mlflow: "MlflowClient", settings: Settings) -> "ModelVersion | None":
    """The version that scores in shadow, if any does."""
    name, alias = settings.model.name, settings.model.challenger
    found = mlflow.search_registered_models(f"name = '{name}'")
    if not found or alias not in found[0].aliases:
        return None
    return mlflow.get_model_version_by_alias(name, alias)

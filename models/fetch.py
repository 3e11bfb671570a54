"""From the registry into `model.cache`, checked: one model, or for ever what the aliases name.

Nothing is written there that a worker could not score with.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pydantic import ValidationError

from models.cache import Named, Role, Unfit, load, note_contact, read_named, write_named
from models.card import CARD, MAX_BYTES, NETWORK, Card, check_fits, read_artifact
from models.registry import ARTIFACT, challenger_version, client, production_version
from plantwatch.errors import ConfigError, UnavailableError, UnfitModelError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


def fetch_production(settings: Settings, unfit: Unfit | None = None) -> Path:
    """Bring the production model into `model.cache`, checked, and name it there.

    Returns the folder it is in.

    The alias decides, the stage where there is no alias. A model that is there already is checked
    and not downloaded; one that is in `unfit` is refused at once.

    Raises:
        UnavailableError: the registry is away; what was fetched before can still be used.
        ConfigError: it holds no production model, or one that cannot be used; nothing is written.
    """
    with client(settings) as mlflow:
        version = production_version(mlflow, settings)
        if version is None:
            raise ConfigError(
                f"no production model {settings.model.name!r} in the registry at "
                f"{settings.mlflow.tracking_uri}; run `make train`"
            )
        named = _bring(mlflow, settings, version, Role.PRODUCTION, unfit or Unfit())
    write_named(settings.model.cache, Role.PRODUCTION, named)
    return settings.model.cache / named.digest


def fetch_challenger(settings: Settings, unfit: Unfit | None = None) -> None:
    """The same for the challenger; where the registry names none, the cache names none either.

    Raises:
        UnavailableError: the registry is away; the challenger stays.
        ConfigError: the challenger cannot be used; from now on there is none.
    """
    cache = settings.model.cache
    with client(settings) as mlflow:
        version = challenger_version(mlflow, settings)
        named = None
        try:
            if version is not None:
                named = _bring(mlflow, settings, version, Role.CHALLENGER, unfit or Unfit())
        except ConfigError:
            write_named(cache, Role.CHALLENGER, None)
            raise
    write_named(cache, Role.CHALLENGER, named)


def follow(settings: Settings, report: Callable[[str], None]) -> NoReturn:
    """Keep `model.cache` in step with the registry, for ever; the worker looks there.

    What goes wrong (the registry is away, a version is damaged) is reported once. The production
    model fetched before stays then, and the worker goes on with it. A version that was refused is
    not fetched and tried again until another is named.
    """
    unfit = Unfit()
    reported = dict.fromkeys(Role, "")
    while True:
        for role, bring in (
            (Role.PRODUCTION, fetch_production),
            (Role.CHALLENGER, fetch_challenger),
        ):
            failure = _failure_of(settings, partial(bring, settings, unfit))
            if failure != reported[role]:
                report(f"{role}: {failure or 'the registry answers, its model is here'}")
                reported[role] = failure
        time.sleep(settings.model.refresh_sec)


def _failure_of(settings: Settings, bring: Callable[[], object]) -> str:
    """Bring a role's model, and note the contact; what went wrong, "" if nothing did."""
    try:
        bring()
    except UnavailableError as error:
        return str(error)
    except ConfigError as error:
        why = str(error)
    else:
        why = ""
    note_contact(settings.model.cache)
    return why


def fetch_digest(settings: Settings, digest: str) -> Path:
    """Bring the model of a digest into `model.cache`, checked, unless it is there already.

    Returns the folder it is in.

    Raises:
        UnavailableError: the registry is away.
        ConfigError: no version has this digest, or its artifact is damaged; nothing is written.
    """
    name, folder = settings.model.name, settings.model.cache / digest
    if folder.exists():
        return folder
    with client(settings) as mlflow:
        versions = mlflow.search_model_versions(f"name = '{name}'")
        runs = [one.run_id for one in versions if one.tags.get("digest") == digest]
        if not runs or runs[0] is None:
            raise ConfigError(
                f"no version of {name!r} at {settings.mlflow.tracking_uri} has the digest "
                f"{digest[:12]}...; look for it in the registry that it was trained with"
            )
        _download(mlflow, runs[0], digest, settings.model.cache)
    return folder


def _bring(
    mlflow: "MlflowClient", settings: Settings, version: "ModelVersion", role: Role, unfit: Unfit
) -> Named:
    """Bring a version into the cache, checked; tried, too, unless the role has it already."""
    cache, digest = settings.model.cache, version.tags.get("digest", "")
    try:
        named = Named(
            digest=digest,
            version=int(version.version),
            model_version=f"{version.tags['model_type']}_v{version.version}",
        )
    except (KeyError, ValidationError):
        raise ConfigError(
            f"version {version.version} has no digest or type: it was not registered by "
            "`make train`; promote another version"
        ) from None
    with unfit.remembered(role, named):
        check_fits(_card(mlflow, version.run_id or "", digest, cache), settings)
        if named != _known(cache, role):
            load(settings, named)
    return named


def _card(mlflow: "MlflowClient", run_id: str, digest: str, cache: Path) -> Card:
    """The card of the artifact in the cache, which is fetched if it is not there or is damaged."""
    try:
        return read_artifact(cache / digest, digest)[0]
    except ConfigError:
        shutil.rmtree(cache / digest, ignore_errors=True)
    _download(mlflow, run_id, digest, cache)
    return read_artifact(cache / digest, digest)[0]


def _known(cache: Path, role: Role) -> Named | None:
    with suppress(ConfigError):  # what is damaged is written anew
        return read_named(cache, role)
    return None


def _download(mlflow: "MlflowClient", run_id: str, digest: str, cache: Path) -> None:
    """Download beside its place, check, then rename: no reader ever sees half a model."""
    sizes = {one.path: one.file_size or 0 for one in mlflow.list_artifacts(run_id, ARTIFACT)}
    if sizes.keys() != {f"{ARTIFACT}/{CARD}", f"{ARTIFACT}/{NETWORK}"}:
        raise _refused(run_id, "it is not a card and a network")
    if max(sizes.values()) > MAX_BYTES:
        raise _refused(run_id, f"a file is larger than {MAX_BYTES} bytes")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        downloaded = Path(mlflow.download_artifacts(run_id, ARTIFACT, temporary))
        try:
            read_artifact(downloaded, digest)
        except ConfigError as error:
            why = str(error).partition("; ")[0].replace(f"{downloaded}/", "")
            raise _refused(run_id, why) from None
        downloaded.rename(cache / digest)


def _refused(run_id: str, why: str) -> UnfitModelError:
    return UnfitModelError(
        f"the artifact of run {run_id} is damaged: {why}; promote another version or run "
        "`make train`"
    )

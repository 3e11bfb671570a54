"""Models on this disk: `.local/models/<digest>/`, and which of them an alias of the registry names.

`production.json` names the one in use, `challenger.json` the one that scores in shadow. The worker
starts from here without MLflow, whose import takes seconds and whose server may be away.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.card import check_fits, read_artifact
from plantwatch.errors import ConfigError, UnfitModelError
from plantwatch.scoring import Detector, UnscorableError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from models.onnx_detector import OnnxDetector


class Role(StrEnum):
    """What a model is for."""

    PRODUCTION = "production"
    CHALLENGER = "challenger"


_CONTACT: Final = "contact"
"""An empty file; when it was last written is when the registry last answered."""


class Named(BaseModel):
    """The model of a role: its digest, registry version, and the name verdicts carry.

    The digest becomes a path, and comes from a registry or a file that others can write.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    version: int
    model_version: str


def is_fetched(settings: Settings) -> bool:
    """Whether a production model was ever fetched here."""
    return _path(settings.model.cache, Role.PRODUCTION).exists()


def load_production(settings: Settings) -> "OnnxDetector":
    """The production model as last fetched; reads three files, asks nobody.

    Raises:
        ConfigError: nothing was fetched yet, or what was cannot be used; the caller exits.
    """
    return load(settings, read_production(settings.model.cache))


def load(settings: Settings, named: Named) -> "OnnxDetector":
    """A model from the cache, checked before a parser sees it, and tried on windows.

    Raises:
        ConfigError: it is damaged; the caller goes on with the model it has, or exits.
        UnfitModelError: it is made for other readings, or cannot score; the same.
    """
    # Here, not above: onnxruntime takes half a second, which every command would wait for.
    from models.onnx_detector import OnnxDetector  # noqa: PLC0415

    folder = settings.model.cache / named.digest
    check_fits(read_artifact(folder, named.digest)[0], settings)
    try:
        detector = OnnxDetector(folder, named.model_version, settings.anomaly)
        # One and two: what always gives one number, or two, answers all batches but those.
        for batch in (1, 2):
            _try(detector, settings, batch)
    except Exception as error:  # noqa: BLE001  whatever it is, it would end a worker later
        why = " ".join(str(error).removesuffix("; `make train`").split())[:160]
        raise UnfitModelError(f"{named.model_version} cannot score: {why}; `make train`") from None
    return detector


def _try(detector: "OnnxDetector", settings: Settings, batch: int) -> None:
    reading = settings.reading
    shape = batch, settings.window.length, reading.settings + reading.sensors
    windows = np.zeros(shape, np.float32)
    with suppress(UnscorableError):  # it may have no answer for a machine that stands still
        detector.score(windows)
    detector.contributions(windows)  # which `score` only asks for anomalous ones


class Unfit:
    """Remembers why the model of a role will not do, until another is named for it."""

    def __init__(self) -> None:
        self._why: dict[Role, tuple[Named, str]] = {}

    @contextmanager
    def remembered(self, role: Role, named: Named) -> Iterator[None]:
        """Around the bringing or loading of a model.

        Raises:
            UnfitModelError: the block raised it, now or before: then it is not entered again.
        """
        if role in self._why and self._why[role][0] == named:
            raise UnfitModelError(self._why[role][1])
        try:
            yield
        except UnfitModelError as error:
            self._why[role] = named, str(error)
            raise


class Fetched:
    """Which models a worker should use now, by what is named here; the registry is not asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = settings.model.cache
        self._unfit = Unfit()

    def newer(self, current: Detector | None) -> "OnnxDetector | None":
        """The production model if it is another one than `current`.

        Raises:
            ConfigError: it cannot be used.
        """
        named = read_production(self._cache)
        return None if _is(current, named) else self._load(Role.PRODUCTION, named)

    def challenger(self, current: Detector | None) -> Detector | None:
        """The challenger, `current` if that is it, None if there is none.

        Raises:
            ConfigError: it cannot be used.
        """
        named = read_named(self._cache, Role.CHALLENGER)
        if named is None:
            return None
        return current if _is(current, named) else self._load(Role.CHALLENGER, named)

    def _load(self, role: Role, named: Named) -> "OnnxDetector":
        with self._unfit.remembered(role, named):
            return load(self._settings, named)

    def trained_at(self, digest: str) -> float:
        """When a model that was loaded from here was trained, in seconds since 1970.

        Raises:
            ConfigError: it is damaged since.
        """
        return read_artifact(self._cache / digest, digest)[0].created_at.timestamp()

    def last_contact(self) -> float:
        """When the registry last answered whoever follows it, in seconds since 1970; 0: never."""
        return last_contact(self._cache)


def _is(detector: Detector | None, named: Named) -> bool:
    return detector is not None and (
        (detector.version, detector.digest) == (named.model_version, named.digest)
    )


def read_production(cache: Path) -> Named:
    """Which model is in production.

    Raises:
        ConfigError: nothing was fetched yet, or somebody else wrote over it.
    """
    named = read_named(cache, Role.PRODUCTION)
    if named is None:
        raise ConfigError(
            f"no model in {cache}; run `plantwatch models fetch` (after `make train`)"
        )
    return named


def read_named(cache: Path, role: Role) -> Named | None:
    """What `write_named` wrote; None if nothing, or if it was removed.

    Raises:
        ConfigError: somebody else wrote over it.
    """
    path = _path(cache, role)
    try:
        return Named.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise ConfigError(f"{path} is damaged; run `plantwatch models fetch`") from None


def write_named(cache: Path, role: Role, named: Named | None) -> None:
    """Name the model of a role, all or nothing; None removes the name."""
    path = _path(cache, role)
    if named is None:
        path.unlink(missing_ok=True)
        return
    temporary = cache / f".{path.name}.{os.getpid()}"
    temporary.write_text(named.model_dump_json(indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def note_contact(cache: Path) -> None:
    """The registry has just answered."""
    cache.mkdir(parents=True, exist_ok=True)
    (cache / _CONTACT).touch()


def last_contact(cache: Path) -> float:
    """When the registry last answered whoever follows it, in seconds since 1970; 0 for never."""
    try:
        return (cache / _CONTACT).stat().st_mtime
    except OSError:
        return 0.0


def _path(cache: Path, role: Role) -> Path:
    return cache / f"{role}.json"

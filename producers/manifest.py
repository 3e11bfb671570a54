"""What a pass has published, on disk: from here an interrupted replay resumes."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from data.fleet import Fleet, sensor_id
from plantwatch.errors import BadDataError, UnavailableError
from producers.replay import event_time

FOLDER: Final = Path(".local/replay")


class Manifest(BaseModel):
    """One pass: whose rows, since when, and how far every engine is acknowledged.

    `cluster` is Kafka's own id, so that another broker's pass is never taken for this one's;
    `origin` is in microseconds since 1970; `acked` maps an engine to its last acknowledged cycle;
    `names` are the fleet's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    cluster: str
    dataset: str
    split: str
    engines: tuple[int, ...]
    source: str
    data_hash: str
    origin: int
    acked: dict[int, int] = {}
    finished: bool = False
    names: tuple[str, ...] = ()

    def sensor_id(self, engine: int) -> str:
        """As `Fleet.sensor_id`."""
        return self.names[engine - 1] if self.names else sensor_id(self.dataset, engine)

    @property
    def published_until(self) -> int:
        """The latest event time that may be published, in microseconds since 1970."""
        return event_time(self.origin, max(self.acked.values(), default=0))

    def continues(self, other: "Manifest") -> bool:
        """Whether this pass is unfinished and `other` would publish the same rows again."""
        same = {"cluster", "dataset", "split", "engines", "data_hash"}
        return not self.finished and self.model_dump(include=same) == other.model_dump(include=same)

    def advanced(self, acked: Mapping[int, int], *, finished: bool) -> "Manifest":
        return self.model_copy(update={"acked": dict(acked), "finished": finished})

    def save(self, path: Path) -> None:
        """Replace `path` at once and for good: after a crash it is the old or the new one.

        Raises:
            UnavailableError: the file system refuses; publish nothing more.
        """
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("w", encoding="utf-8") as file:
                file.write(self.model_dump_json(indent=1))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise UnavailableError(
                f"cannot write {path}: {error.strerror}; make room for it, then run again"
            ) from None


def load(path: Path) -> Manifest | None:
    """The manifest at `path`; None when there is none.

    Raises:
        BadDataError: the file is no manifest; only a person knows what has been published.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise BadDataError(
            f"{path} is no manifest of a replay; remove it to begin a new pass"
        ) from None


def path_for(fleet: Fleet, engines: tuple[int, ...]) -> Path:
    """Where the passes of these engines are remembered; another choice has another file."""
    name = f"{fleet.subset}-{fleet.split}"
    if engines != tuple(fleet.slices):
        name += "-" + hashlib.sha256(str(engines).encode()).hexdigest()[:8]
    return FOLDER / f"{name}.json"

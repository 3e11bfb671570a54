"""The card of a model: what it is, how it is fed, how its scores are read; and the artifact.

The card holds the sha256 of the network, and the card's own sha256 is the model's digest: whoever
knows the digest can check both files before a parser sees them.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plantwatch.drift import DriftReference
from plantwatch.errors import ConfigError, UnfitModelError
from plantwatch.features import FeatureSpec
from plantwatch.settings import AlarmRule, Settings

CARD: Final = "card.json"
NETWORK: Final = "model.onnx"
MAX_BYTES: Final = 64 * 1024 * 1024
"""Of either file; ours are a few MB at most. What is larger is not read."""
_ONNX_BEGINS: Final = b"\x08"
"""A ModelProto's first field, `ir_version`. A pickle begins with 0x80, what torch saves with PK."""
_OTHER_FORMAT: Final = b"ORTM"
"""Stands at the fifth byte of onnxruntime's own format, which it would read as well."""
_ELSEWHERE: Final = b"location"
"""How a tensor of ONNX names the file that it lies in, under the working directory: no sha256 is of
that file, and it might be any of ours. Our networks hold all their tensors.
"""

ModelType = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
"""The name of a module of `training.detectors`; who only scores need not know it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrainedOn(_Part):
    """The data a model was fitted on; `source` says in words where they come from."""

    dataset: str = Field(pattern=r"^[^/\\\x00-\x1f]+$", description="a name, no path")
    source: str
    data_hash: str
    fit_engines: tuple[int, ...]
    validation_engines: tuple[int, ...]


class LifeAtScore(_Part):
    """How many cycles engines of the training data still had at a raw score up to `raw`.

    The median, and the 5 % and 95 % quantiles, of the windows between the bin before and this one.
    """

    raw: float
    low: float
    median: float
    high: float


class Card(_Part):
    """Everything about a model but its network.

    `threshold` and `scale` are in the unit of the network's raw output, high when anomalous; the
    meaning of the numbers is that of `plantwatch.scoring.Calibration`. `alarm` is the rule that
    keeps to the alarm budget with this threshold, None: the configured one. `supervision` is what
    was used of the labels: U only to choose normal rows and the threshold, W also where the life of
    each fitted engine ended, S a head fitted on labels. `remaining_life` goes by ascending raw; a
    raw beyond the last belongs to the last. `drift` is what a fleet is held against, None in cards
    of before. `metrics` are those of validation and test.
    """

    schema_version: Literal[1] = 1
    model_type: ModelType
    features: FeatureSpec
    threshold: float | None
    scale: float = Field(gt=0)
    platt_a: float
    platt_b: float
    alarm: AlarmRule | None = None
    label_rul: int = Field(gt=0)
    supervision: Literal["U", "W", "S"]
    trained_on: TrainedOn
    onnx_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    created_at: datetime
    remaining_life: tuple[LifeAtScore, ...] = ()
    drift: DriftReference | None = None
    metrics: dict[str, float]


def life_at(card: Card, raw: float) -> LifeAtScore | None:
    """What remained to engines with this score; None where the card does not tell."""
    found = (bin_ for bin_ in card.remaining_life if raw <= bin_.raw)
    return next(found, card.remaining_life[-1] if card.remaining_life else None)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_artifact(card: Card, network: bytes, parent: Path) -> Path:
    """Write both files into `parent`/<digest> and return that folder."""
    text = card.model_dump_json(indent=2).encode()
    folder = parent / sha256(text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_bytes(text)
    (folder / NETWORK).write_bytes(network)
    return folder


def read_artifact(folder: Path, digest: str) -> tuple[Card, bytes]:
    """The card and the network in `folder`, which must be those of `digest`.

    Raises:
        ConfigError: a file is missing, a link or too large, is not what was trained, or is a card
            this version cannot read. The caller must not score; the message says what to do.
    """
    remedy = f"delete {folder} and fetch the model again, or `make train`"
    text, network = _read(folder / CARD, remedy), _read(folder / NETWORK, remedy)
    if sha256(text) != digest:
        raise ConfigError(f"{folder / CARD} is corrupted (sha256 differs); {remedy}")
    try:
        card = Card.model_validate_json(text)
    except ValidationError as error:
        why = f"{'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['msg']}"
        raise ConfigError(f"{folder / CARD}: {why}; it is of another version, {remedy}") from None
    if sha256(network) != card.onnx_sha256:
        raise ConfigError(f"{folder / NETWORK} is corrupted (sha256 differs); {remedy}")
    if not network.startswith(_ONNX_BEGINS) or network[4:8] == _OTHER_FORMAT:
        raise ConfigError(f"{folder / NETWORK} is no ONNX file, maybe a pickle; {remedy}")
    if _ELSEWHERE in network:
        raise ConfigError(f"{folder / NETWORK} keeps tensors in files outside of it; {remedy}")
    return card, network


def check_fits(card: Card, settings: Settings) -> None:
    """Whether a model judges windows as these settings cut them.

    Raises:
        UnfitModelError: it was trained on windows or readings of another shape; the caller must not
            score with it.
    """
    features = card.features
    wanted = {
        "rows in a window": (features.length, settings.window.length),
        "settings in a reading": (len(features.setting_scale), settings.reading.settings),
    }
    for what, (its, ours) in wanted.items():
        if its != ours:
            raise _misfit(f"{its} {what}, configs say {ours}")
    if not 1 <= min(features.sensors) <= max(features.sensors) <= settings.reading.sensors:
        raise _misfit(f"sensors {features.sensors}, readings have {settings.reading.sensors}")


def _misfit(why: str) -> UnfitModelError:
    return UnfitModelError(
        f"the model is made for {why}; run `make train`, or set the configs back"
    )


def _read(path: Path, remedy: str) -> bytes:
    """A file of an artifact, as long as it is one, and of a model's size."""
    if path.is_symlink():
        raise ConfigError(f"{path} is a symbolic link; {remedy}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}; {remedy}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES} bytes; {remedy}")
    return content

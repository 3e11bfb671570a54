"""configs/*.yaml and the environment, read once into frozen `Settings`.

Precedence, highest first: environment, `.env`, `.local/stack.env` (what the local stack made),
configs/*.yaml. The variable of a field is SECTION_FIELD in capitals, or the field's alias.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import yaml
from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from plantwatch.errors import ConfigError
from plantwatch.features import Kind

FILES: Final = (
    "pipeline_config.yaml",
    "model_config.yaml",
    "training_config.yaml",
    "serving_config.yaml",
)
ENVIRONMENT_FILES: Final = (Path(".local/stack.env"), Path(".env"))

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
# In the environment a list is written as in the files: [1, 2].
_LISTED = BeforeValidator(lambda value: yaml.safe_load(value) if isinstance(value, str) else value)
Scaling = Literal["zscore", "minmax"]


class Section(BaseModel):
    """One top-level key of a config file; its fields are documented there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Kafka(Section):
    bootstrap_servers: str
    partitions: Positive
    replication_factor: Positive
    readings_retention_bytes: Positive
    events_retention_hours: Positive


class Topics(Section):
    readings: str
    scores: str
    anomalies: str
    dead_letters: str


class Reading(Section):
    settings: int = Field(ge=0)
    sensors: Positive
    max_bytes: Positive


class Window(Section):
    length: int = Field(ge=2)
    history: int = Field(ge=2)
    max_gap: int = Field(ge=0)
    horizon: Positive
    max_machines: Positive

    @model_validator(mode="after")
    def _history_holds_a_window(self) -> Self:
        if self.history < self.length:
            raise ValueError("history must be at least length, or nothing is ever scored")
        return self


class Producer(Section):
    queue_messages: Positive
    linger_ms: int = Field(ge=0)
    drain_timeout_sec: Seconds
    manifest_interval_sec: Seconds
    tail_messages: Positive
    metrics_port: Port


class Worker(Section):
    group_id: str
    instance_id: str
    chunk_size: Positive
    chunk_fill_ms: Positive
    chunks_ahead: Positive
    fetch_queue_backoff_ms: Positive
    commit_interval_sec: Seconds
    session_timeout_sec: Seconds
    watchdog_sec: Seconds
    metrics_port: Port


class Rejects(Section):
    max_percent: float = Field(gt=0, le=100)
    per_readings: Positive
    max_in_a_row: Positive


class Sink(Section):
    postgres_group_id: str
    prometheus_group_id: str
    instance_id: str
    session_timeout_sec: Seconds
    batch_rows: Positive
    batch_ms: Positive
    retry_min_sec: Seconds
    retry_max_sec: Seconds
    deadline_sec: Annotated[float, Field(ge=2)]
    lock_timeout_sec: Seconds
    idle_timeout_sec: Seconds
    postgres_metrics_port: Port
    prometheus_metrics_port: Port


class Postgres(Section):
    host: str
    port: Port
    db: str
    user: str
    password: SecretStr | None


class Log(Section):
    level: str = Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")


class Stack(Section):
    kafka_version: str
    kafka_heap_mb: Positive
    kafka_controller_port: Port
    prometheus_port: Port
    scrape_interval_sec: Seconds
    ready_timeout_sec: Seconds
    train_timeout_sec: Seconds
    stop_timeout_sec: Seconds
    restart_min_sec: Seconds
    restart_max_sec: Seconds


class Model(Section):
    name: str
    alias: str
    stage: str
    cache: Path
    refresh_sec: Seconds


class Anomaly(Section):
    threshold: Share
    label_rul: Positive
    alarm_hits: Positive
    alarm_of: Positive


class Features(Section):
    sensors: Annotated[tuple[Positive, ...], _LISTED]
    setting_scale: Annotated[tuple[float, ...], _LISTED]
    regimes: Positive
    min_setting_range: float = Field(ge=0)
    level_rows: Positive
    rolling_rows: Positive


class IsolationForest(Section):
    features: Kind
    scaling: Scaling
    trees: Positive
    max_samples: Positive


class LstmAe(Section):
    features: Literal["sequence", "rolling"]
    scaling: Scaling
    head: Literal["trend", "mse"]
    hidden_dim: Positive
    num_layers: Positive
    latent_dim: Positive
    directions: Positive
    spread_floor: float = Field(gt=0)


class Mlflow(Section):
    tracking_uri: str
    experiment_name: str
    timeout_sec: Positive


class Training(Section):
    dataset: str
    validation_share: Share
    seed: int
    normal_rul: Positive
    end_windows: Positive
    threshold_resamples: Positive


class LstmTraining(Section):
    windows: Positive
    epochs: Positive
    batch_size: Positive
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(gt=0)
    corrupted_share: float = Field(ge=0, le=1)
    level_shift: float = Field(ge=0)
    ramp: float = Field(ge=0)


class Evaluation(Section):
    seeds: Positive
    bootstraps: Positive


class Api(Section):
    host: str
    port: Port
    max_batch_size: Annotated[int, Field(gt=0, json_schema_extra={"env": "MAX_BATCH_SIZE"})]


class Streamlit(Section):
    api_url: str
    refresh_interval_sec: Seconds


class Settings(Section):
    """Every knob there is; built once by `load` and handed down."""

    kafka: Kafka
    topics: Topics
    reading: Reading
    window: Window
    producer: Producer
    worker: Worker
    rejects: Rejects
    sink: Sink
    postgres: Postgres
    log: Log
    stack: Stack
    model: Model
    anomaly: Anomaly
    features: Features
    isolation_forest: IsolationForest
    lstm_ae: LstmAe
    mlflow: Mlflow
    training: Training
    lstm_training: LstmTraining
    evaluation: Evaluation
    api: Api
    streamlit: Streamlit


def environment() -> dict[str, str]:
    """The process environment over `.env` over what the local stack wrote."""
    merged: dict[str, str] = {}
    for file in ENVIRONMENT_FILES:
        merged |= {key: value for key, value in dotenv_values(file).items() if value is not None}
    return merged | dict(os.environ)


def load(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Read the four files of `folder`, let `environ` override field by field, check everything.

    Raises:
        ConfigError: a file is missing or no YAML, a key is unknown, a value does not fit; the
            message names the key and what is allowed. The caller prints it and exits 78.
    """
    document: dict[str, Any] = {}
    for name in FILES:
        document |= read_yaml(folder / name)
    for section, field, variable in variables():
        if environ.get(variable):
            document.setdefault(section, {})[field] = environ[variable]
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise ConfigError(_explain(error, folder)) from None


def variables() -> Iterator[tuple[str, str, str]]:
    """(section, field, environment variable) of every setting, in the order of the files."""
    for section, info in Settings.model_fields.items():
        kind = info.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        for field, field_info in kind.model_fields.items():
            extra = field_info.json_schema_extra
            alias = extra.get("env") if isinstance(extra, dict) else None
            yield section, field, str(alias or f"{section}_{field}".upper())


def read_yaml(path: Path) -> dict[str, Any]:
    """The sections of one file, unchecked.

    Raises:
        ConfigError: the file is missing, no YAML, or not made of sections.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; run from the project's folder or name another with --config"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # Not str(error): it quotes the line, and the line may hold a password.
        mark = getattr(error, "problem_mark", None)
        where = f", near line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path} is no YAML in UTF-8{where}; mend the file") from None
    if not isinstance(document, dict) or not all(isinstance(v, dict) for v in document.values()):
        raise ConfigError(f"{path} must hold sections of `name: value` lines; mend the file")
    return document


def _explain(error: ValidationError, folder: Path) -> str:
    # A typo is two errors, a missing and an unknown key: the unknown one names both spellings.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        return f"{folder}: unknown key {key!r}{_nearest(path)}; mend or remove it"
    if first["type"] == "missing":
        return f"{folder}: {key!r} is missing; add it"
    variable = next((v for s, f, v in variables() if [s, f] == path[:2]), "the environment")
    value = "" if _may_be_secret(path) else f" = {first['input']!r}"
    return f"{folder}: {key}{value} does not fit: {first['msg']}; mend it there or in {variable}"


def _may_be_secret(path: list[str]) -> bool:
    """Secret fields may not be printed, nor whole sections, which may hold one."""
    section = Settings.model_fields.get(path[0])
    fields = getattr(section and section.annotation, "model_fields", {})
    field = fields.get(path[-1])
    return field is None or SecretStr in (field.annotation, *get_args(field.annotation))


def _nearest(path: list[str]) -> str:
    """The known key closest to an unknown one, among its siblings."""
    siblings = list(Settings.model_fields)
    if len(path) > 1:
        siblings = [field for section, field, _ in variables() if section == path[0]]
    found = difflib.get_close_matches(path[-1], siblings, n=1, cutoff=0.5)
    return f" (did you mean {'.'.join([*path[:-1], found[0]])!r}?)" if found else ""


def render_env_example() -> str:
    """`.env.example`: every variable with its default from configs/, commented out."""
    defaults = {
        key: value for name in FILES for key, value in read_yaml(Path("configs") / name).items()
    }
    lines = [
        "# Generated by `plantwatch config env-example`; a test keeps it in step with configs/.",
        "# Copy to .env and uncomment what you want to change. POSTGRES_PASSWORD has no default.",
    ]
    previous = ""
    for section, field, variable in variables():
        if section != previous:
            lines += ["", f"# {section}"]
            previous = section
        value = defaults[section][field]
        text = "" if value is None else yaml.safe_dump(value, default_flow_style=True, width=10**6)
        lines.append(f"# {variable}={text.removesuffix(chr(10)).removesuffix('...').strip()}")
    return "\n".join(lines) + "\n"

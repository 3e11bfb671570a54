"""The sections of configs/training_config.yaml: training, its tracking and the comparison."""

from typing import Annotated, Any, Literal

from pydantic import Field

from plantwatch.settings.model import AlarmRule
from plantwatch.settings.section import LISTED, Positive, Section, Share


class Mlflow(Section):
    tracking_uri: str
    experiment_name: str
    timeout_sec: Positive


class Training(Section):
    dataset: str
    validation_share: Share
    seed: int
    normal_rul: Positive
    threshold: Literal["f1", "budget"]
    threshold_resamples: Positive
    life_bins: Positive
    detectors: Annotated[dict[str, dict[str, Any]], LISTED]


class NetworkTraining(Section):
    windows: Positive
    epochs: Positive
    batch_size: Positive
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(gt=0)
    corrupted_share: float = Field(ge=0, le=1)
    level_shift: float = Field(ge=0)
    ramp: float = Field(ge=0)


class Variant(Section):
    """A type of model with some fields of some sections changed: {section: {field: value}}."""

    model: str
    changes: dict[str, dict[str, Any]]


class Evaluation(Section):
    seeds: Positive
    folds: int = Field(ge=2)
    processes: Positive
    bootstraps: Positive
    label_ruls: Annotated[tuple[Positive, ...], LISTED]
    alarm_rules: Annotated[tuple[AlarmRule, ...], LISTED]
    on_time: Annotated[tuple[Positive, Positive], LISTED]
    calibration_bins: Positive
    peer_windows: Positive
    pca_variance: Share
    variants: Annotated[dict[str, Variant], LISTED]


class AlarmBudget(Section):
    false_alarms: float = Field(ge=0)
    per: Literal["1000_cycles", "machine_week"]
    cycle_hours: float = Field(gt=0)
    rules: Annotated[tuple[AlarmRule, ...], LISTED]

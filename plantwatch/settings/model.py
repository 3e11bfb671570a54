"""The sections of configs/model_config.yaml: what the detectors are, and when they alarm."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from plantwatch.features import Kind
from plantwatch.messages import MAX_RULE, IncidentRule
from plantwatch.settings.section import LISTED, Positive, Seconds, Section, Share

Scaling = Literal["gain", "zscore", "minmax"]
Head = Literal["mixture", "mixture_self_trained", "trend", "mse", "logistic", "mixture_logistic"]


class Model(Section):
    name: str
    alias: str
    stage: str
    challenger: str
    challenger_max_share: Share
    cache: Path
    refresh_sec: Seconds


class AlarmRule(Section):
    """In alarm when `hits` of the last `of` verdicts are anomalous."""

    hits: Positive
    of: Annotated[int, Field(gt=0, le=MAX_RULE)]

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.hits > self.of:
            raise ValueError("hits must not exceed of, or there is never an alarm")
        return self

    def __str__(self) -> str:
        return f"{self.hits} of {self.of}"


class Anomaly(Section):
    threshold: Share
    label_rul: Positive
    alarm_hits: Positive
    alarm_of: Annotated[int, Field(gt=0, le=MAX_RULE)]
    alarm_clean: Annotated[int, Field(gt=0, le=MAX_RULE)]
    critical_score: Share
    top_sensors: Positive

    @property
    def alarm(self) -> AlarmRule:
        return AlarmRule(hits=self.alarm_hits, of=self.alarm_of)

    def rule(self, alarm: AlarmRule | None = None) -> IncidentRule:
        """The whole rule of incidents, with `alarm` where a model brings one of its own."""
        alarm = alarm or self.alarm
        return IncidentRule(alarm.hits, alarm.of, self.alarm_clean, self.critical_score)

    @model_validator(mode="after")
    def _alarm_can_be_met(self) -> Self:
        if self.alarm_hits > self.alarm_of:
            raise ValueError("alarm_hits must not exceed alarm_of, or there is never an alarm")
        return self


class Features(Section):
    sensors: Annotated[tuple[Positive, ...], LISTED]
    setting_scale: Annotated[tuple[float, ...], LISTED]
    regimes: Positive
    min_setting_range: float = Field(ge=0)
    regime_radius: float = Field(gt=0)
    gain_range: Annotated[tuple[float, float], LISTED]
    level_rows: Positive
    rolling_rows: Positive


class IsolationForest(Section):
    features: Kind
    scaling: Scaling
    trees: Positive
    max_samples: Positive


class DirectionMixture(Section):
    features: ClassVar[Kind] = "level_slope"

    scaling: Scaling
    head: Head


class LstmAe(Section):
    features: Literal["sequence", "rolling"]
    scaling: Scaling
    head: Head
    hidden_dim: Positive
    num_layers: Positive
    latent_dim: Positive


class Patchtst(Section):
    features: ClassVar[Kind] = "sequence"

    scaling: Scaling
    head: Head
    context: Positive
    patch: Positive
    model_dim: Positive
    num_layers: Positive
    attention_heads: Positive
    feedforward_dim: Positive


class MixtureHead(Section):
    directions: Annotated[tuple[Positive, ...], LISTED]
    end_windows: Positive
    failing_share: Share
    shrinkage: Share
    suspect_share: Share
    suspect_weight: Share
    rounds: Positive


class TrendHead(Section):
    directions: Positive
    end_windows: Positive
    spread_floor: float = Field(gt=0)


class LogisticHead(Section):
    inverse_penalty: float = Field(gt=0)

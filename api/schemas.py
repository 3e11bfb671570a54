"""What is asked of /detect and answered, field by field.

A body is checked strictly (`api.body`): "1" and true are no numbers, and nothing that is not finite
gets in, however it is spelt.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field

from plantwatch.decode import FLOAT32_OVERFLOW
from plantwatch.instants import from_iso
from plantwatch.messages import MAX_SENSOR_ID, SensorContribution

MAX_MISTAKES: Final = 20
"""Told in one refusal; the others are no news."""


def _is_instant(text: str) -> str:
    if from_iso(text) is None:
        raise ValueError("an instant with its zone, 2024-01-15T09:23:11Z, at most microseconds")
    return text


Instant = Annotated[
    str, AfterValidator(_is_instant), Field(json_schema_extra={"format": "date-time"})
]
"""As the stream takes it; answered as it came."""
# Controls have no place in a name, and PostgreSQL refuses NUL only when it is asked.
SensorId = Annotated[
    str, Field(min_length=1, max_length=MAX_SENSOR_ID, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
Value = Annotated[float, Field(gt=-FLOAT32_OVERFLOW, lt=FLOAT32_OVERFLOW)]
# The first mistake in a window is enough: five hundred windows have room for many.
Row = Annotated[list[Value], FailFast()]
Window = Annotated[
    list[Row],
    FailFast(),
    Field(min_length=1, description="Rows, oldest first; their columns are those of GET /model."),
]


class Shape(BaseModel):
    """Strict in all that comes in."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DetectRequest(Shape):
    """A window of one machine; `timestamp` is that of its last row."""

    sensor_id: SensorId
    window: Window
    timestamp: Instant
    contributions: bool = Field(
        default=False, description="Whether to tell what each sensor adds to the score."
    )


class DetectResponse(Shape):
    """A verdict. `anomaly_score` is 0.5 at the threshold, high when anomalous; `confidence` is the
    probability that the machine fails within the label's horizon.
    """

    sensor_id: str
    timestamp: str
    anomaly_score: float = Field(ge=0, le=1)
    is_anomaly: bool
    confidence: float = Field(ge=0, le=1)
    model_version: str
    processing_time_ms: float = Field(ge=0)
    contributions: Sequence[SensorContribution] | None = Field(
        default=None, description="Only when asked for: all of the model's sensors, largest first."
    )


class BatchRequest(Shape):
    """Windows of any machines, judged together or, if one of them will not do, not at all."""

    windows: Annotated[list[DetectRequest], FailFast(), Field(min_length=1)]


class BatchResponse(Shape):
    """The verdicts in the order of the windows; `processing_time_ms` in each is that of all."""

    results: Sequence[DetectResponse]
    total_processed: int


class ModelResponse(Shape):
    """The model in use. A window of /detect has `rows` rows of `columns`, raw readings."""

    model_version: str
    model_digest: str
    model_type: str
    trained_at: datetime
    trained_on: str
    rows: int
    columns: Sequence[str]


class Health(Shape):
    """`healthy` is who can judge windows."""

    status: Literal["healthy", "unhealthy"]
    model_loaded: bool
    model_version: str | None


class Alive(Shape):
    """The answer to probes."""

    status: Literal["ok"] = "ok"


class Problem(Shape):
    """Why there is no other answer, in one line."""

    detail: str


class Mistake(Shape):
    """One thing that is wrong with a request: where, which kind, and what in words."""

    loc: Sequence[str | int]
    type: str
    msg: str


class Refused(Shape):
    """What is wrong with a request: the first mistakes."""

    detail: Sequence[Mistake]

"""Messages to what the judge compares. Which readings are valid is checked here in its own way.

Only the name of a refusal's reason is asked of the stream's decoder: whether a message is refused
at all is found without it, by json and pydantic where that uses orjson and checks by hand.
"""

import json
import math
from array import array
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ledger.evidence import Letter, Message, Score, Verdict
from ledger.rule import Logged
from plantwatch.dead_letter import DeadLetter
from plantwatch.decode import Reject, decode
from plantwatch.instants import to_microseconds
from plantwatch.messages import score_event_from_bytes
from plantwatch.settings import Reading as Shape


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    schema_version: Annotated[int, Field(ge=1, le=1)]  # a Literal would take true and 1.0, too
    sensor_id: Annotated[str, Field(min_length=1, max_length=64)]
    cycle: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    event_time: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
            r"(Z|[+-][0-9]{2}:[0-5][0-9])$"
        ),
    ]
    settings: list[float]
    sensors: list[float]


def reading_of(message: Message, shape: Shape) -> Logged | None:
    """The reading that a message holds; None if it is no valid one."""
    if message.value is None or len(message.value) > shape.max_bytes:
        return None
    try:
        row = _Row.model_validate(_document(message.value))
        time = to_microseconds(datetime.fromisoformat(row.event_time).astimezone(UTC))
    # pydantic's ValidationError is a ValueError, and so is that of bad UTF-8 or JSON.
    except (ValueError, OverflowError, RecursionError):
        return None
    values = array("f", row.settings + row.sensors)
    sound = (
        (len(row.settings), len(row.sensors)) == (shape.settings, shape.sensors)
        and all(map(math.isfinite, values))
        and row.sensor_id.isprintable()
        and row.sensor_id.encode() == message.key
    )
    return Logged(message.offset, row.sensor_id, row.cycle, time, values) if sound else None


def _document(value: bytes) -> object:
    """What JSON says, by Python's own parser; strict where it is not.

    Not pydantic's: that takes NaN, 1e999 and endless digits where a repeated member hides them.

    Raises:
        ValueError: it is no JSON in UTF-8, or holds a number beyond float64 or half a character.
        RecursionError: nested about a thousand deep, as no reading is.
    """
    return json.loads(
        value.decode(),
        parse_constant=_finite,
        parse_float=_finite,
        parse_int=_whole,
        object_pairs_hook=_members,
    )


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last of each name counts; what it hides must have been text, too."""
    members = dict(pairs)
    if len(members) < len(pairs):
        json.dumps(pairs, ensure_ascii=False).encode()
    return members


def reason_of(message: Message, shape: Shape) -> str:
    """What the dead letter of a message that is no valid reading must say."""
    found = decode(message.key, message.value, shape)
    return found.reason if isinstance(found, Reject) else "a reason"


def score_of(message: Message) -> Score:
    """A message of `scores`."""
    try:
        event = score_event_from_bytes(message.value or b"")
    except ValidationError:
        return Score(message.offset, None)
    verdict = Verdict(
        id=event.id,
        score=event.anomaly_score,
        confidence=event.confidence,
        is_anomaly=event.is_anomaly,
        model_version=event.model_version,
        digest=event.model_digest,
        partition=event.partition,
        first_offset=event.first_offset,
        last_offset=event.offset,
        window_start=event.window_start,
    )
    return Score(message.offset, verdict, message.rescored)


_LETTER: Final = TypeAdapter(DeadLetter)


def letter_of(value: bytes) -> Letter | None:
    """A message of `dead-letters`; None if it is none."""
    try:
        letter = _LETTER.validate_json(value)
        digest = bytes.fromhex(letter.sha256)
    except ValueError:
        return None
    return Letter(letter.origin, letter.partition, letter.offset, letter.reason, digest)

"""What is kept of a message that went no further, on `dead-letters`."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson
from pydantic import ConfigDict, TypeAdapter

from plantwatch.messages import SCHEMA_VERSION

MAX_DEAD_LETTER_BYTES: Final = 64 * 1024
"""How much of a refused message its dead letter repeats; beyond, length and sha256 identify it."""


class Original(NamedTuple):
    """A message's own bytes; either may be null."""

    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that went no further, with the reason and where it came from.

    `origin` is the topic it was read from; `value` the first 64 KiB of its bytes in base64 (null
    for a tombstone), `length` and `sha256` those of the whole.
    """

    __pydantic_config__ = ConfigDict(extra="ignore", strict=True)

    id: str
    origin: str
    partition: int
    offset: int
    reason: str
    detail: str
    sensor_id: str | None
    key: str | None
    value: str | None
    length: int
    sha256: str
    schema_version: int = SCHEMA_VERSION

    def to_bytes(self) -> bytes:
        return orjson.dumps(self)

    @property
    def original(self) -> Original:
        """What is kept of the refused message: all of it, unless `truncated`.

        Raises:
            ValueError: it is no base64, so nobody of ours wrote this letter.
        """
        return Original(_unpack(self.key), _unpack(self.value))

    @staticmethod
    def kafka_key(key: bytes | None) -> bytes:
        """What to send a letter under: the message's own key, cut like the letter's copy of it, or
        letter and key together would be more than a broker takes.
        """
        return (key or b"")[:MAX_DEAD_LETTER_BYTES]

    @property
    def truncated(self) -> bool:
        """Whether the original was longer than what is kept; of a key only the kept end tells."""
        kept = self.original
        return len(kept.value or b"") < self.length or (
            len(kept.key or b"") >= MAX_DEAD_LETTER_BYTES
        )

    @classmethod
    def of(
        cls,
        origin: str,
        partition: int,
        offset: int,
        key: bytes | None,
        value: bytes | None,
        *,
        reason: str,
        detail: str = "",
        sensor_id: str | None = None,
    ) -> "DeadLetter":
        body = value or b""
        kept = base64.b64encode(body[:MAX_DEAD_LETTER_BYTES]).decode()
        return cls(
            id=f"{origin}/{partition}/{offset}",
            origin=origin,
            partition=partition,
            offset=offset,
            reason=reason,
            detail=detail,
            sensor_id=sensor_id,
            key=None if key is None else base64.b64encode(key[:MAX_DEAD_LETTER_BYTES]).decode(),
            value=None if value is None else kept,
            length=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )


_DEAD_LETTER = TypeAdapter(DeadLetter)


def dead_letter_from_bytes(value: bytes) -> DeadLetter:
    """Parse and check a `dead-letters` message.

    Raises:
        pydantic.ValidationError: it is none; the caller passes over it.
    """
    return _DEAD_LETTER.validate_json(value)


def _unpack(base64_text: str | None) -> bytes | None:
    return None if base64_text is None else base64.b64decode(base64_text, validate=True)

"""Instants: integers inside the program, microseconds since 1970; in messages texts, in UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

WRITTEN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
"""The spelling of `to_iso`, in which instants are ordered as texts are."""
READ: Final = r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:[0-5]\d)"
"""The spellings that `from_iso` takes."""

_READ: Final = re.compile(READ, re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly (no float on the way)."""
    return (instant - _EPOCH) // _MICROSECOND


def to_datetime(microseconds: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_iso(microseconds: int) -> str:
    """The one spelling of an instant in messages and ids.

    >>> to_iso(1_000_000)
    '1970-01-01T00:00:01.000000Z'
    """
    # Not strftime: its %Y has no leading zeros before the year 1000.
    utc = to_datetime(microseconds).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"


def from_iso(text: str) -> int | None:
    """Microseconds since 1970 of an instant as others may write it; None: it is none.

    >>> from_iso("1970-01-01T01:00:01+01:00")
    1000000
    """
    # datetime.fromisoformat alone takes many spellings (a zone of +00:99, too) and cuts digits
    # beyond the microsecond.
    if not _READ.fullmatch(text):
        return None
    try:
        time = to_microseconds(datetime.fromisoformat(text))
    except ValueError:  # the 30th of February
        return None
    return time if _FIRST <= time <= _LAST else None


# By its zone, an instant may fall out of the years that a datetime has.
_FIRST: Final = to_microseconds(datetime.min.replace(tzinfo=UTC))
_LAST: Final = to_microseconds(datetime.max.replace(tzinfo=UTC))

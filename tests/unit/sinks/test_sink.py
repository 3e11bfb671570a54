"""Messages of `scores` read as rows."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantwatch.instants import to_iso, to_microseconds
from sinks.sink import row_of
from tests.support.verdicts import record, verdict

INSTANTS = st.datetimes(timezones=st.just(UTC))


# Whatever instant a reading has, the row's is the same to the microsecond.
@given(INSTANTS)
def test_event_time_is_exact(instant: datetime) -> None:
    event = verdict(event_time=to_iso(to_microseconds(instant)))
    assert row_of(record(event.to_bytes())).detected_at == instant


# Only one spelling of an instant is taken, for the id repeats the text and the table the instant;
# PostgreSQL itself would read "now" as the wall clock.
@pytest.mark.parametrize(
    "spelling",
    [
        "now",
        "infinity",
        "2026-11-23",
        "2026-11-23T02:15:11Z",
        "2026-11-23T02:15:11.000000",
        "2026-11-23T02:15:11.000000+00:00",
        "2026-11-23T02:15:11.0000001Z",
        "2026-02-30T02:15:11.000000Z",
        "0001-01-01T00:00:00.000000+14:00",
        "",
    ],
)
def test_other_spellings_are_refused(spelling: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        row_of(record(verdict(event_time=spelling).to_bytes()))


# Nothing but a ValueError comes out of bytes that are no verdict: the loop buries those, and
# anything else would end it.
@given(st.binary(max_size=200) | st.none())
def test_any_bytes_are_refused_in_one_way(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        row_of(record(value))

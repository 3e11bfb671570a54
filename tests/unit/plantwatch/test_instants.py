"""Instants as integers and as texts."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from plantwatch.instants import from_iso, to_datetime, to_iso, to_microseconds

INSTANTS = st.datetimes(timezones=st.just(UTC))


# An instant becomes microseconds and comes back exactly, from the year 1 to the year 9999.
@given(INSTANTS)
def test_instants_survive_as_microseconds(instant: datetime) -> None:
    assert to_datetime(to_microseconds(instant)) == instant


# There is one spelling of an instant, always 27 characters, so that texts sort like times.
@given(INSTANTS, INSTANTS)
def test_the_spelling_of_instants_sorts_like_time(one: datetime, other: datetime) -> None:
    texts = [to_iso(to_microseconds(instant)) for instant in (one, other)]
    assert [len(text) for text in texts] == [27, 27]
    assert datetime.fromisoformat(texts[0]) == one
    assert (texts[0] < texts[1]) is (one < other)


# What we write we read, to the microsecond.
@given(INSTANTS)
def test_what_is_written_is_read(instant: datetime) -> None:
    microseconds = to_microseconds(instant)
    assert from_iso(to_iso(microseconds)) == microseconds


# The zone that an instant was written in does not matter.
def test_the_same_instant_in_another_zone_is_the_same() -> None:
    tokyo = datetime(2026, 11, 23, 11, 15, 11, tzinfo=timezone(timedelta(hours=9)))
    assert to_iso(to_microseconds(tokyo)) == "2026-11-23T02:15:11.000000Z"

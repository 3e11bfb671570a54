"""Dead letters as a collection."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dead_letters.letters import (
    Choice,
    Filed,
    filed,
    first_of_each,
    in_source_order,
    summarise,
)
from plantwatch.dead_letter import DeadLetter

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def some(draw: st.DrawFn) -> Filed:
    """A letter among few ids, reasons, origins and times, so that all of them meet."""
    small = st.integers(0, 3)
    letter = DeadLetter.of(
        draw(st.sampled_from(["readings", "scores"])),
        draw(small),
        draw(small),
        b"m1",
        draw(st.binary(max_size=3)),
        reason=draw(st.sampled_from(["late", "conflict"])),
    )
    return Filed(letter, letter.original, NEW_YEAR + timedelta(seconds=draw(small)))


LETTERS = st.lists(some(), max_size=30)


# A letter that was written again after a crash counts once, as it was written first.
@given(LETTERS)
def test_each_letter_counts_once(letters: list[Filed]) -> None:
    once = list(first_of_each(letters))
    first: dict[str, Filed] = {}
    for one in letters:
        first.setdefault(one.letter.id, one)
    assert once == list(first.values())


# The counts of the groups add up, no group is empty, and each says its earliest and latest letter
# and an id that is one of its own.
@given(LETTERS)
def test_groups_account_for_every_letter(letters: list[Filed]) -> None:
    groups = summarise(letters)
    counted = Counter((one.letter.reason, one.letter.origin) for one in letters)
    assert {(group.reason, group.origin): group.count for group in groups} == counted
    assert [group.count for group in groups] == sorted(counted.values(), reverse=True)
    for group in groups:
        own = [one for one in letters if one in Choice(group.reason, group.origin)]
        assert (group.first, group.last) == (min(o.at for o in own), max(o.at for o in own))
        assert group.example in {one.letter.id for one in own if one.at == group.last}


# Messages go back in the order in which they came: by partition and offset of each topic.
@given(LETTERS)
def test_source_order(letters: list[Filed]) -> None:
    places = [(one.letter.origin, *one.place) for one in in_source_order(letters)]
    assert places == sorted((one.letter.origin, *one.place) for one in letters)


# Every condition that is given must hold; without any, all letters are meant.
@given(LETTERS, st.integers(0, 4))
def test_a_choice_is_all_of_its_conditions(letters: list[Filed], second: int) -> None:
    since = NEW_YEAR + timedelta(seconds=second)
    assert all(one in Choice() for one in letters)
    for one in letters:
        assert (one in Choice(reason="late")) is (one.letter.reason == "late")
        assert (one in Choice(origin="scores")) is (one.letter.origin == "scores")
        assert (one in Choice(since=since)) is (one.at >= since)
        assert one in Choice(id=one.letter.id)
        both = Choice(reason="late", id="readings/0/0")
        assert (one in both) is (one.letter.reason == "late" and one.letter.id == "readings/0/0")


# What is no dead letter, or claims bytes that cannot be read back, is passed over.
def test_foreign_messages_are_no_letters() -> None:
    sound = DeadLetter.of("readings", 0, 7, b"m1", b"{}", reason="late").to_bytes()
    found = filed(sound, NEW_YEAR)
    assert found is not None
    assert found.original == (b"m1", b"{}")
    assert filed(b"", NEW_YEAR) is None
    assert filed(sound.replace(b'"e30="', b'"?!"'), NEW_YEAR) is None

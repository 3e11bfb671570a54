"""Dead letters: what is kept of a message, and what is told of the rest."""

import base64
import hashlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plantwatch.dead_letter import MAX_DEAD_LETTER_BYTES, DeadLetter, dead_letter_from_bytes


def dead_letter(key: bytes | None, value: bytes | None) -> dict[str, Any]:
    letter = DeadLetter.of("readings", 3, 42, key, value, reason="not_json", detail="what it said")
    read: dict[str, Any] = orjson.loads(letter.to_bytes())
    return read


# A dead letter names where the message stood and repeats its bytes, whatever they were.
@given(st.none() | st.binary(), st.none() | st.binary())
def test_a_dead_letter_repeats_the_message(key: bytes | None, value: bytes | None) -> None:
    letter = dead_letter(key, value)
    assert letter["id"] == "readings/3/42"
    assert letter["reason"] == "not_json"
    for sent, kept in ((key, letter["key"]), (value, letter["value"])):
        assert (None if kept is None else base64.b64decode(kept)) == sent
    assert letter["length"] == len(value or b"")
    assert letter["sha256"] == hashlib.sha256(value or b"").hexdigest()


# Of a huge message 64 KiB are repeated; the length and the digest are those of the whole.
@pytest.mark.parametrize("beyond", [0, 1, 1_000_000])
def test_a_dead_letter_is_cut_but_says_what_it_was(beyond: int) -> None:
    value = b"x" * MAX_DEAD_LETTER_BYTES + b"y" * beyond
    letter = dead_letter(b"k" * 100_000, value)
    assert base64.b64decode(letter["value"]) == b"x" * 65_536
    assert len(base64.b64decode(letter["key"])) == 65_536
    assert letter["length"] == 65_536 + beyond
    assert letter["sha256"] == hashlib.sha256(value).hexdigest()


# A tombstone and an empty message are told apart.
def test_a_tombstone_is_not_an_empty_message() -> None:
    assert dead_letter(b"k", None)["value"] is None
    assert dead_letter(b"k", b"")["value"] == ""


# Whoever reads a dead letter has the message again, and knows when a part of it is missing.
@given(st.none() | st.binary(), st.none() | st.binary(), st.sampled_from([0, 70_000]))
def test_a_dead_letter_is_read_back(key: bytes | None, value: bytes | None, more: int) -> None:
    value = (value or b"") + b"x" * more if more else value
    sent = DeadLetter.of("readings", 3, 42, key, value, reason="late")
    letter = dead_letter_from_bytes(sent.to_bytes())
    assert letter == sent
    assert letter.truncated is (more > 0)
    assert letter.original == (key, value[:MAX_DEAD_LETTER_BYTES] if value is not None else None)


# Of a key only what is kept is known: a full one counts as cut.
def test_a_huge_key_counts_as_truncated() -> None:
    assert DeadLetter.of("readings", 0, 0, b"k" * 70_000, b"", reason="key_mismatch").truncated


# Whatever bytes stand among the dead letters, reading them ends in a letter or in the one refusal.
@given(st.binary() | st.integers(0, 3000).map(lambda depth: b"[" * depth))
def test_foreign_bytes_are_no_dead_letter(value: bytes) -> None:
    with pytest.raises(ValidationError):
        dead_letter_from_bytes(value)

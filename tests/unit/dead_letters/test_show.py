"""One dead letter on a terminal."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dead_letters.letters import Filed
from dead_letters.show import body, lines
from plantwatch.dead_letter import DeadLetter

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def shown(value: bytes | None, key: bytes | None = b"m1", **said: str) -> str:
    letter = DeadLetter.of("readings", 3, 17, key, value, **{"reason": "late"} | said)
    one = Filed(letter, letter.original, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    return "\n".join(lines(one))


# What is JSON is shown as JSON that says the same; what is not, byte by byte.
@given(JSON)
def test_json_is_shown_as_json(document: object) -> None:
    text = body(json.dumps(document).encode())
    assert text.isascii()
    assert json.loads(text) == document


@given(st.binary().map(lambda junk: b"\xff" + junk))
def test_anything_else_is_shown_as_hex(value: bytes) -> None:
    text = body(value)
    assert bytes.fromhex(text) == value
    assert max(map(len, text.splitlines())) < 100


# JSON too deep to indent is shown all the same.
def test_deep_json_is_shown_as_hex() -> None:
    deep = b"[" * 1000 + b"]" * 1000
    assert bytes.fromhex(body(deep)) == deep


# Nothing that a stranger put into a message moves the cursor or clears the screen.
@given(st.text(), st.none() | st.binary(), st.none() | st.binary())
def test_a_terminal_is_safe(detail: str, key: bytes | None, value: bytes | None) -> None:
    text = shown(value, key, detail=detail, sensor_id=detail)
    assert all(each.isprintable() for each in text.split("\n"))


# A person sees why, from where, and whether all of the message is there.
def test_a_letter_says_all() -> None:
    text = shown(b"x" * 70_000, reason="too_large", detail="70000 bytes", sensor_id="m1")
    for said in ("readings/3/17", "too_large", "70000 bytes", "partition 3, offset 17", "65536"):
        assert said in text
    assert "2026-01-02T03:04:05" in text
    assert "only the first" not in shown(b"x")
    assert "a tombstone" in shown(None)

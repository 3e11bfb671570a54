"""The judge's own idea of a valid reading, held against the stream's decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence import Message
from ledger.parse import letter_of, reason_of, score_of
from plantwatch.dead_letter import DeadLetter
from tests.support.corpus import VALID, Case, cases
from tests.support.decoding import SHAPE, assert_total
from tests.support.verdicts import verdict


# Two programs that were written apart take and refuse the same messages, for the same reason.
@pytest.mark.parametrize("case", [*cases()], ids=lambda case: f"{case.verdict}: {case.name}")
def test_the_judge_and_the_stream_agree_on_what_is_valid(case: Case) -> None:
    assert_total(case.key, case.value)
    if case.verdict != "accepted":
        assert reason_of(Message(7, case.key, case.value), SHAPE) == case.verdict


# The same where a valid message is damaged by a few bytes.
@given(st.data())
def test_they_agree_on_damaged_messages(data: st.DataObject) -> None:
    whole = "{" + ",".join(f'"{name}":{text}' for name, text in VALID.items()) + "}"
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text('0123456789-+.eE,:[]{}"tT Zx', max_size=3))
    damaged = whole[:at] + put + whole[at + cut :]
    assert_total(b"FD001-engine-001", damaged.encode())


# What is no verdict, or no dead letter, is told apart from what is.
def test_foreign_messages_are_no_verdicts_and_no_letters() -> None:
    assert score_of(Message(3, None, b"{}")).verdict is None
    assert score_of(Message(3, None, verdict(5).to_bytes())).verdict is not None
    assert letter_of(b"[]") is None
    letter = letter_of(DeadLetter.of("readings", 2, 9, None, b"x", reason="not_json").to_bytes())
    assert letter is not None
    assert (letter.origin, letter.partition, letter.offset) == ("readings", 2, 9)

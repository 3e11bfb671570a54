"""What a replay publishes, apart from Kafka."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dead_letters.letters import Filed
from dead_letters.outgoing import Outgoing, Refused
from dead_letters.replay import repeat
from dead_letters.rescore import judge
from plantwatch.dead_letter import DeadLetter, Original
from plantwatch.messages import score_event_from_bytes
from plantwatch.scoring import Verdicts
from plantwatch.windows import ReadingClass
from stream_processors import chunks
from tests.support.streams import (
    CHOKING_VALUE,
    Message,
    SumDetector,
    empty_partition,
    message,
    small_window_settings,
)

SETTINGS = small_window_settings()
BYTES = st.none() | st.binary(max_size=20)


class Unfailing(SumDetector):
    """A model of today, which has an answer for everything."""

    version = "sum_v2"

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        return super().score(windows + 0.5)


def letter(origin: str, partition: int, offset: int, original: Original, reason: str) -> Filed:
    sent = DeadLetter.of(origin, partition, offset, *original, reason=reason)
    return Filed(sent, sent.original, datetime(2026, 1, 1, tzinfo=UTC))


# The bytes go back to the partition they came from, as they were, saying where they first stood.
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9), BYTES, BYTES)))
def test_messages_go_back_as_they_were(sent: list[tuple[int, int, bytes, bytes]]) -> None:
    letters = [
        letter("readings", n, at, Original(key, value), "late") for n, at, key, value in sent
    ]
    assert list(repeat(letters, {})) == [
        Outgoing("readings", n, key, value, {"plantwatch-origin": f"readings/{n}/{at}"})
        for n, at, key, value in sent
    ]


# A truncated message goes back whole or not at all.
def test_half_a_message_is_not_sent() -> None:
    whole = Original(b"m1", b"x" * 70_000)
    cut = letter("readings", 3, 17, whole, "too_large")
    [back] = repeat([cut], {"readings/3/17": whole})
    assert isinstance(back, Outgoing)
    assert back.value == whole.value
    [refused] = repeat([cut], {})
    assert isinstance(refused, Refused)
    assert "retention" in refused.why


def day(values: list[float]) -> list[Message]:
    """Two machines in turn; the values are the first one's."""
    log = []
    for cycle, value in enumerate(values, start=1):
        log += [message(2 * cycle, 0, cycle, value), message(2 * cycle + 1, 1, cycle, 1.0)]
    return log


# Readings that a model failed on get the verdict that a worker with today's model would have given
# them at the time: the same window, whatever the model makes of the readings around it.
@given(st.lists(st.sampled_from([1.0, 2.0, CHOKING_VALUE]), max_size=25))
def test_rescored_as_if_the_model_had_been_there(values: list[float]) -> None:
    log = day(values)
    failed = {
        one.offset(): letter(
            "readings", 0, one.offset(), Original(one.key(), one.value()), "model_error"
        )
        for one in log
        if class_of(one, log) is ReadingClass.REJECTED
    }
    wanted = {
        (event.offset, event.first_offset, event.anomaly_score)
        for output in chunks.process([(empty_partition(SETTINGS), log)], Unfailing()).outputs
        if (event := score_event_from_bytes(output.value)).offset in failed
    }
    found = list(judge(empty_partition(SETTINGS), log, failed, Unfailing()))
    events = [
        score_event_from_bytes(one.value or b"") for one in found if isinstance(one, Outgoing)
    ]
    assert {(e.offset, e.first_offset, e.anomaly_score) for e in events} == wanted
    assert {e.model_version for e in events} <= {"sum_v2"}
    assert all(
        one.headers["plantwatch-rescored"] == "1" for one in found if isinstance(one, Outgoing)
    )


def class_of(last: Message, log: list[Message]) -> ReadingClass:
    """What the model that chokes made of a message of the log."""
    partition = empty_partition(SETTINGS)
    partition.restore([one for one in log if one.offset() < last.offset()])
    [kind] = chunks.process([(partition, [last])], SumDetector()).kinds
    return kind


# A model that still fails, a reading that is gone, and one in whose place another stands: each is
# refused, and nothing is published for it.
def test_what_cannot_be_rescored_is_refused() -> None:
    log = day([1.0] * 9 + [CHOKING_VALUE])
    at = log[-2].offset()
    still = letter("readings", 0, at, Original(log[-2].key(), log[-2].value()), "model_error")
    for messages, why in ((log, "sum_v1"), (log[:-2], "retention")):
        [refused] = judge(empty_partition(SETTINGS), messages, {at: still}, SumDetector())
        assert isinstance(refused, Refused)
        assert why in refused.why
    other = letter("readings", 0, at, Original(b"m0", b"another"), "model_error")
    [refused] = judge(empty_partition(SETTINGS), log, {at: other}, Unfailing())
    assert isinstance(refused, Refused)

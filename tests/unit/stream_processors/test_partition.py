"""A chunk through one partition: classes, scores, dead letters, and the account of it."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plantwatch.accounting import CommitMetadata, Ledger
from plantwatch.messages import IncidentRule
from plantwatch.scoring import Verdicts
from plantwatch.windows import ReadingClass
from stream_processors import chunks
from stream_processors.chunks import Outcome
from stream_processors.outputs import Output
from stream_processors.partition import Partition
from tests.support.streams import (
    CHOKING_VALUE,
    Message,
    SumDetector,
    empty_partition,
    message,
    small_window_settings,
)

SETTINGS = small_window_settings()
DETECTOR = SumDetector()


def process(partition: Partition, *messages: Message) -> Outcome:
    return chunks.process([(partition, messages)], DETECTOR)


def events(outputs: list[Output], topic: str) -> list[dict[str, object]]:
    return [json.loads(output.value) for output in outputs if output.topic == topic]


@st.composite
def logs(draw: st.DrawFn) -> list[Message]:
    """Two machines with steady, repeated, shuffled, broken and choking readings, and holes."""
    log: list[Message] = []
    cycles = [0, 0]
    at = 0
    for step in draw(st.lists(st.integers(0, 19), max_size=60)):
        at += 1 + (step == 19) * 3  # an offset that Kafka did not hand out
        machine = step % 2
        cycles[machine] += 1
        if step == 18 and log:
            log.append(Message(at, log[-1].raw_key, log[-1].raw_value))
        elif step == 17:
            log.append(Message(at, b"m0", b"{broken"))
        elif step == 16:
            log.append(message(at, machine, cycles[machine], CHOKING_VALUE))
        elif step == 15:
            log.append(message(at, machine, max(1, cycles[machine] - 9), 0.5, time=0))
        else:
            log.append(message(at, machine, cycles[machine], float(at)))
    return log


# A machine's fifth reading is its first with a window; its score is that window's.
def test_the_first_full_window_is_scored() -> None:
    outcome = process(empty_partition(SETTINGS), *(message(i, 1, i + 1, i) for i in range(5)))
    (score,) = events(outcome.outputs, "scores")
    assert score["raw"] == 0 + 1 + 2 + 3 + 4
    assert score["id"] == "m1/5/1970-01-01T00:00:05.000000Z"
    assert (score["first_offset"], score["offset"], score["partition"]) == (0, 4, 0)
    assert score["window_start"] == "1970-01-01T00:00:01.000000Z"
    assert outcome.kinds == {ReadingClass.WARM_UP: 4, ReadingClass.SCORED: 1}


# An anomaly goes to both topics, with the same bytes.
def test_an_anomaly_is_a_score_too() -> None:
    outcome = process(empty_partition(SETTINGS), *(message(i, 1, i + 1, 99) for i in range(5)))
    assert [output.topic for output in outcome.outputs] == ["scores", "anomalies"]
    assert outcome.outputs[0].value == outcome.outputs[1].value
    assert outcome.anomalies == 1


class ExplainingDetector(SumDetector):
    """Says of anomalies which sensors, of negative sums that their regime is unseen, and by which
    rule they become an incident.
    """

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        verdicts = super().score(windows)
        told = np.where(verdicts.is_anomaly[:, None], [0.5, -4.0, 3.0, 1.0], np.nan)
        return replace(
            verdicts,
            contributions=told,
            sensors=(2, 4, 11, 21),
            unseen_regime=verdicts.raw < 0,
            regime=np.where(verdicts.raw < 0, 5, 2),
            rule=IncidentRule(hits=2, of=4, clean=7, critical=0.8),
        )


def up_and_down() -> list[Message]:
    """A window of machine 1 with a large sum, then one of machine 2 with a negative one."""
    values = [99.0] * 5 + [-99.0] * 5
    return [message(at, 1 + at // 5, 1 + at % 5, value) for at, value in enumerate(values)]


# An anomaly names the sensors that move its score most; a normal verdict names none.
def test_an_anomaly_names_its_sensors() -> None:
    outcome = chunks.process([(empty_partition(SETTINGS), up_and_down())], ExplainingDetector())
    anomaly, normal = events(outcome.outputs, "scores")
    assert anomaly["top_sensors"] == [
        {"sensor": 4, "contribution": -4.0},
        {"sensor": 11, "contribution": 3.0},
        {"sensor": 21, "contribution": 1.0},
    ]
    assert (normal["top_sensors"], normal["is_anomaly"]) == ([], False)


# A verdict on a machine in a regime that training never saw says so.
def test_an_unseen_regime_is_said() -> None:
    outcome = chunks.process([(empty_partition(SETTINGS), up_and_down())], ExplainingDetector())
    assert [one["unseen_regime"] for one in events(outcome.outputs, "scores")] == [False, True]


# Every verdict carries its regime, and the rule of incidents that belongs to its model.
def test_regime_and_rule_travel_with_the_verdict() -> None:
    outcome = chunks.process([(empty_partition(SETTINGS), up_and_down())], ExplainingDetector())
    scores = events(outcome.outputs, "scores")
    assert [one["regime"] for one in scores] == [2, 5]
    rule = {"hits": 2, "of": 4, "clean": 7, "critical": 0.8}
    assert [one["alarm"] for one in scores] == [rule, rule]


# A bad message is buried with its reason and bytes, and the good ones go on.
def test_a_bad_message_stops_nobody() -> None:
    log = [message(i, 1, i + 1, i) for i in range(4)]
    log += [Message(4, b"m1", b"\xff"), message(5, 1, 5, 4)]
    outcome = process(empty_partition(SETTINGS), *log)
    (letter,) = events(outcome.outputs, "dead-letters")
    assert (letter["reason"], letter["offset"], letter["value"]) == ("not_json", 4, "/w==")
    assert len(events(outcome.outputs, "scores")) == 1


# A message that fills what a broker takes with its key alone is buried all the same.
def test_a_letter_fits_the_broker() -> None:
    key = b"k" * 1_000_000
    (output,) = process(empty_partition(SETTINGS), Message(0, key, b"{}")).outputs
    assert len(output.key) + len(output.value) < SETTINGS.kafka.max_message_bytes


# A window that the model has no answer for is rejected; its reading still completes later windows.
def test_an_unscorable_window_is_rejected_alone() -> None:
    values = [1.0, 2.0, 3.0, 4.0, CHOKING_VALUE, 6.0]
    log = [message(i, 1, i + 1, value) for i, value in enumerate(values)]
    outcome = process(empty_partition(SETTINGS), *log)
    (letter,) = events(outcome.outputs, "dead-letters")
    assert (letter["reason"], letter["offset"]) == ("model_error", 4)
    (score,) = events(outcome.outputs, "scores")
    assert score["raw"] == 2.0 + 3.0 + 4.0 + CHOKING_VALUE + 6.0


# Every offset is in exactly one class or skipped, and the commit's metadata says so.
@given(logs())
def test_the_account_is_complete(log: list[Message]) -> None:
    partition = empty_partition(SETTINGS)
    process(partition, *log)
    metadata = CommitMetadata.from_text(partition.metadata(DETECTOR.digest))
    assert metadata is not None
    assert sum(metadata.counts.values()) == partition.ledger.position - metadata.start
    assert partition.ledger.position == (log[-1].at + 1 if log else 0)


# However the log is cut into chunks, the outputs and the metadata are the same.
@given(logs(), st.sets(st.integers(0, 60)))
def test_chunks_do_not_matter(log: list[Message], cuts: set[int]) -> None:
    whole, parts = empty_partition(SETTINGS), empty_partition(SETTINGS)
    expected = process(whole, *log).outputs
    outputs = []
    for start, stop in pairwise(sorted({0, len(log), *(c for c in cuts if c < len(log))})):
        outputs += process(parts, *log[start:stop]).outputs
    assert outputs == expected
    assert parts.metadata("d") == whole.metadata("d")


# A state read back from the committed `low` goes on exactly as the one that crashed would have.
@given(logs(), st.integers(0, 60))
def test_a_restored_state_goes_on_as_before(log: list[Message], cut: int) -> None:
    before, after = log[:cut], log[cut:]
    first = empty_partition(SETTINGS)
    process(first, *before)
    metadata = CommitMetadata.from_text(first.metadata("d"))
    assert metadata is not None
    ledger = Ledger(metadata.start, first.ledger.position, dict(metadata.counts))
    second = Partition(0, SETTINGS, ledger, metadata.low)
    second.restore([one for one in before if one.at >= metadata.low])
    assert process(second, *after).outputs == process(first, *after).outputs
    assert second.ledger == first.ledger


# Of several partitions at once each reading gets what it would get alone, to its own partition:
# the model answers for all in one call, unless it has no answer for one of them.
@given(st.lists(logs(), min_size=1, max_size=3))
def test_partitions_together_are_as_each_alone(sent: list[list[Message]]) -> None:
    together = [Partition(number, SETTINGS, Ledger(0, 0), 0) for number in range(len(sent))]
    alone = [Partition(number, SETTINGS, Ledger(0, 0), 0) for number in range(len(sent))]

    outcome = chunks.process(list(zip(together, sent, strict=True)), DETECTOR)

    expected = [
        output
        for partition, log in zip(alone, sent, strict=True)
        for output in process(partition, *log).outputs
    ]
    assert outcome.outputs == expected
    for one, other in zip(together, alone, strict=True):
        assert one.metadata(DETECTOR.digest) == other.metadata(DETECTOR.digest)

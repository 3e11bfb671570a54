"""The judge finds nothing wrong with what is right, and each defect under its own name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evidence import Commit, Letter, Message, Score
from ledger.findings import Fault
from ledger.parse import reading_of
from ledger.rule import judge
from plantwatch.instants import to_iso
from plantwatch.messages import identity
from plantwatch.windows import ReadingClass
from tests.support.streams import message
from tests.support.world import MENDED, World, world

SEEDS = st.integers(0, 2**32 - 1)


# Whatever disorder machines are in: what the stream's rules make of it is in order.
@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_right_pipeline_has_no_faults(seed: int) -> None:
    right = world(seed)
    found = right.judged()
    assert found.faults == {}
    assert found.published == 200
    assert found.scored == found.stored == len(right.rows)
    assert found.dead == len(right.letters)


# Those pipelines met everything that can become of a reading.
def test_the_disorder_is_worth_its_name() -> None:
    worlds = [world(seed) for seed in range(5)]
    reasons = {letter.reason for one in worlds for letter in one.letters}
    assert reasons == {"late", "conflict", "not_json", "model_error"}
    kinds = {kind for one in worlds if one.worker.metadata for kind in one.worker.metadata.counts}
    assert kinds == {*ReadingClass}


# A partition too full for another machine is judged by what its dead letters say.
@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_machines_too_many_are_accounted_for(seed: int) -> None:
    full = world(seed, max_machines=2)
    assert any(letter.reason == "too_many_machines" for letter in full.letters)
    assert full.faults() == set()


def a_row_lost(it: World) -> None:
    del it.rows[3]


def a_row_twice(it: World) -> None:
    it.rows.append(it.rows[3])


def a_row_with_another_score(it: World) -> None:
    it.rows[3] = replace(it.rows[3], score=it.rows[3].score + 2e-6)


def a_row_turned_into_an_anomaly_or_back(it: World) -> None:
    it.rows[3] = replace(it.rows[3], is_anomaly=not it.rows[3].is_anomaly)


def a_row_with_another_confidence(it: World) -> None:
    it.rows[3] = replace(it.rows[3], confidence=it.rows[3].confidence + 0.1)


def a_score_wrong_from_the_start(it: World) -> None:
    at = it.scored_once()[3]
    said = it.said(at)
    it.rows = [row for row in it.rows if row.id != said.id]
    wrong = replace(said, score=0.123)
    it.scores[at] = Score(at, wrong)
    it.rows.append(wrong)


def a_row_that_is_not_a_number(it: World) -> None:
    it.rows[3] = replace(it.rows[3], score=float("nan"))


def a_row_of_a_reading_without_a_window(it: World) -> None:
    it.rows.append(replace(it.rows[3], id="m0/1/1970-01-01T00:00:01.000000Z"))


def a_score_of_a_reading_without_a_window(it: World) -> None:
    unknown = replace(it.said(-1), id="m9/1/1970-01-01T00:00:01.000000Z", is_anomaly=False)
    it.scores.append(Score(len(it.scores), unknown))
    it.sink = Commit(len(it.scores))


def a_row_of_another_window(it: World) -> None:
    it.rows[3] = replace(it.rows[3], first_offset=it.rows[3].first_offset - 1)


def a_score_of_a_window_that_began_at_another_time(it: World) -> None:
    at = it.scored_once()[3]
    it.scores[at] = Score(at, replace(it.said(at), window_start="1969-12-31T23:59:59.000000Z"))


def a_row_of_another_partition(it: World) -> None:
    it.rows[3] = replace(it.rows[3], partition=1)


def a_row_by_another_model(it: World) -> None:
    it.rows[3] = replace(it.rows[3], digest="6" * 64)


def a_row_named_for_another_model(it: World) -> None:
    it.rows[3] = replace(it.rows[3], model_version="sum_v2")


def a_model_nobody_has(it: World) -> None:
    said = it.said(it.scored_once()[3])
    gone = replace(said, digest="7" * 64)
    it.scores = [replace(s, verdict=gone) if s.verdict == said else s for s in it.scores]
    it.rows = [gone if row == said else row for row in it.rows]


def a_score_missing_on_the_topic(it: World) -> None:
    harmless = [at for at in it.scored_once() if it.said(at).id not in it.anomalies]
    it.scores.pop(harmless[3])


def a_score_and_its_row_missing(it: World) -> None:
    at = it.scored_once()[3]
    gone = it.said(at)
    it.scores.pop(at)
    it.rows.remove(gone)
    it.anomalies = [name for name in it.anomalies if name != gone.id]


def a_dead_letter_missing(it: World) -> None:
    del it.letters[0]


def a_dead_letter_too_many(it: World) -> None:
    scored = it.rows[3].last_offset
    it.letters.append(Letter(it.settings.topics.readings, 0, scored, "not_json", bytes(32)))


def a_dead_letter_of_what_never_was(it: World) -> None:
    it.letters.append(Letter(it.settings.topics.readings, 0, 10_000, "not_json", bytes(32)))


def a_dead_letter_with_another_reason(it: World) -> None:
    it.letters[0] = replace(it.letters[0], reason="too_large")


def a_dead_letter_of_other_bytes(it: World) -> None:
    it.letters[0] = replace(it.letters[0], sha256=bytes(32))


def a_stored_row_said_to_be_refused(it: World) -> None:
    at = it.scored_once()[3]
    it.letters.append(Letter(it.settings.topics.scores, 0, at, "store_refused", bytes(32)))


def a_message_that_is_no_verdict(it: World) -> None:
    it.scores.append(Score(len(it.scores), None))
    it.sink = Commit(len(it.scores))


def two_classes_exchanged(it: World) -> None:
    it.counts(scored=1, warm_up=-1)


def a_reading_counted_twice(it: World) -> None:
    it.counts(scored=1)


def no_counts_at_all(it: World) -> None:
    it.worker = Commit(it.worker.offset)


def a_reading_the_worker_has_not_read(it: World) -> None:
    late = message(len(it.readings), 1, 1, 0.0)
    it.readings.append(Message(late.at, late.raw_key, late.raw_value))


def a_score_the_sink_has_not_read(it: World) -> None:
    it.sink = Commit(len(it.scores) - 1)


def a_score_the_sink_has_not_stored(it: World) -> None:
    at = max(it.scored_once())
    said = it.said(at)
    it.sink = Commit(at)
    it.rows = [row for row in it.rows if row != said]


def an_anomaly_missing_on_its_topic(it: World) -> None:
    del it.anomalies[0]


def a_false_alarm_on_the_topic(it: World) -> None:
    it.anomalies.append(next(row.id for row in it.rows if not row.is_anomaly))


def an_acknowledged_reading_missing(it: World) -> None:
    it.acked.append(("m0", 500, 500_000_000))


def a_topic_cut_short(it: World) -> None:
    it.starts[it.settings.topics.scores] = 10


DEFECTS: dict[Callable[[World], None], set[Fault]] = {
    a_row_lost: {Fault.LOST},
    a_row_twice: {Fault.DOUBLED},
    a_row_with_another_score: {Fault.WRONG_SCORE},
    a_row_turned_into_an_anomaly_or_back: {Fault.WRONG_SCORE},
    a_row_with_another_confidence: {Fault.WRONG_SCORE},
    a_row_that_is_not_a_number: {Fault.WRONG_SCORE},
    a_score_wrong_from_the_start: {Fault.WRONG_SCORE},
    a_row_of_a_reading_without_a_window: {Fault.UNFOUNDED_ROW},
    a_score_of_a_reading_without_a_window: {Fault.UNFOUNDED_SCORE},
    a_row_of_another_window: {Fault.WRONG_WINDOW},
    a_score_of_a_window_that_began_at_another_time: {Fault.WRONG_WINDOW},
    a_row_of_another_partition: {Fault.WRONG_WINDOW},
    a_row_by_another_model: {Fault.WRONG_MODEL},
    a_row_named_for_another_model: {Fault.WRONG_MODEL},
    a_model_nobody_has: {Fault.NO_MODEL},
    a_score_missing_on_the_topic: {Fault.UNSCORED},
    a_score_and_its_row_missing: {Fault.UNSCORED, Fault.LOST},
    a_dead_letter_missing: {Fault.LETTER_MISSING},
    a_dead_letter_too_many: {Fault.LETTER_UNFOUNDED},
    a_dead_letter_of_what_never_was: {Fault.LETTER_UNFOUNDED},
    a_dead_letter_with_another_reason: {Fault.LETTER_WRONG},
    a_dead_letter_of_other_bytes: {Fault.LETTER_WRONG},
    a_stored_row_said_to_be_refused: {Fault.LETTER_UNFOUNDED},
    a_message_that_is_no_verdict: {Fault.LETTER_MISSING},
    two_classes_exchanged: {Fault.MISCOUNTED},
    a_reading_counted_twice: {Fault.MISCOUNTED, Fault.UNBALANCED},
    no_counts_at_all: {Fault.UNBALANCED},
    a_reading_the_worker_has_not_read: {Fault.LAG},
    a_score_the_sink_has_not_read: {Fault.LAG},
    a_score_the_sink_has_not_stored: {Fault.LAG},
    an_anomaly_missing_on_its_topic: {Fault.ANOMALY_MISSING},
    a_false_alarm_on_the_topic: {Fault.ANOMALY_UNFOUNDED},
    an_acknowledged_reading_missing: {Fault.UNDELIVERED},
    a_topic_cut_short: {Fault.TRUNCATED},
}


# Each defect is found, under its own name, and nothing else is.
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__)
def test_each_defect_is_found_under_its_own_name(plant: Callable[[World], None], seed: int) -> None:
    broken = world(seed)
    plant(broken)
    assert broken.faults() == DEFECTS[plant]


# Two defects do not hide each other.
@settings(max_examples=30, deadline=None)
@given(SEEDS, st.lists(st.sampled_from(list(DEFECTS)), min_size=2, max_size=2, unique=True))
def test_defects_add_up(seed: int, planted: list[Callable[[World], None]]) -> None:
    broken = world(seed)
    # The defects of counts come first, while there are any.
    for plant in sorted(planted, key=lambda plant: plant is no_counts_at_all):
        plant(broken)
    assert broken.faults()


# What PostgreSQL refused is not lost, if a dead letter says so.
def test_a_refused_row_with_its_letter_is_no_fault() -> None:
    it = world(1)
    it.refuse(it.scored_once()[3])
    assert it.faults() == set()


# The same where the score was sent again after a crash, and refused again.
def test_a_row_refused_twice_is_no_fault() -> None:
    it = world(1)
    at = it.scored_once()[3]
    it.scores.append(Score(len(it.scores), it.scores[at].verdict))
    it.sink = Commit(len(it.scores))
    it.refuse(at)
    it.refuse(len(it.scores) - 1)
    assert it.faults() == set()


# A score sent again changes nothing, even by another model: the first of an id counts.
def test_the_first_message_of_an_id_counts() -> None:
    it = world(1)
    first = it.said(it.scored_once()[3])
    again = replace(first, digest="8" * 64, model_version="other_v1", score=0.9, is_anomaly=True)
    it.scores.append(Score(len(it.scores), again))
    it.sink = Commit(len(it.scores))
    it.anomalies.append(again.id)
    assert it.faults() == set()


# A million readings nobody has read yet are one line, not a million lost rows.
def test_what_is_not_read_yet_is_not_called_lost() -> None:
    it = world(1)
    it.worker, it.sink = Commit(), Commit()
    it.scores, it.rows, it.letters, it.anomalies = [], [], [], []
    found = it.judged()
    assert set(found.faults) == {Fault.LAG}
    assert found.lost == 0


# The numbers are those of the faults: a wrong row is one wrong, whatever else it is.
def test_the_numbers_say_how_many() -> None:
    it = world(1)
    a_row_lost(it)
    a_row_twice(it)
    it.rows[5] = replace(it.rows[5], score=7.0, digest="6" * 64, first_offset=0)
    an_acknowledged_reading_missing(it)
    found = it.judged()
    assert (found.lost, found.doubled, found.wrong) == (2, 1, 1)
    document = found.document()
    assert document["stored"] == len(it.rows)
    assert document["faults"] == {
        "doubled": 1,
        "lost": 1,
        "undelivered": 1,
        "wrong_window": 1,
    }


def choked_on(it: World, **changes: Any) -> Score:
    """Make up a verdict on a window that the model failed on, and store it as if it were right."""
    choked = next(letter for letter in it.letters if letter.reason == "model_error")
    readings = (reading_of(one, it.settings.reading) for one in it.readings)
    log = [one for one in readings if one is not None]
    at = [one.offset for one in log].index(choked.offset)
    window = list(judge(log, it.settings.window))[at].window
    made_up = replace(
        it.said(0),
        id=identity(log[at].machine, log[at].cycle, to_iso(log[at].time)),
        is_anomaly=False,
        first_offset=min(one.offset for one in window),
        last_offset=choked.offset,
        **changes,
    )
    it.scores.append(Score(len(it.scores), made_up))
    it.rows.append(made_up)
    it.sink = Commit(len(it.scores))
    return it.scores[-1]


# A verdict on a window that its model has no answer for is not the model's.
def test_a_verdict_the_model_cannot_have_given_is_wrong() -> None:
    it = world(1)
    choked_on(it)
    it.letters = [letter for letter in it.letters if letter.reason != "model_error"]
    assert Fault.WRONG_SCORE in it.faults()


# A reading that a model failed on needs no verdict: one that has it anyway is a fault, unless the
# verdict is marked as made later; then it must be right, as any other.
def test_a_rescored_reading_is_judged_as_any_other() -> None:
    it = world(1)
    unmarked = choked_on(it, digest=MENDED.digest)
    assert it.faults() == {Fault.UNFOUNDED_SCORE, Fault.UNFOUNDED_ROW}
    it.scores[-1] = replace(unmarked, rescored=True)
    assert it.faults() == {Fault.WRONG_SCORE}
    right = replace(it.said(-1), score=MENDED.answer, confidence=MENDED.answer)
    it.scores[-1] = Score(unmarked.offset, right, rescored=True)
    it.rows[-1] = right
    assert it.faults() == set()
    it.rows.pop()
    assert it.faults() == {Fault.LOST}

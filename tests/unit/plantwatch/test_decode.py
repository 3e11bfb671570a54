from collections import Counter
from datetime import UTC
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plantwatch.decode import Reading, Reason, Reject, decode
from plantwatch.instants import to_iso, to_microseconds
from plantwatch.messages import SensorReading
from tests.support.corpus import VALID, Case, cases
from tests.support.decoding import BY_DECODE, SHAPE, assert_total, verdict_on
from tests.support.mutations import mutants

KEY = b"FD001-engine-001"
ROW = ("{" + ",".join(f'"{name}":{text}' for name, text in VALID.items()) + "}").encode()
CORPUS = list(cases())
# The properties that look for an escape try five times as much as the profile says.
HARDER = settings(max_examples=5 * settings().max_examples)

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
SENSOR_IDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=64)
READINGS = st.builds(
    SensorReading,
    sensor_id=SENSOR_IDS,
    cycle=st.integers(-(2**63), 2**63 - 1),
    event_time=st.datetimes(timezones=st.just(UTC)).map(to_microseconds).map(to_iso),
    settings=st.lists(FLOAT32, min_size=3, max_size=3),
    sensors=st.lists(FLOAT32, min_size=21, max_size=21),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


# Every named bad message has its reason, and those that only look bad pass.
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: f"{case.verdict}: {case.name}")
def test_the_corpus_gets_its_verdicts(case: Case) -> None:
    assert verdict_on(case.key, case.value) == case.verdict


# No reason is left untried, and no case is another one again.
def test_the_corpus_tries_every_reason() -> None:
    tried = Counter(case.verdict for case in CORPUS)
    assert tried.keys() - {"accepted"} == {str(reason) for reason in BY_DECODE}
    assert min(tried.values()) >= 5
    assert tried.total() >= 300
    assert len({(case.key, case.value) for case in CORPUS}) == tried.total()


# What a producer wrote is what the worker reads, exact as float32.
@given(READINGS)
def test_a_reading_survives_the_wire(reading: SensorReading) -> None:
    result = decode(reading.sensor_id.encode(), reading.to_bytes(), SHAPE)
    assert isinstance(result, Reading), result
    assert (result.sensor_id, result.cycle) == (reading.sensor_id, reading.cycle)
    assert to_iso(result.time) == reading.event_time
    sent = np.array([*reading.settings, *reading.sensors], np.float32)
    assert np.array_equal(np.array(result.values, np.float32), sent)


# The zone that a time was written in changes nothing: it is the same reading.
def test_one_instant_has_one_identity() -> None:
    tokyo = ROW.replace(b"2026-11-23T02:15:11.000000Z", b"2026-11-23T11:15:11+09:00")
    assert tokyo != ROW
    assert decode(KEY, tokyo, SHAPE) == decode(KEY, ROW, SHAPE)


# Any number is taken if and only if it is finite as float32.
@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(3.4e38, 3.5e38))
def test_a_number_is_taken_when_float32_can_hold_it(number: float) -> None:
    value = ROW.replace(b"[-0.0007,", f"[{number!r},".encode())
    with np.errstate(over="ignore"):
        fits = bool(np.isfinite(np.float32(number)))
    assert isinstance(decode(KEY, value, SHAPE), Reading) is fits


# Nothing escapes the decoder: arbitrary bytes,
@HARDER
@given(st.none() | st.binary(max_size=64), st.none() | st.binary())
def test_arbitrary_bytes_never_escape(key: bytes | None, value: bytes | None) -> None:
    assert_total(key, value)


# arbitrary JSON,
@HARDER
@given(JSON)
def test_arbitrary_json_never_escapes(value: Any) -> None:
    assert_total(KEY, orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


# arbitrary JSON in any one field,
@HARDER
@given(st.sampled_from(sorted(VALID)), JSON)
def test_any_field_may_hold_anything(field: str, value: Any) -> None:
    members = {name: orjson.loads(text) for name, text in VALID.items()}
    assert_total(KEY, orjson.dumps(members | {field: value}))


# nesting of any depth in any field,
@pytest.mark.parametrize("field", sorted(VALID))
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_any_depth_of_nesting_is_refused(field: str, opening: str, closing: str) -> None:
    old = f'"{field}":{VALID[field]}'.encode()
    for depth in (10, 100, *range(900, 1030)):
        deep = (opening * depth + "0" + closing * depth).encode()
        value = ROW.replace(old, f'"{field}":'.encode() + deep)
        assert isinstance(assert_total(KEY, value), Reject)


# a valid message cut anywhere,
def test_a_message_cut_anywhere_is_no_json() -> None:
    for end in range(len(ROW)):
        result = assert_total(KEY, ROW[:end])
        assert isinstance(result, Reject)
        assert result.reason is Reason.NOT_JSON


# a message of the corpus with bytes or tokens changed, lost, doubled or moved (`make fuzz`: ten
# times as many, and others each time). The judge, with a parser of its own, always says the same.
def test_mutated_messages_never_escape() -> None:
    verdicts = Counter(verdict_on(*mutant) for mutant in mutants(seed=1, number=100_000))
    assert verdicts["accepted"] > 5_000
    # There is none without a value, and none is long.
    possible = BY_DECODE - {Reason.TOMBSTONE, Reason.TOO_LARGE}
    assert verdicts.keys() >= {str(reason) for reason in possible}

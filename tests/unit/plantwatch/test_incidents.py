"""The rule of incidents, held against a naive reading of its own words."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantwatch.alarms import first_alarm
from plantwatch.incidents import CALM, Followed, Machine, Maintenance, follow
from plantwatch.instants import to_iso
from plantwatch.messages import Incident, IncidentRule, ScoreEvent, SensorContribution
from tests.support.verdicts import verdict

RULE: Final = IncidentRule(hits=3, of=5, clean=4, critical=0.9)
SCORES: Final = {"0": 0.25, "1": 0.75, "2": 0.95}
SIZES = st.integers(1, 6)
RULES = st.builds(IncidentRule, hits=SIZES, of=SIZES, clean=SIZES, critical=st.just(0.9)).filter(
    lambda rule: rule.hits <= rule.of
)
LEVELS = st.text("012", max_size=60) | st.text("0001222", max_size=60)


def at(cycle: int) -> str:
    """The event time of a cycle in `verdicts`."""
    return verdict(cycle).event_time


def verdicts(levels: str, rule: IncidentRule | None = None) -> list[ScoreEvent]:
    """A machine's verdicts with these levels, one a cycle from 1."""
    return [
        verdict(cycle, anomaly_score=SCORES[level], is_anomaly=level != "0", alarm=rule)
        for cycle, level in enumerate(levels, start=1)
    ]


def all_of(followed: Followed) -> list[Incident]:
    """Every incident, in the order of opening."""
    still = followed.machine.incident
    return [*followed.closed, *([still] if still else [])]


def spans(followed: Followed) -> list[tuple[int, str | None, str | None, str | None]]:
    """Of each incident: cycle of opening, when it escalated, when and why it was closed."""
    return [
        (one.opened_cycle, one.escalated_at, one.closed_at, one.closed_why)
        for one in all_of(followed)
    ]


def naive(
    levels: str, rule: IncidentRule, muted: Sequence[bool]
) -> list[tuple[int, str | None, str | None, str | None]]:
    """The rule's words, with all that was ever said at hand; cycles count from 1."""
    found: list[tuple[int, str | None, str | None, str | None]] = []
    begin, opened = 0, False
    for cycle in range(1, len(levels) + 1):
        since = levels[begin:cycle]
        last = since[-rule.of :]
        if muted[cycle - 1]:
            if opened:
                found[-1] = (*found[-1][:2], at(cycle), "maintenance")
            begin, opened = cycle, False
            continue
        if not opened and len(last) - last.count("0") >= rule.hits:
            found.append((cycle, None, None, None))
            opened = True
        if opened and found[-1][1] is None and last.count("2") >= rule.hits:
            found[-1] = (found[-1][0], at(cycle), None, None)
        if opened and len(since) >= rule.clean and set(since[-rule.clean :]) == {"0"}:
            found[-1] = (*found[-1][:2], at(cycle), "recovered")
            begin, opened = cycle, False
    return found


def maintenance_of(muted: Sequence[bool]) -> list[Maintenance]:
    """A time of maintenance for each cycle that is to be muted."""
    return [Maintenance(at(n), at(n)) for n, one in enumerate(muted, start=1) if one]


# Incidents open, escalate and close where the words of the rule say, and nowhere else.
@given(LEVELS, RULES, st.data())
def test_incidents_are_those_of_the_rule(
    levels: str, rule: IncidentRule, data: st.DataObject
) -> None:
    rare = st.sampled_from([False] * 9 + [True])
    muted = data.draw(st.lists(rare, min_size=len(levels), max_size=len(levels)))
    got = follow(CALM, verdicts(levels), rule, maintenance_of(muted))
    assert spans(got) == naive(levels, rule, muted)


# However the verdicts are cut into batches, incidents and memory are the same.
@given(
    LEVELS, RULES, st.lists(st.integers(0, 60), max_size=6), st.lists(st.booleans(), min_size=60)
)
def test_batches_change_nothing(
    levels: str, rule: IncidentRule, cuts: list[int], muted: list[bool]
) -> None:
    said, maintenance = (
        verdicts(levels),
        maintenance_of([m and n % 7 == 0 for n, m in enumerate(muted)]),
    )
    whole = follow(CALM, said, rule, maintenance)
    machine = CALM
    closed: list[Incident] = []
    edges = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    for start, end in pairwise(edges):
        part = follow(machine, said[start:end], rule, maintenance)
        machine, closed = part.machine, [*closed, *part.closed]
    assert Followed(machine, tuple(closed)) == whole


# No two incidents of a machine are open at once: each is over before the next one opens.
@given(LEVELS, RULES)
def test_at_most_one_is_open(levels: str, rule: IncidentRule) -> None:
    incidents = all_of(follow(CALM, verdicts(levels), rule))
    for one, following in pairwise(incidents):
        assert one.closed_at is not None
        assert one.closed_at < following.opened_at


# The first incident opens with the first alarm: evaluation and demo count the same thing.
@given(LEVELS, RULES)
def test_the_first_incident_is_the_first_alarm(levels: str, rule: IncidentRule) -> None:
    first = first_alarm([level != "0" for level in levels], rule.hits, rule.of)
    incidents = all_of(follow(CALM, verdicts(levels), rule))
    assert [one.opened_cycle - 1 for one in incidents[:1]] == ([] if first is None else [first])


# What is remembered is as short as the rule allows, and nothing where nothing is the matter.
@given(LEVELS, RULES)
def test_little_is_remembered(levels: str, rule: IncidentRule) -> None:
    machine = follow(CALM, verdicts(levels), rule).machine
    assert len(machine.recent) <= max(rule.of, rule.clean)
    assert (machine == CALM) is (machine.incident is None and set(machine.recent) <= {"0"})


# An incident knows when it began, how bad it was at worst and by what, and where its readings lie.
def test_an_incident_says_what_happened() -> None:
    said = verdicts("01121000")
    worst = (SensorContribution(11, 2.5),)
    said[3] = replace(said[3], top_sensors=worst, regime=4, model_version="v2", model_digest="d2")
    (incident,) = all_of(follow(CALM, said, RULE))
    assert incident == Incident(
        sensor_id="FD001-engine-001",
        severity="warning",
        opened_at=at(4),
        opened_cycle=4,
        escalated_at=None,
        last_at=at(5),
        last_cycle=5,
        anomalies=4,
        peak_score=0.95,
        peak_at=at(4),
        peak_cycle=4,
        top_sensors=worst,
        regime=4,
        unseen_regime=False,
        model_version="v2",
        model_digest="d2",
        source_partition=3,
        first_offset=75,
        last_offset=105,
    )


# A verdict is muted from the first reading of its window that lies in a time of maintenance to the
# last: 30 cycles' windows go on overlapping for 29 readings after the end, and the 30th is clear.
@pytest.mark.parametrize(
    ("first", "last", "muted"),
    [(1, 9, False), (1, 10, True), (12, 15, True), (20, 49, True), (21, 50, False)],
)
def test_a_window_that_overlaps_is_muted(first: int, last: int, *, muted: bool) -> None:
    event = verdict(last, window_start=at(first))
    assert Maintenance(at(10), at(20)).mutes(event) is muted


# Of a message of before windows told their beginning, the end decides.
def test_an_older_message_is_muted_by_its_end() -> None:
    during, after = verdict(15), verdict(21)
    assert [Maintenance(at(10), at(20)).mutes(one) for one in (during, after)] == [True, False]


# After maintenance the count begins anew: what was anomalous before it opens nothing after it.
def test_maintenance_starts_the_count_again() -> None:
    followed = follow(CALM, verdicts("11011"), RULE, [Maintenance(at(3), at(3))])
    assert followed == Followed(Machine("11"), ())


# A verdict is judged by the rule that it brings, so a model and its rule change together.
def test_the_rule_travels_with_the_verdict() -> None:
    strict = IncidentRule(hits=1, of=1, clean=1, critical=0.9)
    assert spans(follow(CALM, verdicts("10", strict), RULE)) == [(1, None, at(2), "recovered")]
    assert spans(follow(CALM, verdicts("10"), RULE)) == []


# A milder rule opens nothing by itself: it takes an anomaly.
def test_a_normal_verdict_opens_nothing() -> None:
    eager = IncidentRule(hits=2, of=5, clean=4, critical=0.9)
    said = [*verdicts("11"), verdict(3, alarm=eager), verdict(4, is_anomaly=True, alarm=eager)]
    assert [one.opened_cycle for one in all_of(follow(CALM, said, RULE))] == [4]


# Event times may go backwards; the order of offsets is what counts.
def test_the_order_is_that_of_offsets() -> None:
    said = [replace(one, event_time=to_iso(10**15 - n)) for n, one in enumerate(verdicts("111"))]
    (incident,) = all_of(follow(CALM, said, RULE))
    assert incident.opened_at == said[-1].event_time

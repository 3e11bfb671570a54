"""When bad input stops the worker: the share of the last readings, and rejects in a row."""

from hypothesis import given
from hypothesis import strategies as st

from plantwatch.limits import RejectLimits
from plantwatch.settings import Rejects

RULE = Rejects(max_percent=10, per_readings=50, max_in_a_row=4)


def exceeded_at(rejects: list[bool]) -> int | None:
    """Index of the reading that exceeds a limit."""
    limits = RejectLimits(RULE)
    for index, rejected in enumerate(rejects):
        limits.add(rejected=rejected)
        if limits.exceeded:
            return index
    return None


# Three in a row are borne; the fourth is the limit.
def test_rejects_in_a_row() -> None:
    assert exceeded_at([True] * 3 + [False]) is None
    assert exceeded_at([True] * 4) == 3


# 10 % of 50 are borne; the sixth within 50 is not, once there have been 50.
def test_share_of_the_last_readings() -> None:
    spread = [False] * 5 + ([True] + [False] * 8) * 5
    assert exceeded_at(spread) is None
    assert exceeded_at([*spread, True]) == 50


# At the beginning a share says nothing.
def test_the_first_readings_are_not_judged_by_share() -> None:
    assert exceeded_at([True, False] * 20) is None


# What lies further back than the last 50 readings is forgiven.
def test_old_rejects_are_forgotten() -> None:
    assert exceeded_at(([True] + [False] * 9) * 50) is None


# For any sequence it stops where a count over the definition says so.
@given(st.lists(st.sampled_from([False, False, False, True]), max_size=300))
def test_it_equals_the_definition(rejects: list[bool]) -> None:
    expected = None
    for index, rejected in enumerate(rejects):
        share = index >= 49 and sum(rejects[index - 49 : index + 1]) > 5
        row = index >= 3 and all(rejects[index - 3 : index + 1])
        if rejected and (share or row):
            expected = index
            break
    assert exceeded_at(rejects) == expected

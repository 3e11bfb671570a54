"""Which faults strike in a soak, and when."""

from collections import Counter

from faults.soak import PER_TEN_MINUTES, schedule


# The same seed strikes in the same order at the same seconds; another seed does not.
def test_a_seed_repeats_a_soak() -> None:
    assert list(schedule(7, 10)) == list(schedule(7, 10))
    assert list(schedule(7, 10)) != list(schedule(8, 10))


# Ten minutes hold what the contract is to survive.
def test_ten_minutes_hold_enough() -> None:
    due, faults = zip(*schedule(1, 10), strict=True)
    counts = Counter(faults)
    assert counts == PER_TEN_MINUTES
    assert sum(n for name, n in counts.items() if name in KILLS) >= 30
    assert counts["worker stopped"] + counts["sink stopped"] >= 5
    assert min(counts["broker killed"], counts["PostgreSQL stopped"]) >= 5
    assert counts["worker joins or leaves"] >= 6
    assert list(due) == sorted(due)
    assert 0 < due[0] < due[-1] < 600


KILLS = {"worker killed", "sink killed", "producer killed"}


# Even a short soak strikes once in every way.
def test_a_short_soak_leaves_nothing_out() -> None:
    assert {fault for _, fault in schedule(1, 0.1)} == set(PER_TEN_MINUTES)

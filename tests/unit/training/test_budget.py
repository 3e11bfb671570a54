import numpy as np
import pytest

from plantwatch.settings import AlarmBudget, AlarmRule
from training.budget import choose, per_1000_cycles, rate_interval, spend
from training.dataset import Scored

ON_TIME = (10, 125)
RULES = (AlarmRule(hits=1, of=1), AlarmRule(hits=3, of=5))


def budget(false_alarms: float, per: str = "1000_cycles") -> AlarmBudget:
    return AlarmBudget.model_validate(
        {"false_alarms": false_alarms, "per": per, "cycle_hours": 2, "rules": RULES}
    )


def fleet(engines: int, seed: int) -> Scored:
    """Engines whose score rises towards failure, with spikes in good health."""
    rng = np.random.default_rng(seed)
    rul = np.tile(np.arange(250)[::-1], engines)
    spikes = 6.0 * (rng.random(len(rul)) < 0.01)
    raw = 8 * np.exp(-rul / 25) + rng.normal(size=len(rul)) + spikes
    return Scored(raw, np.repeat(np.arange(engines), 250), rul)


# The choice keeps to its budget where it was made, and about so on engines it never saw.
@pytest.mark.parametrize("most", [0.5, 2, 8])
def test_a_budget_is_kept(most: float) -> None:
    choice = choose(fleet(100, 0), budget(most), ON_TIME)
    assert choice.rate <= most
    spent = spend(fleet(100, 1), choice, ON_TIME)
    low, high = rate_interval(spent.false_alarms, spent.healthy_rows)
    assert low <= most
    assert high < 2 * most + 1


# Where single spikes are the trouble, several of the last verdicts are asked for.
def test_spikes_are_outvoted() -> None:
    choice = choose(fleet(100, 0), budget(0.5), ON_TIME)
    assert choice.rule == RULES[1]
    assert spend(fleet(100, 1), choice, ON_TIME).summary()["on_time_share"] > 0.9


# A larger budget never calls later.
def test_more_budget_calls_no_later() -> None:
    leads = [
        spend(fleet(50, 0), choose(fleet(50, 0), budget(most), ON_TIME), ON_TIME).on_time
        for most in (0, 1, 10)
    ]
    assert leads == sorted(leads)


# One alarm a week, with two hours to a cycle and 84 cycles to a week, is 11.9 in 1000 cycles.
def test_a_week_is_so_many_cycles() -> None:
    assert per_1000_cycles(budget(1, "machine_week")) == pytest.approx(1000 / 84)
    assert per_1000_cycles(budget(1)) == 1


# A rule that asks for more hits than verdicts is refused: it would never raise an alarm.
def test_an_impossible_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="hits must not exceed of"):
        AlarmRule(hits=3, of=2)

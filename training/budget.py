"""Threshold and rule that keep to a budget of false alarms, chosen on validation engines."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import chi2

from plantwatch.settings import AlarmBudget, AlarmRule
from training.dataset import Scored
from training.events import Events, alarmed, events

WEEK_HOURS: Final = 168
_CANDIDATES: Final = 200
"""Thresholds tried per rule: quantiles of the validation scores, closer together at the top."""


@dataclass(frozen=True, slots=True)
class Choice:
    """In the unit of raw; `rate` is what it cost on validation, per 1000 healthy cycles."""

    threshold: float
    rule: AlarmRule
    rate: float


def per_1000_cycles(budget: AlarmBudget) -> float:
    """The budget as false alarms per 1000 healthy cycles."""
    if budget.per == "1000_cycles":
        return budget.false_alarms
    return budget.false_alarms * 1000 * budget.cycle_hours / WEEK_HOURS


def choose(scored: Scored, budget: AlarmBudget, on_time: tuple[int, int]) -> Choice:
    """The choice within the budget that calls most engines on time, then the one with most lead.

    The highest threshold raises hardly an alarm, so there always is one.
    """
    most = per_1000_cycles(budget)
    levels = np.quantile(scored.raw, 1 - np.geomspace(1 / len(scored.raw), 1, _CANDIDATES))
    tried = []
    for rule in budget.rules:
        for level in np.unique(levels)[::-1]:
            seen = _events(scored, float(level), rule, on_time)
            rate = 1000 * seen.false_alarms / max(1, seen.healthy_rows)
            if rate > most:
                break
            lead = float(np.median(seen.leads or (0,)))
            tried.append(((seen.on_time, lead), Choice(float(level), rule, rate)))
    if not tried:  # even the highest score of all is a healthy engine's
        return Choice(float(np.nextafter(scored.raw.max(), np.inf)), budget.rules[0], 0.0)
    return max(tried, key=lambda one: one[0])[1]


def spend(scored: Scored, choice: Choice, on_time: tuple[int, int]) -> Events:
    """What the choice comes to on other engines."""
    return _events(scored, choice.threshold, choice.rule, on_time)


def rate_interval(count: float, rows: float) -> tuple[float, float]:
    """The exact 95 % interval of `count` false alarms in `rows`, per 1000 (Garwood 1936).

    Alarms are taken as independent, so seeds that judge the same engines must not be added up: give
    their mean. With no alarm at all, the upper end is still above 0.

    >>> [round(end, 2) for end in rate_interval(0, 3000)]
    [0.0, 1.23]
    """
    thousands = max(1, rows) / 1000
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low / thousands), float(chi2.ppf(0.975, 2 * count + 2) / 2 / thousands)


def _events(scored: Scored, level: float, rule: AlarmRule, on_time: tuple[int, int]) -> Events:
    alarm = alarmed(scored.raw >= level, scored.engine, rule)
    return events(alarm, scored.engine, scored.rul, on_time)

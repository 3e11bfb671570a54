"""Incidents of judged engines, by the cycles that were left."""

import numpy as np

from evaluation.incidents import leads, summary
from evaluation.judgement import Judgement
from plantwatch.messages import IncidentRule
from plantwatch.scoring import Verdicts

RULE = IncidentRule(hits=2, of=3, clean=3, critical=0.9)


def judged(*lives: str) -> Judgement:
    """Engines with these verdicts, one a cycle to the end of life; 1 is anomalous."""
    flags = np.array([flag == "1" for life in lives for flag in life])
    engine = np.repeat(np.arange(1, len(lives) + 1), [len(life) for life in lives])
    rul = np.concatenate([np.arange(len(life))[::-1] for life in lives])
    score = np.where(flags, 0.75, 0.25)
    return Judgement(Verdicts(score, score, flags, score), engine, rul, 30)


# Each incident counts by the cycles that are left when it opens; engines do not mix.
def test_leads_are_the_cycles_left_at_each_opening() -> None:
    lives = judged("00110000110111", "1", "10000011")
    assert leads(lives, RULE) == [(10, 4), (), (0,)]


# One incident is what a failing engine should have; those of healthy life are counted apart.
def test_engines_are_counted_by_their_incidents() -> None:
    found = summary([(150, 40), (30,), (), (20,)], healthy_rul=125)
    assert found == {
        "engines": 4,
        "with_one": 2,
        "with_several": 1,
        "with_none": 1,
        "on_healthy": 1,
        "lead_median": 30.0,
        "lead_p10": 22.0,
    }

"""Who is fitted and who is judged in each trial."""

import numpy as np
import pytest

from evaluation.trials import Trial, build, plan
from plantwatch.errors import BadDataError
from tests.support.small_training import small_fleet, small_settings

SETTINGS = small_settings()


# Every engine is judged exactly once a seed, by a detector that saw nothing of it.
def test_folds_judge_every_engine_once_and_leave_it_out() -> None:
    fleet = small_fleet("train")
    judged: list[int] = []
    for trial in plan("held-out", 1, fleet, SETTINGS):
        sample, held_out = build(trial, fleet, small_fleet("test"), SETTINGS)
        engines = np.unique(held_out.engine).tolist()
        assert not set(engines) & set(sample.fit_engines + sample.validation_engines)
        assert not set(engines) & set(sample.fleet.slices)
        judged += engines
    assert sorted(judged) == list(fleet.slices)


# The official protocol judges all test engines in every seed, each with another split.
def test_official_trials_differ_by_seed() -> None:
    fleet, test = small_fleet("train"), small_fleet("test")
    trials = plan("official", 2, fleet, SETTINGS)
    assert trials == [Trial(0), Trial(1)]
    (first, judged), (second, _) = (build(one, fleet, test, SETTINGS) for one in trials)
    assert first.fit_engines != second.fit_engines
    assert len(judged) == (test.cycle >= 30).sum()


# Too few engines are refused in one line that says how many it takes.
@pytest.mark.parametrize(("protocol", "engines"), [("official", 1), ("held-out", 4)])
def test_too_few_engines_are_refused(protocol: str, engines: int) -> None:
    fleet = small_fleet("train", engines)
    with pytest.raises(BadDataError, match=f"{engines} training engines cannot be split"):
        plan(protocol, 1, fleet, SETTINGS)  # type: ignore[arg-type]  # a literal

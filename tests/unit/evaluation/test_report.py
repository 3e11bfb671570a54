"""An evaluation from a small fleet to its JSON; the cache is of the test's own."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evaluation import play as playing
from evaluation.contestants import Contestant, contestants
from evaluation.play import play
from evaluation.report import report
from evaluation.trials import Protocol, Trial
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from tests.support.small_training import small_fleet, small_settings

FAST = ("isolation_forest", "rms_z", "hotelling_t2", "logistic")


@cache
def players() -> list[Contestant]:
    every = contestants(small_settings(EVALUATION_PROCESSES="1"), peers=True)
    return [one for one in every if one.name in FAST]


def evaluated(protocol: Protocol, seeds: int = 2) -> dict[str, Any]:
    played = play(players(), protocol, seeds, small_fleet("train"), small_fleet("test"))
    return report(played, players()[0].settings)


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "CACHE", shared_cache)


# Each row names its detector, what it used of the labels, and its F1 with spread and interval; the
# document is plain JSON.
@pytest.mark.parametrize("protocol", ["official", "held-out"])
def test_the_report_is_complete(protocol: Protocol) -> None:
    document = json.loads(json.dumps(evaluated(protocol), allow_nan=False))
    assert document["source"] == "simulated, not NASA data"
    assert [row["model"] for row in document["rows"]] == list(FAST)
    assert [row["peer"] for row in document["rows"]] == [False, True, True, True]
    assert [row["supervision"] for row in document["rows"]] == ["U", "U", "U", "S"]
    for row in document["rows"]:
        assert len(row["f1_seeds"]) == 2
        assert 0 <= row["f1_low"] <= row["f1_high"] <= 1
        assert set(row["labels"]) == {"20", "30", "50"}
        assert row["labels"]["30"]["f1_mean"] == row["f1_mean"]
    for part in ("incidents", "calibration", "budget", "sweeps"):
        assert [one["model"] for one in document[part]] == list(FAST)
    assert {one["rule"] for one in document["events"]} == {"1 of 1", "3 of 5"}


# On run-to-failure engines every engine counts once a seed, and most are called in time.
def test_held_out_engines_are_called_in_time() -> None:
    events = evaluated("held-out")["events"]
    assert {one["engines"] for one in events} == {24}
    (forest,) = (e for e in events if (e["model"], e["rule"]) == ("isolation_forest", "3 of 5"))
    assert forest["on_time_share"] > 0.8
    assert forest["lead_p10"] <= forest["lead_median"] <= 125


# A second run fits nothing and says the same.
def test_a_second_run_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluated("official")

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(Contestant, "play", fail)
    assert evaluated("official") == first


# What a model is fitted with forgets it; what another is fitted with, or the stream, does not.
def test_the_cache_depends_on_what_fitting_depends_on() -> None:
    def file(settings: Settings) -> Path:
        one = Contestant("isolation_forest", "model", "isolation_forest", settings)
        return playing._file(one, Trial(0), small_fleet("train"), small_fleet("test"))

    first = file(small_settings())
    assert file(small_settings(LSTM_AE_HIDDEN_DIM="9", WORKER_CHUNK_SIZE="7")) == first
    assert file(small_settings(ISOLATION_FOREST_TREES="26")) != first
    assert file(small_settings(TRAINING_NORMAL_RUL="51")) != first


# The plain variants of the configs are the textbook's, and stand behind the model they vary.
def test_plain_variants_are_the_textbooks() -> None:
    named = {one.name: one for one in contestants(small_settings(), peers=False)}
    plain = named["plain lstm_ae"].settings
    order = list(named)
    assert order.index("plain isolation_forest") == order.index("isolation_forest") + 1
    assert (plain.lstm_ae.head, plain.lstm_ae.scaling) == ("mse", "minmax")
    assert named["plain isolation_forest"].settings.isolation_forest.scaling == "minmax"
    assert named["lstm_ae"].settings.lstm_ae.head != "mse"


# A variant that names what does not exist is refused in one line with its name.
@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("{model: oracle, changes: {}}", "'mine': no model 'oracle'"),
        ("{model: lstm_ae, changes: {lstm_ae: {heads: mse}}}", "'mine': lstm_ae.heads"),
        ("{model: lstm_ae, changes: {ltsm_ae: {head: mse}}}", "'mine': ltsm_ae"),
    ],
)
def test_a_wrong_variant_is_refused(variant: str, words: str) -> None:
    settings = small_settings(EVALUATION_VARIANTS=f"{{mine: {variant}}}")
    with pytest.raises(ConfigError, match=words):
        contestants(settings, peers=False)

"""Fitted on the ones, judged on the others."""

import json
from pathlib import Path

import pytest

from evaluation import play as playing
from evaluation.transfer import MODELS, transfers
from tests.support.small_training import small_fleet, small_settings


# Every model is judged on both kinds of engines, fitted on either; a fleet held against itself
# under another name gives the same figures.
def test_every_pair_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "CACHE", tmp_path)
    pair = small_fleet("train", engines=20), small_fleet("test", engines=20)
    settings = small_settings(EVALUATION_PROCESSES="1")
    document = transfers({"NASA": pair, "simulated": pair}, settings, seeds=1)
    rows = json.loads(json.dumps(document, allow_nan=False))["rows"]
    assert {(one["fitted_on"], one["judged_on"], one["model"]) for one in rows} == {
        (fitted, judged, model)
        for fitted in ("NASA", "simulated")
        for judged in ("NASA", "simulated")
        for model in MODELS
    }
    for model in MODELS:
        assert len({one["f1_mean"] for one in rows if one["model"] == model}) == 1
    assert document["command"] == "plantwatch simulate check --dataset FD001 --seeds 1"

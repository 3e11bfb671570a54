"""Where the judge takes models and acknowledged readings from."""

from pathlib import Path

import pytest

from ledger.run import acked, detector_of
from plantwatch.errors import BadDataError
from producers.manifest import Manifest
from tests.support.small_training import cached_model, small_settings

AWAY = "http://127.0.0.1:9"


def manifest(cluster: str) -> Manifest:
    return Manifest(
        cluster=cluster,
        dataset="FD002",
        split="test",
        engines=(7,),
        source="simulated, not NASA data",
        data_hash="",
        origin=1_000_000_000,
        acked={7: 2},
    )


# A manifest vouches for every cycle up to the last acknowledged one, on its own cluster only.
def test_manifests_of_this_cluster_count(tmp_path: Path) -> None:
    manifest("mine").save(tmp_path / "one.json")
    manifest("another's").save(tmp_path / "two.json")
    assert list(acked(tmp_path, "mine")) == [
        ("FD002-engine-007", 1, 1_001_000_000),
        ("FD002-engine-007", 2, 1_002_000_000),
    ]
    assert list(acked(tmp_path / "none", "mine")) == []


# Machines that have names of their own are judged under them.
def test_machines_go_by_their_own_names(tmp_path: Path) -> None:
    named = {"engines": (2,), "names": ("pump-a", "pump-b"), "acked": {2: 1}}
    manifest("mine").model_copy(update=named).save(tmp_path / "one.json")
    assert list(acked(tmp_path, "mine")) == [("pump-b", 1, 1_001_000_000)]


# A damaged manifest is no reason to judge without it: a person must look.
def test_a_damaged_manifest_stops_the_judge(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("{")
    with pytest.raises(BadDataError, match=r"one\.json is no manifest"):
        list(acked(tmp_path, "mine"))


# The cache is enough: with the registry away, what was fetched before judges, and nothing else.
def test_a_model_in_the_cache_needs_no_registry(tmp_path: Path) -> None:
    cached_model(tmp_path / "models")
    (digest,) = [path.name for path in (tmp_path / "models").iterdir() if path.is_dir()]
    settings = small_settings(MODEL_CACHE=str(tmp_path / "models"), MLFLOW_TRACKING_URI=AWAY)
    found = detector_of(settings, digest)
    assert found is not None
    assert found.digest == digest
    assert detector_of(settings, "0" * 64) is None


# A digest comes from a message: it must not lead out of the cache.
def test_a_digest_is_no_path(tmp_path: Path) -> None:
    cached_model(tmp_path)
    settings = small_settings(MODEL_CACHE=str(tmp_path / "models"), MLFLOW_TRACKING_URI=AWAY)
    (digest,) = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    assert detector_of(settings, f"../{digest}") is None

"""The manifest: what a re-run finds, whatever ended the run before."""

from pathlib import Path

import pytest

from data import datasets
from data.simulate import simulate
from plantwatch.errors import BadDataError, UnavailableError
from producers.manifest import Manifest, load, path_for

FLEET = simulate(datasets.simulated(datasets.CONFIGS, "FD001"), "test")
MANIFEST = Manifest(
    cluster="abc",
    dataset="FD001",
    split="test",
    engines=(1, 2),
    source="made up",
    data_hash="0f",
    origin=1_000_000_000,
)


# What was saved is read back, and no partial file is left beside it.
def test_saved_is_loaded(tmp_path: Path) -> None:
    advanced = MANIFEST.advanced({1: 31, 2: 7}, finished=False)
    advanced.save(tmp_path / "new" / "m.json")
    assert load(tmp_path / "new" / "m.json") == advanced
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["m.json"]


# No manifest means a new pass; a mangled one is for a person to judge, in one line.
def test_missing_and_mangled(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    assert load(path) is None
    path.write_text(MANIFEST.model_dump_json()[:-5])
    with pytest.raises(BadDataError, match=r"m.json is no manifest.*remove it"):
        load(path)


# Nothing is published that could not be resumed: a manifest that cannot be written stops the run.
def test_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot write"):
        MANIFEST.save(tmp_path / "file" / "m.json")


# Only the unfinished pass of the same rows on the same cluster is resumed.
@pytest.mark.parametrize(
    "other",
    [{"cluster": "other"}, {"split": "train"}, {"engines": (1,)}, {"data_hash": "ff"}],
)
def test_what_is_resumed(other: dict[str, object]) -> None:
    begun = MANIFEST.advanced({1: 31}, finished=False)
    assert begun.continues(MANIFEST)
    assert not begun.continues(MANIFEST.model_copy(update=other))
    assert not MANIFEST.advanced({1: 31}, finished=True).continues(MANIFEST)


# The latest event time is that of the engine that came furthest.
def test_published_until() -> None:
    assert MANIFEST.published_until == 1_000_000_000
    assert MANIFEST.advanced({1: 31, 2: 7}, finished=True).published_until == 1_031_000_000


# Each choice of engines has a manifest of its own, so that one pass never forgets another.
def test_one_manifest_for_each_choice() -> None:
    everything = tuple(FLEET.slices)
    assert path_for(FLEET, everything) == Path(".local/replay/FD001-test.json")
    assert path_for(FLEET, (1, 2)) != path_for(FLEET, (1, 3)) != path_for(FLEET, everything)

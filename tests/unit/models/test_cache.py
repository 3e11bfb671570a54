from pathlib import Path

import pytest

from models.cache import Named, Role, load_production, read_production, write_named
from plantwatch.errors import ConfigError
from tests.support.small_training import small_settings

PRODUCTION = Named(digest="d" * 64, version=3, model_version="lstm_ae_v3")


# Before anything was fetched, the message names the command that fetches.
def test_an_empty_cache_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="plantwatch models fetch"):
        load_production(small_settings(MODEL_CACHE=str(tmp_path)))


# What is written is read back, and the last one written counts.
def test_the_last_model_named_counts(tmp_path: Path) -> None:
    write_named(tmp_path, Role.PRODUCTION, PRODUCTION.model_copy(update={"version": 2}))
    write_named(tmp_path, Role.PRODUCTION, PRODUCTION)
    assert read_production(tmp_path) == PRODUCTION
    assert [path.name for path in tmp_path.iterdir()] == ["production.json"]


# A file that somebody else wrote over is refused in words.
def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "production.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        read_production(tmp_path)


# A named model that is not there is refused in words.
def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    write_named(tmp_path, Role.PRODUCTION, PRODUCTION)
    with pytest.raises(ConfigError, match="fetch the model again"):
        load_production(small_settings(MODEL_CACHE=str(tmp_path)))

"""Commands on a data set of one's own, before any server is asked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from commands.app import app
from plantwatch.errors import BadDataError, ConfigError
from tests.support.own_data import PUMPS, write_pumps
from tests.support.servers import CONFIGS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has no data yet, where the test stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(CONFIGS), *words], env=environ)


# Without its files a command says which one is missing, and which page tells of it.
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["train", "replay", "evaluate", "demo"])
def test_missing_files_are_named(command: str) -> None:
    refused = run(command, "--dataset", PUMPS).exception
    assert isinstance(refused, BadDataError)
    assert ".local/pumps/t" in str(refused)
    assert "docs/bring-your-own-data.md" in str(refused)


# Readings that are not what the settings say are refused before anything is published or fitted.
@pytest.mark.parametrize("command", ["train", "replay"])
def test_other_readings_are_refused(command: str, folder: Path) -> None:
    write_pumps(folder / ".local" / PUMPS)
    refused = run(command, "--dataset", PUMPS, READING_SENSORS="4").exception
    assert isinstance(refused, ConfigError)
    assert "pumps has 1 settings and 5 sensors; set reading.settings" in str(refused)


# A name that nobody described is answered with what there is, and what to do.
def test_an_unknown_name_is_answered() -> None:
    refused = run("replay", "--dataset", "pump").exception
    assert isinstance(refused, ConfigError)
    assert "choose one of FD001" in str(refused)
    assert "configs/datasets/pump.yaml" in str(refused)

"""How detectors are found, and how they get their settings."""

from pathlib import Path

import pytest

from plantwatch.configuration import load
from plantwatch.errors import ConfigError
from plantwatch.settings import Section, Share
from tests.support.servers import CONFIGS
from tests.support.small_training import small_settings
from training import detectors
from training.fit import config_of
from training.fitters import FITTERS


class Config(Section):
    share: Share


def configs(folder: Path, text: str) -> Path:
    """A copy of configs/ with the settings of a detector of one's own."""
    for path in CONFIGS.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "detectors").mkdir()
    (folder / "detectors" / "own.yaml").write_text(text, encoding="utf-8")
    return folder


# Whatever module lies in the folder is a detector, and nothing else is.
def test_detectors_are_the_modules_of_the_folder() -> None:
    there = {path.stem for path in Path("training/detectors").glob("*.py")} - {"__init__"}
    assert set(detectors.names()) == set(FITTERS) == there
    assert len(there) >= 4


# A name that is none is answered with those that are.
def test_a_typo_is_answered_with_the_names() -> None:
    with pytest.raises(ConfigError, match="no detector 'lstm'; choose one of direction_mixture, "):
        detectors.check("lstm")


# Its settings come from a file of its own, checked by its own class.
def test_a_detector_has_settings_of_its_own(tmp_path: Path) -> None:
    settings = load(configs(tmp_path, "own: {share: 0.25}\n"), {})
    assert config_of("own", Config, settings).share == 0.25


# A value that does not fit, or no file at all, is a line that names the file.
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("own: {share: 2}\n", "configs/detectors/own.yaml: own.share: "),
        ("own: {shar: 0.2}\n", "configs/detectors/own.yaml: own.share: Field required"),
        ("other: {share: 0.2}\n", "configs/detectors/own.yaml has no section 'own'"),
    ],
)
def test_a_mistake_in_them_is_named(tmp_path: Path, text: str, says: str) -> None:
    settings = load(configs(tmp_path, text), {})
    with pytest.raises(ConfigError) as refused:
        config_of("own", Config, settings)
    assert says in str(refused.value)


# Without any the shipped settings have none.
def test_there_are_none_of_ones_own() -> None:
    assert small_settings().training.detectors == {}

import re
from io import StringIO
from pathlib import Path

import hypothesis
import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from plantwatch.configuration import (
    COMPOSE_ONLY,
    FILES,
    environment,
    load,
    read_yaml,
    render_env_example,
    variables,
)
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from tests.support.spoilt import Mistake, configs_with, in_environment, in_files, spoil

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
VARIABLES = list(variables())
SECRET = "hunter-is-not-printable"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of configs/ to spoil."""
    for name in FILES:
        (tmp_path / name).write_bytes((CONFIGS / name).read_bytes())
    return tmp_path


def refusal(folder: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        load(folder, environ or {})
    message = str(refused.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def is_secret(section: str, field: str) -> bool:
    kind = Settings.model_fields[section].annotation
    assert kind is not None
    return "SecretStr" in str(kind.model_fields[field].annotation)


def flat(settings: Settings) -> dict[str, object]:
    return {
        variable: getattr(getattr(settings, section), field)
        for section, field, variable in VARIABLES
    }


# The data set in use brings settings, which stand above the files and below the environment.
def test_a_data_set_brings_settings() -> None:
    usual = load(CONFIGS, {})
    pumps = load(CONFIGS, {"TRAINING_DATASET": "pumps", "READING_SENSORS": "4"})
    assert (usual.window.length, pumps.window.length) == (30, 20)
    assert (pumps.reading.settings, pumps.reading.sensors) == (1, 4)
    assert pumps.window.history == usual.window.history


# What it brings is checked like all else; a section that is none is named with its file.
def test_what_a_data_set_brings_is_checked(folder: Path) -> None:
    path = folder / "datasets" / "own.yaml"
    path.parent.mkdir()
    path.write_text("settings: {window: {lenght: 20}}\n", encoding="utf-8")
    assert "did you mean 'window.length'" in refusal(folder, {"TRAINING_DATASET": "own"})
    path.write_text("settings: {window: 20}\n", encoding="utf-8")
    assert str(path) in refusal(folder, {"TRAINING_DATASET": "own"})


# The files that we ship load as they are.
def test_the_shipped_files_load() -> None:
    assert load(CONFIGS, {}).window.length == 30


# A mistake in any file is refused in one line, which names the key and what would be right.
@pytest.mark.parametrize("mistake", in_files(), ids=lambda one: f"{one.where}: {one.name}")
def test_a_mistake_is_named(tmp_path: Path, mistake: Mistake) -> None:
    message = refusal(configs_with(mistake, tmp_path))
    assert all(words in message for words in mistake.says), message


# Every file has mistakes that were tried.
def test_every_file_is_tried() -> None:
    assert {mistake.where for mistake in in_files()} == set(FILES)


# A file that is missing, a folder, no text, no YAML or not made of sections is named with its path.
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "sections"),
        (b"# all commented out\n", "sections"),
        (b"just words", "sections"),
        (b"- a\n- list\n", "sections"),
        (b"kafka: 8\n", "sections"),
        (b"kafka:\n", "sections"),
        (b"kafka: {partitions: 8\n", "no YAML"),
        (b"a: b: c\n", "near line 1"),
        (b"\tkafka:\n", "no YAML"),
        (b"kafka: !!python/object/apply:os.getcwd []\n", "no YAML"),
        (b"\xff\xfe\x00", "no YAML"),
        (b"\x00", "no YAML"),
    ],
)
def test_an_unreadable_file_is_named(
    folder: Path, file: str, content: bytes | None, says: str
) -> None:
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    message = refusal(folder)
    assert str(folder / file) in message
    assert says in message


# A folder that does not exist is refused with what to do.
def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "--config" in refusal(tmp_path / "nowhere")


def overridden(variable: str) -> tuple[str, Settings]:
    """Settings with one variable set to a text that its field takes and that is no default."""
    before = flat(load(CONFIGS, {}))[variable]
    texts: tuple[str, ...] = (
        "31",
        "77",
        "0.5",
        "0.25",
        "DEBUG",
        "minmax",
        "SSL",
        "SCRAM-SHA-256",
        "mse",
        "sequence",
        "rolling",
        "[1, 2]",
    )
    texts += (
        "2",
        "true",
        "budget",
        "machine_week",
        "[{hits: 1, of: 2}]",
        "{own: {model: lstm_ae, changes: {}}}",
    )
    for text in texts:
        try:
            settings = load(CONFIGS, {variable: text})
        except ConfigError:
            continue
        if flat(settings)[variable] != before:
            return text, settings
    raise AssertionError(f"{variable} took no value")


# Every setting can be changed by its variable, and the variable changes nothing else.
@pytest.mark.parametrize("variable", [variable for _, _, variable in VARIABLES])
def test_each_variable_changes_its_setting_only(variable: str) -> None:
    text, settings = overridden(variable)
    before, after = flat(load(CONFIGS, {})), flat(settings)
    assert {name for name in before if before[name] != after[name]} == {variable}
    value = after[variable]
    shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    shown = TypeAdapter(type(shown)).dump_python(shown, mode="json")
    assert shown == yaml.safe_load(text) or str(shown) == text


# A variable that does not fit is refused under its own name.
@pytest.mark.parametrize("mistake", in_environment(), ids=lambda one: one.name)
def test_a_bad_variable_is_named(folder: Path, mistake: Mistake) -> None:
    message = refusal(folder, mistake.spec["environment"])
    assert all(words in message for words in mistake.says), message


# A variable may supply what a file leaves out.
def test_a_variable_mends_a_missing_key(folder: Path) -> None:
    spoil(folder / "pipeline_config.yaml", {"drop": ["window.horizon"]})
    assert load(folder, {"WINDOW_HORIZON": "9"}).window.horizon == 9


# A variable set to nothing counts as not set: that is how compose files pass unset ones on.
def test_an_empty_variable_is_no_override() -> None:
    assert load(CONFIGS, {"POSTGRES_PORT": "", "POSTGRES_PASSWORD": ""}) == load(CONFIGS, {})


# No two settings share a variable.
def test_variables_are_unique() -> None:
    names = [variable for _, _, variable in VARIABLES]
    assert len(set(names)) == len(names)
    assert all(name == name.upper() and name.isidentifier() for name in names)


# Environment beats .env beats what the local stack wrote; each alone is enough.
@pytest.mark.parametrize(
    ("given_by", "expected"),
    [
        ({"stack"}, "stack"),
        ({"stack", "dotenv"}, "dotenv"),
        ({"stack", "process"}, "process"),
        ({"dotenv", "process"}, "process"),
        ({"stack", "dotenv", "process"}, "process"),
    ],
)
def test_the_nearest_source_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_by: set[str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTGRES_DB", raising=False)
    (tmp_path / ".local").mkdir()
    if "stack" in given_by:
        (tmp_path / ".local/stack.env").write_text("POSTGRES_DB=stack\n")
    if "dotenv" in given_by:
        (tmp_path / ".env").write_text("# mine\nPOSTGRES_DB='dotenv'\n")
    if "process" in given_by:
        monkeypatch.setenv("POSTGRES_DB", "process")
    assert load(CONFIGS, environment()).postgres.db == expected


# Settings cannot be changed once they are loaded, nor can a section.
def test_settings_are_frozen() -> None:
    settings = load(CONFIGS, {})
    with pytest.raises(ValidationError, match="frozen"):
        settings.window.length = 31  # type: ignore[misc]  # mypy knows it, too
    with pytest.raises(ValidationError, match="frozen"):
        settings.log = settings.log  # type: ignore[misc]  # mypy knows it, too


# No way of printing settings shows the password.
@hypothesis.settings(max_examples=15)
@given(st.text(min_size=8))
def test_a_password_is_never_shown(password: str) -> None:
    settings = load(CONFIGS, {"POSTGRES_PASSWORD": password})
    assert settings.postgres.password is not None
    assert settings.postgres.password.get_secret_value() == password
    masked = load(CONFIGS, {"POSTGRES_PASSWORD": "another one"})
    assert repr(settings) == repr(masked)
    assert str(settings) == str(masked)
    assert settings.model_dump_json() == masked.model_dump_json()


# A password that the file holds the wrong way is refused without being repeated.
@pytest.mark.parametrize(
    "line",
    [
        f"password: [{SECRET}]",
        f"password: {{{SECRET}: x}}",
        f"password: *{SECRET}",
        f"password: !{SECRET} x",
        f"password: '{SECRET}",
        f"password: {SECRET}: x",
        f"password: %{SECRET}",
    ],
)
def test_a_misplaced_password_is_not_repeated(folder: Path, line: str) -> None:
    path = folder / "pipeline_config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "password: null" in text
    path.write_text(text.replace("password: null", line), encoding="utf-8")
    assert SECRET not in refusal(folder)


# A secret comes by the environment alone: a file that holds one is refused, with the reason and the
# variable to set instead, and the secret is not repeated.
@pytest.mark.parametrize(
    ("section", "field", "variable"),
    [one for one in VARIABLES if is_secret(*one[:2])],
    ids=str,
)
def test_a_secret_in_a_file_is_refused(
    folder: Path, section: str, field: str, variable: str
) -> None:
    (file,) = (name for name in FILES if section in read_yaml(folder / name))
    spoil(folder / file, {"set": {f"{section}.{field}": SECRET}})
    message = refusal(folder)
    assert f"{folder}: {section}.{field} is a secret" in message
    assert f"set {variable}" in message
    assert SECRET not in message


# An address is shown and logged: one with a login in it is refused, wherever it comes from, and the
# login is not repeated.
def test_an_address_with_a_login_is_refused(folder: Path) -> None:
    address = f"https://me:{SECRET}" + "@mlflow.example/"
    by_environment = refusal(folder, {"MLFLOW_TRACKING_URI": address})
    spoil(folder / "serving_config.yaml", {"set": {"alerts.page_webhook": address}})
    by_file = refusal(folder)
    assert "mlflow.tracking_uri (MLFLOW_TRACKING_URI) has a login" in by_environment
    assert "alerts.page_webhook (ALERTS_PAGE_WEBHOOK) has a login" in by_file
    assert SECRET not in by_environment + by_file


# Wherever a name speaks of a secret its value is kept as one.
def test_all_secrets_are_known_as_such() -> None:
    named = {
        (section, field)
        for section, field, _ in VARIABLES
        if re.search("password|token|secret|api_key", f"{section}_{field}")
    }
    assert named
    assert named == {
        (section, field) for section, field, _ in VARIABLES if is_secret(section, field)
    }


# A password of digits is taken from the environment; in a file it is a number, refused unseen.
def test_a_numeric_password(folder: Path) -> None:
    settings = load(folder, {"POSTGRES_PASSWORD": "12345678"})
    assert settings.postgres.password is not None
    assert settings.postgres.password.get_secret_value() == "12345678"
    spoil(folder / "pipeline_config.yaml", {"set": {"postgres.password": 12345678}})
    message = refusal(folder)
    assert "postgres.password" in message
    assert "12345678" not in message


# .env.example is up to date; if not, run `plantwatch config env-example`.
def test_the_example_is_in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == render_env_example()


# Copied to .env and uncommented as it is, the example changes nothing.
def test_the_example_holds_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line.removeprefix("# ") for line in lines if "=" in line)
    values = {key: value or "" for key, value in dotenv_values(stream=StringIO(text)).items()}
    assert values.keys() == {variable for _, _, variable in VARIABLES} | set(COMPOSE_ONLY)
    assert load(CONFIGS, values) == load(CONFIGS, {})


# The variables that the manual promises are there, with these defaults.
@pytest.mark.parametrize(
    "line",
    [
        "MLFLOW_TRACKING_URI=http://127.0.0.1:5000",
        "MLFLOW_EXPERIMENT_NAME=anomaly_detection_cmapss",
        "MODEL_NAME=plantwatch",
        "MODEL_STAGE=Production",
        "ANOMALY_THRESHOLD=0.65",
        "POSTGRES_HOST=127.0.0.1",
        "POSTGRES_PORT=5432",
        "POSTGRES_DB=anomaly_db",
        "POSTGRES_USER=anomaly_user",
        "POSTGRES_PASSWORD=",
        "API_HOST=127.0.0.1",
        "API_PORT=8000",
        "API_KEY=",
        "LOG_LEVEL=INFO",
        "MAX_BATCH_SIZE=500",
        "STREAMLIT_API_URL=http://127.0.0.1:8000",
        "STREAMLIT_REFRESH_INTERVAL_SEC=5",
        "KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092",
    ],
)
def test_the_example_lists_the_promised_variables(line: str) -> None:
    assert f"# {line}" in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

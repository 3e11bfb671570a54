"""`train`, `models`, `evaluate` as a person runs them: small files, a real MLflow server."""

import json
import re
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner, Result

from commands.app import app
from data import cmapss
from local_stack.free import free_addresses
from plantwatch.errors import ConfigError
from tests.support.servers import CONFIGS
from tests.support.small_training import SMALL, small_fleet
from training.fitters import FITTERS

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def plant(mlflow_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a plant with its own files, registered model and cache."""
    folder = tmp_path_factory.mktemp("plant")
    cmapss.write(small_fleet("train"), folder / "files")
    cmapss.write(small_fleet("test", 60), folder / "files")  # of these, enough are failing
    return SMALL | {
        "CMAPSS_DIR": str(folder / "files"),
        "MLFLOW_TRACKING_URI": mlflow_server,
        "MODEL_NAME": "by-command",
        "MODEL_CACHE": str(folder / "models"),
        "PLANTWATCH_CONFIG": str(CONFIGS.resolve()),
        "EVALUATION_PROCESSES": "1",
    }


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both evaluations are made: what the first has fitted, the second need not."""
    return tmp_path_factory.mktemp("workplace")


def run(plant: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(app, words, env=plant, catch_exceptions=False)


# Training says whose data it saw, shows every model, and ends with what is in production; fetching
# brings that one here.
def test_train_then_list_then_fetch(
    plant: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = run(plant, "train").output
    assert "files in C-MAPSS format, not NASA's" in trained
    for version, model_type in enumerate(FITTERS, start=1):
        assert f"{model_type}_v{version}" in trained
    assert "in production: " in trained
    assert max(map(len, trained.splitlines())) <= 100
    listed = run(plant, "models", "list").output
    assert listed.count("production") == 1
    folder = run(plant, "models", "fetch").output.strip()
    assert Path(folder).name[:12] in listed
    again = run(plant, "train", "--if-missing").output
    assert again == f"there is a production model: {folder}\n"


# A version is made challenger, shown as such, replaced, and let go; what cannot be is one line.
def test_a_version_is_made_challenger(plant: dict[str, str]) -> None:
    assert "version 1 scores in shadow" in run(plant, "models", "challenge", "1").output
    run(plant, "models", "challenge", "2")
    [line] = [one for one in run(plant, "models", "list").output.splitlines() if "_v2" in one]
    assert "challenger" in line
    for words in (["9"], [], ["1", "--none"]):
        with pytest.raises(ConfigError, match="plantwatch models list"):
            run(plant, "models", "challenge", *words)
    assert "no challenger" in run(plant, "models", "challenge", "--none").output
    run(plant, "models", "challenge", "--none")
    assert "challenger" not in run(plant, "models", "list").output


# What is in production can be promoted again; a number that does not exist is one line.
def test_a_version_is_promoted(plant: dict[str, str]) -> None:
    [line] = [
        one for one in run(plant, "models", "list").output.splitlines() if "production" in one
    ]
    [(name, number)] = re.findall(r"(\w+_v(\d+))", line)
    said = run(plant, "promote", number).output
    assert "(difference +0.000 to +0.000 in 95 %)" in said
    assert f"in production: {name}" in said
    with pytest.raises(ConfigError, match="no version 99"):
        run(plant, "promote", "99")


# A version that is worse beyond chance is refused in one line with the numbers, and production
# stays; forced, it goes, and the registry keeps the reason.
def test_a_worse_version_is_refused_unless_forced(plant: dict[str, str]) -> None:
    spoilt = {"FEATURES_SENSORS": "[6]"}  # noise: it does not move as engines wear
    trained = run(plant | spoilt, "train", "--model", "isolation_forest").output
    [worst] = re.findall(r"isolation_forest_v(\d+)", trained.partition("in production")[0])
    with pytest.raises(ConfigError, match=r"not promoted: F1 .* against production's"):
        run(plant, "promote", worst)
    assert f"isolation_forest_v{worst}" not in run(plant, "models", "fetch").output
    said = run(plant, "promote", worst, "--force", "a drill").output
    assert f"in production: isolation_forest_v{worst}" in said
    client = MlflowClient(plant["MLFLOW_TRACKING_URI"])
    assert client.get_model_version("by-command", worst).tags["forced"].startswith("a drill (F1")
    assert re.search(r"in production: \w+_v2\b", run(plant, "promote", "2").output)


# Evaluating writes the report and its page where asked, shows the source, logs each detector, and
# can compare later what is logged; all within 100 columns.
def test_evaluate_writes_shows_and_logs_the_report(
    plant: dict[str, str], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    path = workplace / "results" / "report.json"
    shown = run(plant, "evaluate", "--seeds", "1", "--no-peers", "--output", str(path)).output
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["source"] in shown
    logged = f"logged {len(report['rows'])} runs in anomaly_detection_cmapss_evaluation"
    assert logged in shown
    for row in report["rows"]:
        assert row["model"].split("_", maxsplit=1)[0] in shown
        assert f"{row['f1_mean']:.3f}" in shown
    *table, where = shown.splitlines()
    page = path.with_suffix(".html")
    assert where == f"written to {path} and {page}"
    assert max(map(len, table)) <= 100
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/png") == 1 + len(report["rows"])
    assert "src=http" not in html.replace('"', "")
    compared = run(plant, "evaluate", "--experiment").output
    assert max(map(len, compared.splitlines())) <= 100
    for row in report["rows"]:
        assert f"{row['f1_mean']:.3f}" in compared


# Without a tracking server the results are still written, and one line says what is missing.
def test_evaluate_without_a_tracking_server(
    plant: dict[str, str], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    away = plant | free_addresses()
    ended = run(away, "evaluate", "--seeds", "1", "--no-peers")
    (said,) = [line for line in ended.output.splitlines() if line.startswith("not logged:")]
    assert "`make up`" in said
    assert Path(".local/evaluation/FD001-official.json").exists()

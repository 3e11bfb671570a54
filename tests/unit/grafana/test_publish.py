"""`plantwatch grafana push` and `check` against a stand-in for Grafana's API."""

from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner, Result

from commands.app import app
from local_stack.free import free_addresses
from plantwatch.errors import ConfigError, PlantwatchError, RefusedError, UnavailableError
from plantwatch.errors import UnfinishedError as Unfinished
from tests.support.grafana import TOKEN, Grafana
from tests.support.servers import CONFIGS

UIDS = ["plantwatch-floor", "plantwatch-machine", "plantwatch-pipeline", "plantwatch-models"]
Run = Callable[..., Result]


@pytest.fixture
def grafana() -> Grafana:
    return Grafana()


@pytest.fixture
def run(httpserver: HTTPServer, grafana: Grafana, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`plantwatch grafana ...` with a token that is right, unless told otherwise."""
    monkeypatch.setenv("ALERTS_GRAFANA_URL", grafana.serve(httpserver))
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("POSTGRES_READER_PASSWORD", "hunter2-is-not-printable")

    def call(*arguments: str, **environ: str) -> Result:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, ["--config", str(CONFIGS), "grafana", *arguments])

    return call


def failure(result: Result, kind: type[PlantwatchError]) -> str:
    """The one line that a person reads."""
    assert isinstance(result.exception, kind), result.output
    line = str(result.exception)
    assert "\n" not in line
    assert TOKEN not in line
    return line


# The first push makes everything, the second nothing, and `check` agrees.
def test_a_push_is_idempotent(run: Run, grafana: Grafana) -> None:
    assert run("check").exit_code == 1
    first = run("push")
    assert first.exit_code == 0, first.output
    assert first.output.count("pushed dashboard") == 4
    assert grafana.folders["plantwatch"]["title"] == "plantwatch"
    assert list(grafana.dashboards) == UIDS
    assert set(grafana.folder_of.values()) == {"plantwatch"}
    assert set(grafana.sources) == {"plantwatch-prometheus", "plantwatch-postgres"}
    made = len(grafana.writes)
    assert made == 7
    second = run("push")
    assert (second.exit_code, second.output) == (0, "all the same\n")
    assert len(grafana.writes) == made
    checked = run("check")
    assert checked.exit_code == 0
    assert "hunter2" not in first.output + checked.output


# Rules and contact points go only where somebody asks for them: both ways would tell people twice.
def test_alerts_on_request(run: Run, grafana: Grafana) -> None:
    page = {"ALERTS_PAGE_WEBHOOK": "http://127.0.0.1:9/page"}
    assert run("push", **page).exit_code == 0
    assert not grafana.groups
    pushed = run("push", "--alerts")
    assert pushed.exit_code == 0, pushed.output
    assert set(grafana.points) == {"plantwatch-critical"}
    assert {"plantwatch-machine", "plantwatch-pipeline"} <= set(grafana.groups)
    rules = grafana.groups["plantwatch-machine"]["rules"]
    critical = next(one for one in rules if one["title"] == "MachineCritical")
    assert critical["notification_settings"] == {"receiver": "plantwatch critical"}
    assert critical["annotations"]["runbook_url"].endswith("#machinecritical")
    assert "notification_settings" not in next(o for o in rules if o["title"] == "MachineIncident")
    assert run("push", "--alerts").output == "all the same\n"


# A dry run says what would be done and does nothing.
def test_a_dry_run_writes_nothing(run: Run, grafana: Grafana) -> None:
    shown = run("push", "--dry-run")
    assert shown.exit_code == 0
    assert shown.output.count("would push") == 7
    assert grafana.writes == []
    run("push")
    assert run("push", "--dry-run").output == "nothing to push\n"


# Newer code is pushed over what we pushed before, without a question.
def test_older_ones_are_replaced(run: Run, grafana: Grafana) -> None:
    run("push")
    again = run("push", STREAMLIT_SILENT_AFTER_SEC="77")
    assert again.exit_code == 0
    assert "pushed dashboard 'plantwatch: plant floor'" in again.output
    assert "pipeline" not in again.output
    assert "77" in str(grafana.dashboards["plantwatch-floor"])


# What somebody changed by hand is named, with the one who did it, and nothing at all is written;
# a push that may overwrite it repairs everything.
@pytest.mark.parametrize("how", ["edited", "moved", "renamed"])
def test_a_folder_edited_by_hand(run: Run, grafana: Grafana, how: str) -> None:
    run("push")
    uid, made = UIDS[1], len(grafana.writes)
    if how == "edited":
        grafana.save(grafana.dashboards[uid] | {"title": "mine"}, "plantwatch", "", "ada")
    elif how == "moved":
        grafana.folder_of[uid] = "ada"
    else:
        grafana.folders["plantwatch"]["title"] = "Ada's"
    del grafana.dashboards[UIDS[3]]  # which by itself would be pushed
    line = failure(run("push"), RefusedError)
    assert {"edited": "by ada", "moved": "another folder", "renamed": "Ada's"}[how] in line
    assert "--force" in line
    assert len(grafana.writes) == made
    assert run("check").exit_code == 1
    assert run("push", "--force").exit_code == 0
    assert len(grafana.writes) == made + 2
    assert run("check").exit_code == 0


# A server that fails half way: one line says how far it came, and the next push goes on there.
def test_a_push_goes_on(run: Run, grafana: Grafana) -> None:
    grafana.writes_left = 4
    line = failure(run("push"), Unfinished)
    assert "4 of 7 pushed" in line
    assert "database is locked" in line
    grafana.writes_left = None
    assert run("push").output.count("pushed") == 3
    assert run("check").exit_code == 0


# A token that is wrong, or none: one line that says where to get one, and nothing written.
def test_a_wrong_token(run: Run, grafana: Grafana) -> None:
    line = failure(run("push", GRAFANA_TOKEN="glsa_wrong"), ConfigError)
    assert "refuses the token" in line
    assert "glsa_wrong" not in line
    assert grafana.writes == []
    assert "GRAFANA_TOKEN" in failure(run("check", GRAFANA_TOKEN=""), ConfigError)


# Nobody answers: one line with the address and the setting that moves it.
def test_no_grafana(run: Run) -> None:
    port = free_addresses()["POSTGRES_PORT"]
    line = failure(run("push", ALERTS_GRAFANA_URL=f"http://127.0.0.1:{port}"), UnavailableError)
    assert f"127.0.0.1:{port}" in line
    assert "ALERTS_GRAFANA_URL" in line


# Something else that answers there is one line, too.
@pytest.mark.parametrize("answer", ["<html>", "[]"])
def test_something_else_answers(run: Run, httpserver: HTTPServer, answer: str) -> None:
    httpserver.clear()
    httpserver.expect_request("/api/folders/plantwatch").respond_with_data(answer)
    assert "is no Grafana" in failure(run("push"), UnavailableError)


# Files that are not what the settings make of them are named.
def test_the_files_are_built(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONFIGS.parent)
    assert run("build", "--check").exit_code == 0
    line = failure(run("build", "--check", STREAMLIT_SILENT_AFTER_SEC="77"), RefusedError)
    assert "plantwatch-floor.json" in line

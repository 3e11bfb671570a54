"""What is said before anything starts, and what the processes are told."""

import socket
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from pydantic import SecretStr

from connections.postgres import ROLES, variable
from local_stack import kafka, plan, postgres, prometheus
from local_stack.free import free_addresses
from local_stack.pipeline import environment_of
from local_stack.process import State
from plantwatch.configuration import load
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.settings import Settings
from tests.support.servers import CONFIGS


@pytest.fixture
def free() -> Settings:
    return load(CONFIGS, free_addresses())


def test_a_port_in_use_is_named_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = load(CONFIGS, free_addresses() | {"POSTGRES_PORT": str(port)})
        with pytest.raises(ConfigError, match=f"port {port}: .*set POSTGRES_PORT"):
            plan(settings, ["postgres"], tmp_path)


def test_a_server_elsewhere_cannot_be_started_here(tmp_path: Path) -> None:
    settings = load(CONFIGS, {"MLFLOW_TRACKING_URI": "http://example.org:5000"})
    with pytest.raises(ConfigError, match=r"MLFLOW_TRACKING_URI=.* is not on this machine"):
        plan(settings, ["mlflow"], tmp_path)


def test_an_unknown_name_is_met_with_the_nearest(free: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'kafka'"):
        plan(free, ["kafak"], tmp_path)


# Nothing else needs Prometheus; status says how to get it.
def test_prometheus_is_skipped_where_it_is_not_installed(
    free: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    planned = plan(free, ["prometheus"], tmp_path)
    [skipped] = planned.skipped
    assert skipped.state is State.SKIPPED
    assert "apt install prometheus" in skipped.reason


def test_alertmanager_is_skipped_where_it_is_not_installed(
    free: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    [skipped] = plan(free, ["alertmanager"], tmp_path).skipped
    assert skipped.state is State.SKIPPED
    assert "apt install prometheus-alertmanager" in skipped.reason


# A process that is not there on purpose is no alert.
def test_prometheus_leaves_out_what_does_not_run(
    free: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    sink = free.sink.model_copy(update={"readings_hours": 0})
    document = yaml.safe_load(prometheus.scrape_config(free.model_copy(update={"sink": sink})))
    jobs = {job["job_name"] for job in document["scrape_configs"]}
    assert "worker" in jobs
    assert jobs.isdisjoint({"sink-readings", "drift"})


def test_prometheus_scrapes_every_process_of_the_pipeline(
    free: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)
    document = yaml.safe_load(prometheus.scrape_config(free))
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in document["scrape_configs"]
    }
    assert targets["worker"] == [f"127.0.0.1:{free.worker.metrics_port}"]
    assert set(targets) == {
        *("producer", "worker", "sink-postgres", "sink-prometheus", "sink-shadow", "sink-readings"),
        "outbox",
        "drift",
        "api",
    }


# Without readings their sink is no part of the stack, and the table of processes says why.
def test_readings_need_not_be_kept(tmp_path: Path) -> None:
    settings = load(CONFIGS, free_addresses() | {"SINK_READINGS_HOURS": "0"})
    planned = plan(settings, ["postgres", "sink-readings"], tmp_path)
    assert [(one.name, one.state) for one in planned.skipped] == [("sink-readings", State.SKIPPED)]
    assert "SINK_READINGS_HOURS" in planned.skipped[0].reason


# Without a network, on a machine that never had the jars, one line says what to do.
def test_kafka_that_cannot_be_downloaded_is_one_line(
    free: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="connect to the network") as caught:
        kafka.process(free, tmp_path)
    assert "\n" not in str(caught.value)


PASSWORDS = [variable(role, "password") for role in ROLES]


# Passwords are made once, and kept in a file that the settings are read from and others cannot.
def test_passwords_are_made_once_and_kept_from_others(free: Settings, tmp_path: Path) -> None:
    made = postgres.with_passwords(free, tmp_path)
    kept = tmp_path / "stack.env"
    values = dotenv_values(kept)
    assert list(values) == PASSWORDS
    assert len(set(values.values())) == len(ROLES)
    assert kept.stat().st_mode & 0o777 == 0o600
    again = load(CONFIGS, {name: value for name, value in values.items() if value})
    assert again.postgres == made.postgres.model_copy(update={"port": again.postgres.port})
    assert postgres.with_passwords(made, tmp_path) is made


# Passwords of the environment are not written down; what was kept from an earlier start stays.
def test_passwords_that_somebody_chose_stay(tmp_path: Path) -> None:
    kept = tmp_path / "stack.env"
    kept.write_text("POSTGRES_PASSWORD='of old'\n")
    chosen = load(CONFIGS, {"POSTGRES_PASSWORD": "of old", "POSTGRES_READER_PASSWORD": "mine"})
    made = postgres.with_passwords(chosen, tmp_path).postgres
    assert made.reader_password == SecretStr("mine")
    values = dotenv_values(kept)
    assert values["POSTGRES_PASSWORD"] == "of old"
    assert set(values) == set(PASSWORDS) - {"POSTGRES_READER_PASSWORD"}
    assert kept.stat().st_mode & 0o777 == 0o600


# Children have all of the settings, whatever their own environment or files would have said.
def test_children_run_with_the_settings_of_their_supervisor(free: Settings) -> None:
    assert load(CONFIGS, environment_of(free)) == free

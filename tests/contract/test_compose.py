"""compose.yaml says what is so: its commands, ports, variables and health checks exist in the code.

No Docker is asked. What only an engine can show was not run: see docs/containers.md.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from commands.app import app
from commands.config import SECRETS
from local_stack import kafka, prometheus
from local_stack.mlflow import process as mlflow_process
from local_stack.process import Port, Process
from plantwatch.configuration import load, render_env_example
from plantwatch.configuration import variables as all_variables
from tests.support import compose
from tests.support.schemas import faults
from tests.support.servers import CONFIGS

SETTINGS = load(CONFIGS, {})
SERVICES = compose.services()
OURS = compose.ours()
LASTING = [name for name, one in SERVICES.items() if one["restart"] != "no"]
KNOWN = {variable: section for section, _, variable in all_variables()}


def each(names: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names)


# Docker Compose's own schema takes it, and would not take a misspelled word.
def test_it_is_what_the_schema_wants() -> None:
    document = compose.document()
    assert faults(document, "compose-spec") == []
    document["services"]["kafka"]["health_check"] = {}
    assert faults(document, "compose-spec") != []


def parsed(words: list[str]) -> str:
    """The command that `plantwatch` takes them for, its arguments checked; raises as it would."""
    command: Any = typer.main.get_command(app)
    context = typer.Context(command, info_name="plantwatch")
    while isinstance(command, TyperGroup) and words:
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, list(words), parent=context)
    return str(command.name)


# The command of each service is one that there is, with arguments that it takes.
@each(OURS)
def test_its_command_is_one_of_ours(name: str) -> None:
    words = compose.command(OURS[name])
    assert parsed(words) in words[:2]


@pytest.mark.parametrize("words", [["wroker"], ["sink", "postgress"], ["replay", "--sped", "1"]])
def test_a_command_that_is_none_would_be_noticed(words: list[str]) -> None:
    with pytest.raises(Exception, match=next(word for word in words[::-1] if word != "1")):
        parsed(words)


# Each variable that a container of ours is given is one that is read there, with a value that fits.
@each(OURS)
def test_its_variables_are_settings(name: str) -> None:
    environ = compose.environment(OURS[name])
    assert set(environ) <= KNOWN.keys() | {"CMAPSS_DIR"}
    load(CONFIGS, environ)


# A container finds the others by their names, at ports where they listen.
@each(OURS)
def test_its_addresses_lead_to_services(name: str) -> None:
    environ = compose.environment(OURS[name])
    for address in (environ.get("KAFKA_BOOTSTRAP_SERVERS"), environ.get("MLFLOW_TRACKING_URI")):
        if address is not None:
            host, port = address.removeprefix("http://").split(":")
            assert port in str(SERVICES[host]), address
    assert environ.get("POSTGRES_HOST", "postgres") in SERVICES


# The health check asks the port that the settings give the process, and the path that it serves.
def test_health_checks_ask_what_is_served() -> None:
    jobs = yaml.safe_load(prometheus.scrape_config(SETTINGS))["scrape_configs"]
    ports = {service_of(one): target(one).partition(":")[2] for one in jobs}
    wanted = {name: f"{port}/metrics" for name, port in ports.items()} | {
        "fastapi": f"{SETTINGS.api.port}/healthz",
        "streamlit": f"{SETTINGS.streamlit.port}/_stcore/health",
    }
    asked = {name: OURS[name]["healthcheck"]["test"][-1] for name in wanted}
    assert asked == wanted
    assert (compose.ROOT / "docker/healthy.py").exists()


def service_of(job: dict[str, Any]) -> str:
    name = str(job["job_name"])
    return {"producer": "replay", "api": "fastapi"}.get(name, name)


def target(job: dict[str, Any]) -> str:
    return str(job["static_configs"][0]["targets"][0])


# Prometheus scrapes in containers what it scrapes in the local stack, as often, by the same rules.
def test_prometheus_is_that_of_the_local_stack() -> None:
    theirs = yaml.safe_load((compose.ROOT / "docker/prometheus.yml").read_text(encoding="utf-8"))
    ours = yaml.safe_load(prometheus.scrape_config(SETTINGS))
    for one in ours["scrape_configs"]:
        service = service_of(one)
        port = target(one).partition(":")[2]
        one["static_configs"] = [{"targets": [f"{service}:{port}"]}]
        assert service in SERVICES
    ours["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]}
    ours["rule_files"] = ["/etc/plantwatch/rules.yml"]
    ours["global"] = dict.fromkeys(ours["global"], f"{SETTINGS.stack.scrape_interval_sec:g}s")
    assert theirs == ours


# The broker is set up as the local one, and of its version.
def test_kafka_is_that_of_the_local_stack() -> None:
    service = SERVICES["kafka"]
    assert service["image"] == f"apache/kafka:{SETTINGS.stack.kafka_version}"
    properties = kafka._properties(Path("/"), Port(9092, ""), Port(9093, ""))
    local = {name: str(value) for name, value in properties.items()}
    here = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in compose.environment(service).items()
    }
    differ = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    differ |= {"inter.broker.listener.name", "listener.security.protocol.map"}
    assert {name: here[name] for name in local if name not in differ} == {
        name: value for name, value in local.items() if name not in differ
    }
    assert here.keys() == local.keys() | {"heap.opts"}


# The registry is started as the local one: it needs its own folder, its host and its clients.
def test_mlflow_is_that_of_the_local_stack() -> None:
    local = mlflow_process(SETTINGS, Path("/"))
    assert isinstance(local, Process)
    options = {word for word in local.argv if word.startswith("--")}
    words = SERVICES["mlflow"]["command"]
    assert {word.partition("=")[0] for word in words if word[0] == "-"} == {
        *options,
        "--allowed-hosts",
    }
    assert compose.environment(SERVICES["mlflow"]) == local.environment
    assert SERVICES["mlflow"]["entrypoint"] == ["python", *local.argv[1:3]]


# Roles and database are those that our processes ask for.
def test_the_roles_are_those_of_the_settings() -> None:
    environ = compose.environment(SERVICES["roles"])
    told = {name: environ.pop(name) for name in list(environ) if name in KNOWN}
    made = load(CONFIGS, told).postgres
    secret = re.compile("password$")
    for field, value in SETTINGS.postgres.model_dump().items():
        if secret.search(field):
            assert getattr(made, field) is not None
        else:
            assert getattr(made, field) == value
    assert set(environ) == {"PGHOST", "PGUSER", "PGPASSWORD"}
    script = (compose.ROOT / "docker/roles.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"\\getenv \w+ (\w+)", script)) == set(told)


# Whoever is not told a password cannot lose it: each container has those of its own work only.
def test_each_has_only_its_own_secrets() -> None:
    found = {
        name: {
            one for value in one_of["environment"].values() for one in SECRETS if one in str(value)
        }
        for name, one_of in SERVICES.items()
        if "environment" in one_of
    }
    sink, reader = {"POSTGRES_WRITER_PASSWORD"}, {"POSTGRES_READER_PASSWORD"}
    # One name is the end of another: POSTGRES_PASSWORD of no other.
    assert {name: secrets for name, secrets in found.items() if secrets} == {
        "postgres": {"POSTGRES_SUPERUSER_PASSWORD"},
        "roles": set(SECRETS) - {"API_KEY", "GRAFANA_ADMIN_PASSWORD"},
        "migrate": {"POSTGRES_PASSWORD"},
        **dict.fromkeys(("sink-postgres", "sink-shadow", "sink-readings", "outbox"), sink),
        "fastapi": reader | {"API_KEY"},
        "streamlit": reader | {"POSTGRES_OPERATOR_PASSWORD"},
        "grafana": reader | {"GRAFANA_ADMIN_PASSWORD"},
    }


# No password has a default: without one nothing starts, and the message says what to do.
def test_passwords_must_be_set() -> None:
    text = (compose.ROOT / "compose.yaml").read_text(encoding="utf-8")
    found = compose.variables(text)
    required = {name: why for name, sign, why in found if sign == "?"}
    assert required == dict.fromkeys(SECRETS, "set it in .env (make docker-env)")
    optional = {name for name, sign, _ in found if sign == "-"}
    assert optional == {"LOG_LEVEL", "CMAPSS_DIR", "ALERTS_PAGE_WEBHOOK", "ALERTS_TICKET_WEBHOOK"}
    assert len(found) == len(required) + sum(sign == "-" for _, sign, _ in found)
    example = render_env_example()
    assert all(f"# {name}=\n" in example for name in required)


# Only this machine reaches what is published, and all of it is.
def test_ports_are_for_this_machine_only() -> None:
    published = {port: name for name, one in SERVICES.items() for port in one.get("ports", ())}
    assert published == {
        "127.0.0.1:9092:9092": "kafka",
        "127.0.0.1:5432:5432": "postgres",
        "127.0.0.1:5000:5000": "mlflow",
        "127.0.0.1:8000:8000": "fastapi",
        "127.0.0.1:8501:8501": "streamlit",
        "127.0.0.1:9090:9090": "prometheus",
        "127.0.0.1:9093:9093": "alertmanager",
        "127.0.0.1:3000:3000": "grafana",
    }
    assert str(SETTINGS.api.port) == "8000"
    assert str(SETTINGS.streamlit.port) == "8501"
    assert str(SETTINGS.postgres.port) == "5432"


# No container can do more than its work, and each image is of a known version.
@each(SERVICES)
def test_it_is_locked_up(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["networks"] == ["anomaly-net"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & service.keys()
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", service["image"])
    mounts = [one for one in service.get("volumes", ()) if one.startswith((".", "$", "/"))]
    assert all(one.endswith(":ro") for one in mounts)
    assert "docker.sock" not in str(service)
    # Else it has the mode of the folder below, and root for its owner.
    folders = [one for one in service.get("tmpfs", ()) if not one.startswith("/tmp")]  # noqa: S108
    assert all(one.endswith(":mode=1777") for one in folders)


# Whoever needs another waits until that one works, or has done its work; each says how it is.
@each(SERVICES)
def test_it_waits_for_what_it_needs(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        done = SERVICES[other]["restart"] == "no"
        wanted = "service_completed_successfully" if done else "service_healthy"
        assert how["condition"] == wanted, other
    assert ("healthcheck" in SERVICES[name]) == (name in LASTING)
    needs = compose.environment(SERVICES[name])
    if any(secret.startswith("POSTGRES_") for secret in needs if secret.endswith("PASSWORD")):
        assert name in {"postgres", "roles"} or reached(name) & {"migrate", "roles"}


def reached(name: str) -> set[str]:
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*map(reached, direct))


# Everything of the local stack is there, and the replay of a fleet, when it is asked for.
def test_nothing_is_missing() -> None:
    from local_stack.stack import EVERYTHING  # noqa: PLC0415 - for this one alone

    same = {"model": "train", "dashboard": "streamlit", "api": "fastapi"}
    assert {same.get(one, one) for one in EVERYTHING} <= SERVICES.keys()
    assert {name for name, one in SERVICES.items() if "profiles" in one} == {"replay"}
    assert SERVICES["replay"]["profiles"] == ["replay"]
    assert set(compose.document()["networks"]) == {"anomaly-net"}


# A named volume is used, and what is used is named.
def test_volumes_are_named() -> None:
    mounts = [mount for one in SERVICES.values() for mount in one.get("volumes", ())]
    used = {one.partition(":")[0] for one in mounts if re.match(r"\w+:", one)}
    assert used == set(compose.document()["volumes"])
    files = {one.partition(":")[0] for one in mounts if one.startswith("./")}
    assert all((compose.ROOT / one).exists() for one in files)

"""The table of alerts: what each has, and what the committed files made of it are."""

import re
from typing import Any

import pytest
import yaml
from typer.main import get_command

from commands.app import app
from monitoring import files
from monitoring.alert import Alert, Severity
from monitoring.alerts import BLIND, table
from monitoring.objectives import records
from plantwatch import metrics
from plantwatch.configuration import load
from plantwatch.errors import ConfigError
from tests.support.servers import CONFIGS

SETTINGS = load(CONFIGS, {})
TABLE = table(SETTINGS)
NAMES = [one.name for one in TABLE]
EXPORTED = (
    {
        f"{one.name}{suffix}"
        for one in metrics.ALL
        for suffix in {
            "counter": ("_total",),
            "gauge": ("",),
            "histogram": ("_bucket", "_count", "_sum"),
        }[one.kind]
    }
    | {"up"}
    | {one.record for one in records(SETTINGS)}
)


def names_in(promql: str) -> set[str]:
    """Of metrics: what is no function, no label and no keyword."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \(\w+\)|on \(\)", "", promql)
    return set(re.findall(r"\b(?:plantwatch[\w:]+|up)\b", bare))


# The committed files are what `plantwatch alerts --write` would write: nobody edited one by hand.
@pytest.mark.parametrize(("name", "text"), files.files(SETTINGS).items())
def test_the_committed_files_are_in_step(name: str, text: str) -> None:
    assert (CONFIGS.parent / files.FOLDER / name).read_text(encoding="utf-8") == text


# No two alerts have one name, and what hides another is an alert itself, not the same one.
def test_names_lead_somewhere() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for one in TABLE:
        assert set(one.hidden_by) <= set(NAMES) - {one.name}


# A metric that is renamed takes no alert with it in silence.
@pytest.mark.parametrize("alert", TABLE, ids=NAMES)
def test_every_metric_is_exported(alert: Alert) -> None:
    assert names_in(alert.expr)
    assert names_in(alert.expr) <= EXPORTED
    assert {name.split("{")[0] for name in alert.case.series} <= EXPORTED


@pytest.mark.parametrize("record", [one.expr for one in records(SETTINGS)])
def test_every_recorded_metric_is_exported(record: str) -> None:
    assert names_in(record)
    assert names_in(record) <= EXPORTED


# The one who reads it learns what is wrong, what it means, what to do, and where to look.
@pytest.mark.parametrize("alert", TABLE, ids=NAMES)
def test_a_notification_says_all(alert: Alert) -> None:
    annotations = alert.annotations(SETTINGS.alerts)
    assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert annotations["runbook_url"] == f"docs/runbook.md#{alert.name.lower()}"
    assert re.fullmatch(r"http://127.0.0.1:3000/d/plantwatch-\w+", annotations["dashboard_url"])
    assert annotations["description"].endswith(".")
    assert not annotations["summary"].endswith(".")


# An alert outlives the calm that closes an incident, at a reading every ten seconds.
def test_alerts_outlive_the_hysteresis() -> None:
    assert SETTINGS.alerts.keep_firing_sec > 10 * SETTINGS.anomaly.alarm_clean
    assert {one.name for one in TABLE if not one.lingers} == set(BLIND)


# While the pipeline is down nobody is told of machines.
def test_machines_are_hidden_by_the_pipeline() -> None:
    machines = [one for one in TABLE if one.scope == "machine"]
    assert len(machines) == 3
    assert all({"PipelineDown", "NoProgress"} <= set(one.hidden_by) for one in machines)


# What hides others is told of itself: nobody is hidden by somebody who is hidden by him.
def test_nothing_is_hidden_in_a_circle() -> None:
    by = {one.name: one.hidden_by for one in TABLE}
    for name in NAMES:
        seen, ahead = set[str](), list(by[name])
        while ahead:
            seen.add(ahead[-1])
            ahead += [other for other in by[ahead.pop()] if other not in seen]
        assert name not in seen


# Other thresholds and addresses are other rules and routes, without an edit.
def test_settings_decide() -> None:
    environ = {
        "ALERTS_LAG_READINGS": "77",
        "ALERTS_PAGE_WEBHOOK": "http://pager/hook",
        "ALERTS_GRAFANA_URL": "https://grafana.plant",
    }
    made = files.files(load(CONFIGS, environ))
    assert "plantwatch:lag_readings:sum > 77" in made[files.RULES]
    assert "https://grafana.plant/d/plantwatch-floor" in made[files.RULES]
    receivers: list[dict[str, Any]] = yaml.safe_load(made[files.ROUTES])["receivers"]
    assert receivers[0]["webhook_configs"][0]["url"] == "http://pager/hook"
    assert receivers[1] == {"name": "ticket"}


# A latency that no bucket counts would make an objective of nothing.
def test_an_uncounted_latency_is_refused() -> None:
    with pytest.raises(ConfigError, match="latency_sec must be one of"):
        load(CONFIGS, {"ALERTS_LATENCY_SEC": "4"})


# Somebody is called by few alerts only: those that cannot wait.
def test_few_alerts_page() -> None:
    assert {one.name for one in TABLE if one.severity is Severity.CRITICAL} == {
        *("MachineCritical", "PipelineDown", "NoProgress", "NotBalanced"),
        *("LatencyBurnsFast", "UptimeBurnsFast"),
    }


RUNBOOK = (CONFIGS.parent / "docs/runbook.md").read_text(encoding="utf-8")
RUNBOOK_CODE = "\n".join(re.findall(r"^    .*$|`[^`]*`", RUNBOOK, re.MULTILINE))
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^#|\Z)", RUNBOOK, re.DOTALL | re.MULTILINE))


# The runbook has a section for each alert, in the order of the table, and none of an alert gone.
def test_the_runbook_is_in_step() -> None:
    assert list(SECTIONS) == NAMES


# Each section says what to type.
@pytest.mark.parametrize("name", NAMES)
def test_a_section_has_commands(name: str) -> None:
    lines = re.findall(r"^    (\S+)", SECTIONS[name], re.MULTILINE)
    assert set(lines) & {"plantwatch", "curl", "tail"}


def typed() -> list[tuple[str, ...]]:
    """Every use of the command: its words, up to the end of the code."""
    return [tuple(one.split()) for one in re.findall(r"plantwatch ([a-z][^\n`#]*)", RUNBOOK_CODE)]


# What the runbook says to type can be typed: these commands have these options.
@pytest.mark.parametrize("words", sorted(set(typed())), ids=" ".join)
def test_commands_exist(words: tuple[str, ...]) -> None:
    command: Any = get_command(app)
    for word in words:
        if not hasattr(command, "commands") or word.startswith("--"):
            break
        assert word in command.commands
        command = command.commands[word]
    options = {option for one in command.params for option in one.opts}
    assert {word for word in words if word.startswith("--")} <= options | {"--help"}


# What it points to is there: sections, and settings.
def test_what_the_runbook_names_exists() -> None:
    anchors = re.findall(r"\]\(#(\w+)\)", RUNBOOK)
    assert set(anchors) <= {name.lower() for name in NAMES}
    named = re.findall(r"`([a-z]+)\.([a-z_0-9]+)`", RUNBOOK)
    assert len(named) > 5
    for section, field in named:
        assert hasattr(getattr(SETTINGS, section), field), (section, field)

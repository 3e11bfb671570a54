"""Prometheus' and Alertmanager's own programs judge the committed files."""

import re
from pathlib import Path

import pytest

from monitoring import files
from monitoring.alert import Alert, Severity
from monitoring.alerts import table
from plantwatch.configuration import load
from tests.support.programs import needs, run
from tests.support.servers import CONFIGS

SETTINGS = load(CONFIGS, {})
TABLE = table(SETTINGS)
COMMITTED = CONFIGS.parent / files.FOLDER


# Prometheus takes the rules, and finds nothing to complain of.
@needs("promtool")
def test_the_rules_are_valid() -> None:
    checked = run(
        "promtool", "check", "rules", "--lint=all", "--lint-fatal", COMMITTED / files.RULES
    )
    assert "SUCCESS" in checked


# Each alert is silent the minute before, fires in its minute, says what it should, and is over.
@needs("promtool")
def test_every_alert_fires_when_it_should() -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", COMMITTED / files.CASES)


# An alert that fired a minute later, or stayed a minute longer, would be found: each and every one.
@needs("promtool")
@pytest.mark.parametrize(
    ("wrong", "more"), [("for: {}m", 1), ("keep_firing_for: {}ms", 60_000)], ids=["for", "keep"]
)
def test_the_cases_are_awake(tmp_path: Path, wrong: str, more: int) -> None:
    for name, text in files.files(SETTINGS).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    rules = tmp_path / files.RULES
    pattern = r"(?<!_)" + wrong.replace("{}", r"(\d+)")
    later = re.sub(
        pattern, lambda found: wrong.format(int(found[1]) + more), rules.read_text("utf-8")
    )
    rules.write_text(later, encoding="utf-8")
    with pytest.raises(AssertionError) as failed:
        run("promtool", "test", "rules", tmp_path / files.CASES)
    assert set(re.findall(r"alertname: (\w+)", str(failed.value))) == {
        one.name for one in TABLE if one.lingers or more == 1
    }


# Alertmanager takes the routes.
@needs("amtool")
def test_the_routes_are_valid() -> None:
    assert "2 receivers" in run("amtool", "check-config", COMMITTED / files.ROUTES)


# What is critical calls somebody; the rest becomes a ticket.
@needs("amtool")
@pytest.mark.parametrize("alert", TABLE, ids=lambda one: one.name)
def test_everybody_is_told_his_own(alert: Alert) -> None:
    receiver = "page" if alert.severity is Severity.CRITICAL else "ticket"
    labels = [f"{name}={value}" for name, value in alert.labels().items()]
    run(
        *("amtool", "config", "routes", "test", f"--config.file={COMMITTED / files.ROUTES}"),
        *(f"--verify.receivers={receiver}", f"alertname={alert.name}", *labels),
    )

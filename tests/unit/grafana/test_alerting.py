"""Grafana's rules are those of Prometheus, one for one."""

from typing import Any

import pytest

from grafana.alerting import contact_points, groups, spelled
from grafana.files import boards
from grafana.sources import PROMETHEUS_UID
from monitoring.alerts import table
from monitoring.rules import rules
from plantwatch.configuration import load
from tests.support.servers import CONFIGS

SETTINGS = load(CONFIGS, {})
RULES = [
    rule
    for group in groups(rules(SETTINGS), "plantwatch", {"critical": "http://127.0.0.1:9/"}).values()
    for rule in group["rules"]
]


# No alert is left out, and none is there twice; Grafana takes identities of 40 characters.
def test_every_alert_is_there() -> None:
    assert sorted(rule["title"] for rule in RULES) == sorted({one.name for one in table(SETTINGS)})
    uids = [rule["uid"] for rule in RULES]
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) <= 40


# It asks our Prometheus the same, waits and stays as long, and says the same.
@pytest.mark.parametrize("rule", RULES, ids=[rule["title"] for rule in RULES])
def test_a_rule_is_the_same(rule: dict[str, Any]) -> None:
    original = next(
        one
        for group in rules(SETTINGS)["groups"]
        for one in group["rules"]
        if one.get("alert") == rule["title"]
    )
    query = rule["data"][0]
    assert (query["datasourceUid"], query["model"]["expr"]) == (PROMETHEUS_UID, original["expr"])
    for name in ("for", "keep_firing_for"):
        assert rule[name] == spelled(original.get(name, "0s"))
    for name in ("labels", "annotations"):
        assert rule[name] == original[name]
    assert rule["condition"] in [one["refId"] for one in rule["data"]]
    receiver = rule.get("notification_settings")
    assert (receiver is not None) == (rule["labels"]["severity"] == "critical")


# The dashboard that a notification links to is one of ours.
@pytest.mark.parametrize("rule", RULES, ids=[rule["title"] for rule in RULES])
def test_its_dashboard_exists(rule: dict[str, Any]) -> None:
    uid = rule["annotations"]["dashboard_url"].rpartition("/d/")[2]
    assert uid in {board.uid for board in boards(SETTINGS)}


# Who has given no address is told by Grafana's own policy.
def test_contact_points_have_an_address() -> None:
    made = list(contact_points({"critical": "http://127.0.0.1:9/", "warning": ""}))
    assert [one["uid"] for one in made] == ["plantwatch-critical"]
    assert made[0]["settings"]["url"] == "http://127.0.0.1:9/"


# Durations are spelled as Grafana gives them back, or each push would find a change.
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("300000ms", "5m"), ("90s", "1m30s"), ("0m", "0s"), ("1h30m", "1h30m"), ("36h", "36h")],
)
def test_durations(ours: str, theirs: str) -> None:
    assert spelled(ours) == theirs

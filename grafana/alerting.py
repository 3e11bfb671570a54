"""Prometheus' rules as Grafana's own, for sites without Alertmanager, and whom they tell."""

import re
from collections.abc import Iterator
from typing import Any, Final

from grafana.sources import PROMETHEUS_UID
from grafana.spec import Json

_MINUTE: Final = 60
# How far back the query looks; its newest value counts.
_LOOK_BACK_SEC: Final = 600


def groups(rules: Json, folder_uid: str, webhooks: dict[str, str]) -> dict[str, Json]:
    """Rule groups of Grafana by their title, from a document of Prometheus' rules.

    Args:
        rules: what `promtool check rules` takes; its recording rules stay Prometheus' own.
        folder_uid: where they go.
        webhooks: by severity; rules without one are told by Grafana's own policy.
    """
    made = {}
    for group in rules["groups"]:
        alerts = [
            _rule(one, group["name"], folder_uid, webhooks)
            for one in group["rules"]
            if "alert" in one
        ]
        if alerts:
            made[group["name"]] = {
                "title": group["name"],
                "folderUid": folder_uid,
                "interval": _MINUTE,
                "rules": alerts,
            }
    return made


def contact_points(webhooks: dict[str, str]) -> Iterator[Json]:
    """A contact point per severity that has an address; their uids are ours, to find them by."""
    for severity, url in webhooks.items():
        if url:
            yield {
                "uid": f"plantwatch-{severity}",
                "name": _receiver(severity),
                "type": "webhook",
                "settings": {"url": url, "httpMethod": "POST"},
                "disableResolveMessage": False,
            }


def _receiver(severity: str) -> str:
    """The name of a contact point, which rules find it by."""
    return f"plantwatch {severity}"


def _rule(alert: Json, group: str, folder_uid: str, webhooks: dict[str, str]) -> Json:
    severity = alert["labels"]["severity"]
    rule: Json = {
        # Grafana takes 40 characters.
        "uid": f"plantwatch-{alert['alert'].lower()}"[:40],
        "title": alert["alert"],
        "ruleGroup": group,
        "folderUID": folder_uid,
        "orgID": 1,
        "condition": "above",
        "data": [_query(alert["expr"]), _ANY_SERIES],
        "for": spelled(alert.get("for", "0s")),
        "keep_firing_for": spelled(alert.get("keep_firing_for", "0s")),
        # Prometheus answers with nothing while all is well.
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": alert["labels"],
        "annotations": alert.get("annotations", {}),
    }
    if webhooks.get(severity):
        rule["notification_settings"] = {"receiver": _receiver(severity)}
    return rule


def spelled(duration: str) -> str:
    """A duration as Grafana gives it back; another spelling would look like a change.

    >>> spelled("300000ms"), spelled("90s"), spelled("0m"), spelled("1h30m")
    ('5m', '1m30s', '0s', '1h30m')
    """
    parts = re.findall(r"(\d+)(ms|[dhms])", duration)
    left = sum(int(number) * _MILLISECONDS[unit] for number, unit in parts)
    text = ""
    for unit, size in _MILLISECONDS.items():
        number, rest = divmod(left, size)
        # Days only where nothing is left over.
        if number and (unit != "d" or not rest):
            text, left = f"{text}{number}{unit}", rest
    return text or "0s"


_MILLISECONDS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def _query(expr: str) -> Json:
    return {
        "refId": "A",
        "datasourceUid": PROMETHEUS_UID,
        "relativeTimeRange": {"from": _LOOK_BACK_SEC, "to": 0},
        "model": {"refId": "A", "expr": expr, "instant": True, "range": False},
    }


# What a comparison leaves over fires, whatever its value: 0 and NaN, too.
_ANY_SERIES: Final[dict[str, Any]] = {
    "refId": "above",
    "datasourceUid": "__expr__",
    "relativeTimeRange": {"from": 0, "to": 0},
    "model": {
        "refId": "above",
        "type": "math",
        "expression": "is_number($A) || is_nan($A)",
    },
}

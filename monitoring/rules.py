"""Prometheus' rules, and promtool's test of each alert, from the table."""

from collections.abc import Iterator
from typing import Any, Final

from monitoring.alert import Alert
from monitoring.alerts import table
from monitoring.objectives import records
from plantwatch.settings import Alerts, Settings

RECORDED: Final = "plantwatch-recorded"
_SCOPES: Final = ("machine", "pipeline", "model")


def rules(settings: Settings) -> dict[str, Any]:
    """A rule file: what is recorded first, then a group of alerts for each scope."""
    recorded = [{"record": one.record, "expr": one.expr} for one in records(settings)]
    alerts = table(settings)
    groups = {RECORDED: recorded} | {
        _group(scope): [_rule(one, settings.alerts) for one in alerts if one.scope == scope]
        for scope in _SCOPES
    }
    return {"groups": [{"name": name, "rules": rules} for name, rules in groups.items()]}


def cases(settings: Settings, rule_file: str) -> dict[str, Any]:
    """Promtool's file: each alert is silent the minute before, fires, and is over in its minute."""
    return {
        "rule_files": [rule_file],
        "evaluation_interval": "1m",
        "group_eval_order": [RECORDED, *map(_group, _SCOPES)],
        "tests": [_case(one, settings.alerts) for one in table(settings)],
    }


def _group(scope: str) -> str:
    return f"plantwatch-{scope}"


def _rule(alert: Alert, config: Alerts) -> dict[str, Any]:
    lingering = {"keep_firing_for": f"{round(1000 * config.keep_firing_sec)}ms"}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": f"{alert.wait_min}m",
        **(lingering if alert.lingers else {}),
        "labels": alert.labels(),
        "annotations": alert.annotations(config),
    }


def _case(alert: Alert, config: Alerts) -> dict[str, Any]:
    case = alert.case
    return {
        "name": alert.name,
        "interval": "1m",
        "input_series": [{"series": name, "values": text} for name, text in case.series.items()],
        "alert_rule_test": list(_moments(alert, config)),
    }


def _moments(alert: Alert, config: Alerts) -> Iterator[dict[str, Any]]:
    firing = {
        "exp_labels": alert.labels() | dict(alert.case.labels),
        "exp_annotations": {
            name: _filled(text, alert) for name, text in alert.annotations(config).items()
        },
    }
    first, over = alert.fires_at(), alert.recovers_at(config)
    for minute, fires in ((first - 1, False), (first, True), (over - 1, True), (over, False)):
        yield {
            "eval_time": f"{minute}m",
            "alertname": alert.name,
            "exp_alerts": [firing] if fires else [],
        }


def _filled(text: str, alert: Alert) -> str:
    """A template as Prometheus fills it in the alert's case."""
    text = text.replace("{{ $value }}", alert.case.value)
    for name, value in alert.case.labels.items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", value)
    return text

"""Alertmanager's configuration from the table: who is told, how often, and what hides what."""

from typing import Any

from monitoring.alert import Severity
from monitoring.alerts import table
from plantwatch.settings import Settings


def routes(settings: Settings) -> dict[str, Any]:
    """What is critical goes to `page`, all else to `ticket`."""
    alerts = settings.alerts
    return {
        "route": {
            "receiver": "ticket",
            "group_by": ["alertname"],
            "group_wait": _duration(alerts.group_wait_sec),
            "group_interval": _duration(alerts.group_interval_sec),
            "repeat_interval": _duration(alerts.ticket_repeat_sec),
            "routes": [
                {
                    "receiver": "page",
                    "matchers": [f'severity="{Severity.CRITICAL.value}"'],
                    "repeat_interval": _duration(alerts.page_repeat_sec),
                }
            ],
        },
        "inhibit_rules": _inhibitions(settings),
        "receivers": [
            _receiver("page", alerts.page_webhook),
            _receiver("ticket", alerts.ticket_webhook),
        ],
    }


def _inhibitions(settings: Settings) -> list[dict[str, Any]]:
    """One rule for each choice of alerts that hide others; those that it hides, together."""
    hidden: dict[tuple[str, ...], list[str]] = {}
    for alert in table(settings):
        if alert.hidden_by:
            hidden.setdefault(alert.hidden_by, []).append(alert.name)
    return [
        {"source_matchers": [_named(sources)], "target_matchers": [_named(targets)]}
        for sources, targets in hidden.items()
    ]


def _named(names: tuple[str, ...] | list[str]) -> str:
    return f'alertname=~"{"|".join(names)}"'


def _receiver(name: str, webhook: str) -> dict[str, Any]:
    webhooks = {"webhook_configs": [{"url": webhook, "send_resolved": True}]} if webhook else {}
    return {"name": name} | webhooks


def _duration(seconds: float) -> str:
    return f"{round(1000 * seconds)}ms"

"""The whole chain, alive: exporter, Prometheus, Alertmanager, and who is told."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest
from prometheus_client import start_http_server
from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response

from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Settings
from tests.support.programs import needs
from tests.support.servers import served
from tests.support.waiting import until

pytestmark = [pytest.mark.real, needs("prometheus", "amtool")]

QUICK = {
    "STACK_SCRAPE_INTERVAL_SEC": "0.2",
    "ALERTS_KEEP_FIRING_SEC": "0.5",
    "ALERTS_GROUP_WAIT_SEC": "0.1",
    "ALERTS_GROUP_INTERVAL_SEC": "0.2",
}


class Told:
    """What the receivers hear, with the second in which they do."""

    def __init__(self, server: HTTPServer) -> None:
        self.heard: list[tuple[float, str, str, str]] = []
        self.notes: list[dict[str, Any]] = []
        self._began = time.monotonic()
        for name in ("page", "ticket"):
            server.expect_request(f"/{name}").respond_with_handler(self._hear)
        self.environ = {
            "ALERTS_PAGE_WEBHOOK": server.url_for("/page"),
            "ALERTS_TICKET_WEBHOOK": server.url_for("/ticket"),
        }

    def _hear(self, asked: Asked) -> Response:
        note = json.loads(asked.data)
        for alert in note["alerts"]:
            self.notes.append(alert)
            self.say(asked.path, alert["status"], alert["labels"]["alertname"])
        return Response()

    def say(self, who: str, what: str, of: str) -> None:
        self.heard.append((time.monotonic() - self._began, who, what, of))

    def has(self, *wanted: str) -> bool:
        return wanted in {one[1:] for one in self.heard}

    def timeline(self) -> str:
        return "\n".join(f"{at:6.2f} s  {' '.join(said)}" for at, *said in self.heard)


@pytest.fixture
def told(httpserver: HTTPServer) -> Told:
    return Told(httpserver)


@contextmanager
def exporting(settings: Settings) -> Iterator[Exporter]:
    """The relay's metrics, at the relay's address."""
    exporter = Exporter()
    server, thread = start_http_server(
        settings.outbox.metrics_port, addr="127.0.0.1", registry=exporter.registry
    )
    try:
        yield exporter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 (our own)
    with urlopen(request, timeout=10) as response:  # noqa: S310
        return json.loads(response.read() or b"null")


# An incident that turns critical calls somebody, with all that he needs; acknowledged, it is over.
def test_an_incident_is_told_and_its_end_too(told: Told) -> None:
    with (
        served("prometheus", "alertmanager", **QUICK, **told.environ) as (settings, _),
        exporting(settings) as exporter,
    ):
        incidents = exporter.gauge(metrics.OPEN_INCIDENTS).labels("critical", "open")
        incidents.set(2)
        told.say("exporter", "has", "2 critical incidents")
        until(lambda: told.has("/page", "firing", "MachineCritical"), told.timeline)
        incidents.set(0)
        told.say("exporter", "has", "none")
        until(lambda: told.has("/page", "resolved", "MachineCritical"), told.timeline)
    assert {(who, of) for _, who, _, of in told.heard if who != "exporter"} == {
        ("/page", "MachineCritical")
    }
    first = told.notes[0]["annotations"]
    assert first["summary"].endswith("nobody has acknowledged: 2")
    assert first["runbook_url"] == "docs/runbook.md#machinecritical"


# While the worker is down nobody is told of machines, nor twice of the pipeline; of all else, yes.
def test_one_fault_is_told_once(told: Told) -> None:
    with served("alertmanager", **QUICK, **told.environ) as (settings, _):
        api = f"http://127.0.0.1:{settings.stack.alertmanager_port}/api/v2/alerts"
        asked(api, [alert("PipelineDown", "critical")])
        until(lambda: told.has("/page", "firing", "PipelineDown"), told.timeline)
        hidden = ["MachineCritical", "NoProgress", "UptimeBurnsFast"]
        asked(api, [alert(name, "critical") for name in hidden])
        asked(api, [alert("MachineIncident", "warning"), alert("WorkerBehind", "warning")])
        asked(api, [alert("NotBalanced", "critical"), alert("DeadLetters", "warning")])
        until(lambda: told.has("/page", "firing", "NotBalanced"), told.timeline)
        until(lambda: told.has("/ticket", "firing", "DeadLetters"), told.timeline)
        states = {one["labels"]["alertname"]: one["status"]["state"] for one in asked(api)}
    assert {of for *_, of in told.heard} == {"PipelineDown", "NotBalanced", "DeadLetters"}
    assert {name for name, state in states.items() if state == "suppressed"} == {
        *hidden, "MachineIncident", "WorkerBehind",
    }  # fmt: skip


def alert(name: str, severity: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, "severity": severity}}

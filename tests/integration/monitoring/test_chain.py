"""The whole chain, alive: database, exporter, Prometheus, Alertmanager, and who is told."""

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

from connections.postgres import connect
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.settings import Postgres, Settings
from sinks.census import Census
from sinks.migrate import upgrade
from sinks.postgres import PostgresSink
from sinks.writer import writer
from tests.support.programs import needs
from tests.support.servers import served
from tests.support.verdicts import row
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
    with urlopen(request, timeout=10) as response:  # noqa: S310 (the same)
        return json.loads(response.read() or b"null")


# A critical incident calls somebody, with all that he needs; that he is at it ends the call.
def test_an_incident_is_told_until_somebody_is_at_it(told: Told, database: Postgres) -> None:
    with (
        served("prometheus", "alertmanager", **QUICK, **told.environ) as (servers, _),
        exporting(servers) as exporter,
    ):
        settings = servers.model_copy(update={"postgres": database})
        upgrade(settings)
        now = [time.time()]
        census = Census(settings, writer(settings), exporter, lambda: now[0])
        open_incident(settings)
        census.take()
        told.say("database", "has", "a critical incident")
        until(lambda: told.has("/page", "firing", "MachineCritical"), told.timeline)
        acknowledge(settings)
        now[0] += settings.outbox.look_sec
        census.take()
        told.say("operator", "acknowledged", "it")
        until(lambda: told.has("/page", "resolved", "MachineCritical"), told.timeline)
    assert [said[1:] for said in told.heard] == [
        ("database", "has", "a critical incident"),
        ("/page", "firing", "MachineCritical"),
        ("operator", "acknowledged", "it"),
        ("/page", "resolved", "MachineCritical"),
    ], told.timeline()
    first = told.notes[0]["annotations"]
    assert first["summary"].endswith("nobody has acknowledged: 1")
    assert first["runbook_url"] == "docs/runbook.md#machinecritical"


def open_incident(settings: Settings) -> None:
    sink = PostgresSink(settings, Exporter().histogram(metrics.STORED_LATENCY))
    sink.write([row(number, is_anomaly=True, anomaly_score=0.99) for number in range(1, 6)])
    sink.close()


def acknowledge(settings: Settings) -> None:
    with connect(settings, "operator") as person:
        person.execute("UPDATE incidents SET acknowledged_at = now(), acknowledged_by = 'me'")


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

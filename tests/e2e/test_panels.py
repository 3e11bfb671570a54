"""Every query of every dashboard, asked of real servers that the real pipeline has filled.

What it found is written to .local/panels.txt: a line per query, with the rows that it returned.
"""

import contextlib
import json
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import local_stack
from connections.groups import lag
from connections.postgres import session
from data import cmapss
from incidents import feedback, maintenance, queries
from local_stack.free import free_addresses
from models import registry
from plantwatch.configuration import load
from plantwatch.settings import Settings
from tests.support import topics
from tests.support.commands import Command
from tests.support.panels import Target, dashboards, substituted, targets
from tests.support.servers import CONFIGS
from tests.support.small_training import SMALL, small_fleet
from tests.support.topics import Sent
from tests.support.waiting import until

pytestmark = pytest.mark.real

RESULT = CONFIGS.parent / ".local" / "panels.txt"
QUICK = {
    "STACK_SCRAPE_INTERVAL_SEC": "0.5",
    "OUTBOX_LOOK_SEC": "0.5",
    "WORKER_CHUNK_SIZE": "16",
    "SINK_BATCH_ROWS": "200",
}
PARTS = [one for one in local_stack.EVERYTHING if one not in ("dashboard", "alertmanager")]


@dataclass(frozen=True)
class Filled:
    """The servers, and when what is in them was: by our clock, and by the machines'."""

    settings: Settings
    begun: datetime
    first: datetime
    last: datetime
    machine: str

    def ask(self, target: Target) -> int:
        """Run a query as Grafana would; how many rows (or points) with a value come back."""
        chosen = {
            "line": ["FD001"],
            "machine": self.machine,
            "sensor": "4",
            "instance": ".*",
        }
        values = chosen | dict(target.constants)
        text = substituted(target.text, values, self.first, self.last)
        return self._metrics(text) if target.source == "prometheus" else self._rows(text)

    def _rows(self, statement: str) -> int:
        with session(self.settings, "reader") as reader:
            rows = reader.execute(statement.encode()).fetchall()
        return sum(any(value is not None for value in row) for row in rows)

    def _metrics(self, expr: str) -> int:
        if expr.startswith("label_values("):
            metric, label = expr.removeprefix("label_values(").removesuffix(")").split(", ")
            return len(self._get(f"label/{label}/values", **{"match[]": metric}))
        now = datetime.now(UTC)
        found = self._get(
            "query_range", query=expr, start=self.begun.timestamp(), end=now.timestamp(), step=1
        )
        points = [value for one in found["result"] for _, value in one["values"]]
        return sum(value != "NaN" for value in points)

    def _get(self, path: str, **parameters: Any) -> Any:
        asked = urllib.parse.urlencode(parameters)
        port = self.settings.stack.prometheus_port
        try:
            url = f"http://127.0.0.1:{port}/api/v1/{path}?{asked}"
            with urllib.request.urlopen(url) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    """A whole stack through which a fleet has run to its end, with all that a plant can have.

    The folder is not pytest's: PostgreSQL's own user may not enter that.
    """
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for part in ("train", "test"):
            cmapss.write(small_fleet(part), folder / "cmapss")
        settings = load(CONFIGS, SMALL | free_addresses() | QUICK)
        stack.enter_context(contextlib.chdir(folder))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PLANTWATCH_CONFIG", str(CONFIGS))
        patch.setenv("CMAPSS_DIR", str(folder / "cmapss"))
        planned = local_stack.plan(settings, PARTS)
        if any(one.name == "prometheus" for one in planned.skipped):
            pytest.skip("Prometheus is not installed")
        running = stack.enter_context(local_stack.running(planned))
        yield fill(running.settings, folder)


def fill(settings: Settings, folder: Path) -> Filled:
    """Let a challenger, failing machines, rubbish, maintenance and people's acts leave a trace."""
    begun = datetime.now(UTC)
    let_one_challenge(settings)
    replay = Command(folder / "replay", settings, "replay", "--split", "train", "--speed", "20")
    assert replay.wait() == 0, replay.said
    rubbish = [Sent(b"FD001-engine-001", b"{"), Sent(b"FD001-engine-001", b"[]")]
    topics.publish(settings, rubbish)
    until(lambda: all_is_stored(settings))
    with session(settings, "reader") as reader:
        first, last = ends(reader)
        opened = queries.listed(reader, queries.Choice(closed=False), 99)
    assert len(opened) >= 2, "no machine failed"
    judged, machine = opened[0], opened[-1].sensor_id
    with session(settings, "operator") as operator:
        feedback.judge(operator, judged.id, "Ada", false_alarm=True)
        soon = last + timedelta(hours=1)
        maintenance.add(operator, machine, last, soon, reason="bearing", by="Ada")
    until(lambda: moves_are_published(settings))
    return Filled(settings, begun, first, last + timedelta(seconds=1), machine)


def let_one_challenge(settings: Settings) -> None:
    """A version that is not the production one; returns when the worker has it."""
    other = next(one for one in registry.list_versions(settings) if not one.production)
    registry.set_challenger(settings, other.version)
    until(lambda: "plantwatch_challenger_info{" in scraped(settings.worker.metrics_port))


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return str(answer.read().decode())


def all_is_stored(settings: Settings) -> bool:
    """Whether nothing waits between Kafka and PostgreSQL."""
    sink, worker = settings.sink, settings.worker
    topic = settings.topics
    return not any(
        lag(settings, group, name)
        for group, name in (
            (worker.group_id, topic.readings),
            (sink.postgres_group_id, topic.scores),
            (sink.prometheus_group_id, topic.scores),
            (sink.shadow_group_id, topic.shadow_scores),
            (sink.readings_group_id, topic.readings),
            (settings.drift.group_id, topic.readings),
        )
    )


def moves_are_published(settings: Settings) -> bool:
    """Whether Prometheus has seen the judgement, too: closed, for whoever asks it now."""
    return 'plantwatch_incidents_total{kind="closed"' in scraped(settings.outbox.metrics_port)


def ends(reader: psycopg.Connection) -> tuple[datetime, datetime]:
    """The times of the first and the last reading, as the machines say."""
    row = reader.execute("SELECT min(event_time), max(event_time) FROM readings").fetchone()
    assert row is not None
    return row[0], row[1]


# Of these nothing has happened in the run, and that is what they show.
QUIET = {"Retries and refusals / A", "Models refused / A", "Looked for drift in / B"}


def as_asked(target: Target) -> Target:
    """Without the zero for what never happened, where it did."""
    if any(target.place.endswith(place) for place in QUIET):
        return target
    return replace(target, text=target.text.removesuffix(" or vector(0)"))


# Nobody trusts a chart that was never executed: each query of each panel, annotation and variable
# returns something, on a plant where everything has happened.
def test_every_query_returns_data(filled: Filled) -> None:
    lines, wrong = [], []
    for target in (one for board in dashboards(filled.settings) for one in targets(board)):
        try:
            rows = filled.ask(as_asked(target))
        except Exception as error:  # noqa: BLE001 - all that fail are told at once
            wrong.append(f"{target.place}: {error}")
            continue
        lines.append(f"{rows:>6}  {target.place}  |  {' '.join(target.text.split())[:150]}")
        if not rows:
            wrong.append(f"{target.place}: no data")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join([f"{os.uname().sysname}, {len(lines)} queries", *lines, ""]))
    assert wrong == []


# As many readings were received as are in a class, on the dashboard as in the ledger.
def test_the_one_number_is_zero(filled: Filled) -> None:
    values = filled._get("query", query="sum(plantwatch_unaccounted_readings)")["result"]
    assert [one["value"][1] for one in values] == ["0"]

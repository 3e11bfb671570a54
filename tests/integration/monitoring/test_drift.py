"""The watcher of drift on a real broker, and the report on a real PostgreSQL."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connections.kafka import ensure_topics
from local_stack.pipeline import environment_of
from models.cache import load_production
from monitoring.drift_report import SCORE, frame, newest, training_data, write
from monitoring.drift_watch import reference_of
from plantwatch.configuration import with_changes
from plantwatch.errors import BadDataError
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from tests.support import plant, stored
from tests.support.commands import Command
from tests.support.servers import CONFIGS
from tests.support.small_plant import fill
from tests.support.small_training import cached_model, small_fleet
from tests.support.topics import publish

pytestmark = pytest.mark.real

HEALTHY = 12 * 40


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a small model in production."""
    cached_model(tmp_path / "models")
    return with_changes(settings, "model", cache=tmp_path / "models")


@pytest.fixture
def watcher(settings: Settings, tmp_path: Path) -> Iterator[Command]:
    ensure_topics(settings)
    with ExitStack() as stack:
        command = Command(tmp_path / "watcher", settings, "drift", "watch")
        stack.callback(command.wait)
        stack.callback(command.process.kill)
        yield command


def metric(settings: Settings, name: str, **labels: str) -> float | None:
    """A sample of the watcher's metrics; None before they are served."""
    try:
        with urlopen(f"http://127.0.0.1:{settings.drift.metrics_port}/metrics") as page:
            families = list(text_string_to_metric_families(page.read().decode()))
    except OSError:
        return None
    samples = [one for family in families for one in family.samples]
    return next((s.value for s in samples if (s.name, s.labels) == (name, labels)), None)


def send(settings: Settings, readings: int, shift: float) -> None:
    """The fleet's first readings, in the order of its cycles; `shift` is added to sensor 21."""
    fleet = small_fleet("train")
    publish(
        settings, [plant.reading(fleet, row, shift=shift) for row in plant.rows(fleet)][:readings]
    )


# A healthy fleet is silent; a sensor that is off on all its machines is reported; SIGTERM ends it.
def test_drift_is_reported(settings: Settings, watcher: Command) -> None:
    tested = "plantwatch_drift_readings_total"
    send(settings, HEALTHY, 0.0)
    watcher.until(lambda: metric(settings, tested, outcome="tested") == HEALTHY)
    sensors = [str(sensor) for sensor in settings.features.sensors]
    assert [metric(settings, "plantwatch_drifting", sensor=one) for one in sensors] == [0.0] * 14

    drift = load_production(settings).card.drift
    assert drift is not None
    send(settings, 200, 1.2 * drift.features.spread[0][-1])
    watcher.until(lambda: metric(settings, tested, outcome="tested") == HEALTHY + 200)
    watcher.until(lambda: metric(settings, "plantwatch_drifting", sensor="21") == 1)
    assert watcher.end(signal.SIGTERM) == 0
    assert "the fleet drifts" in watcher.said
    assert "Traceback" not in watcher.said


# What it has committed it does not look at again.
def test_it_goes_on_where_it_was(settings: Settings, watcher: Command, tmp_path: Path) -> None:
    tested = "plantwatch_drift_readings_total"
    send(settings, 120, 0.0)
    watcher.until(lambda: metric(settings, tested, outcome="tested") == 120)
    assert watcher.end() == 0
    send(settings, 36, 0.0)
    again = Command(tmp_path / "again", settings, "drift", "watch")
    try:
        again.until(lambda: metric(settings, tested, outcome="tested") == 36)
    finally:
        assert again.end() == 0


# The page shows what has moved: one sensor, on the machines that are looked at now.
def test_the_report_names_the_sensor(settings: Settings, tmp_path: Path) -> None:
    upgrade(settings)
    detector = load_production(settings)
    reference = reference_of(detector.card, detector.version)
    train = small_fleet("train")
    with stored.owner(settings) as owner:
        fill(owner, train, detector, datetime.now(UTC))
        trained = training_data(detector.card, train, detector, settings.drift.report_rows)
        theirs, limit = frame(reference, trained), settings.drift.report_distance
        same = frame(reference, newest(settings, detector.digest))
        quiet = write(theirs, same, tmp_path / "same.html", limit)
        assert [one.name for one in quiet if one.drifts] == []
        assert {one.name for one in quiet} == set(theirs.columns)

        by = reference.features.spread[0][-1]
        owner.execute("UPDATE readings SET values[24] = values[24] + %s", (by,))
    moved = frame(reference, newest(settings, detector.digest))
    first, *others = write(theirs, moved, tmp_path / "moved.html", limit)
    assert first.name == "sensor 21, given the others"
    assert {one.name for one in others if one.drifts} == {"sensor 21"}
    assert SCORE in (tmp_path / "moved.html").read_text(encoding="utf-8")


# Nothing to compare, or nothing to compare with: one line that says what to do, and no page.
def test_the_report_says_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    upgrade(settings)
    detector = load_production(settings)
    with pytest.raises(BadDataError, match=r"0 normal verdicts .* let the pipeline run"):
        newest(settings, detector.digest)
    with stored.owner(settings) as owner:
        fill(owner, small_fleet("train"), detector, datetime.now(UTC))
    done = subprocess.run(
        [sys.executable, "-m", "commands.app", "drift", "--output", str(tmp_path / "page.html")],
        env=os.environ | environment_of(settings) | {"PLANTWATCH_CONFIG": str(CONFIGS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == BadDataError.exit_code
    assert "is other data; set CMAPSS_DIR" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "page.html").exists()

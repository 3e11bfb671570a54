"""The seconds from asking for the live page to its first sight of a whole fleet, in a browser."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import local_stack
from benchmarks.browser import WIDTH, chromium
from connections.postgres import connect
from local_stack.free import free_addresses
from plantwatch.configuration import load
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROCESSES: Final = ("postgres", "migrate", "dashboard")
_PATIENCE_MS: Final = 60_000

_VERDICTS: Final = """
INSERT INTO anomaly_events (sensor_id, cycle, detected_at, anomaly_score, is_anomaly, confidence,
    model_version, model_digest, source_partition, first_offset, last_offset)
SELECT 'machine-' || lpad(machine::text, 5, '0'), cycle,
    now() - (%(cycles)s - cycle) * interval '1 s', random(), false, 0.1, 'made_up_v1',
    repeat('0', 64), 0, greatest(0, cycle - 29), cycle
FROM generate_series(1, %(cycles)s) AS cycle, generate_series(1, %(machines)s) AS machine
"""
_READINGS: Final = """
INSERT INTO readings (sensor_id, cycle, event_time, values, published_at, source_partition,
    source_offset)
SELECT sensor_id, cycle, detected_at, array_fill(1::real, ARRAY[24]), now(), 0, last_offset
FROM anomaly_events
"""
_INCIDENTS: Final = """
INSERT INTO incidents (sensor_id, severity, opened_at, opened_cycle, last_at, last_cycle, anomalies,
    peak_score, peak_at, peak_cycle, top_sensors, unseen_regime, model_version, model_digest,
    source_partition, first_offset, last_offset)
SELECT sensor_id, 'warning', detected_at, cycle, detected_at, cycle, 3, anomaly_score, detected_at,
    cycle, '[{"sensor": 11, "contribution": 1.5}]', false, model_version, model_digest, 0,
    first_offset, last_offset
FROM anomaly_events WHERE cycle = %(cycles)s ORDER BY anomaly_score DESC LIMIT %(incidents)s
"""


@dataclass(frozen=True, slots=True)
class Looks:
    """Seconds from the request to what somebody wants to see, look by look."""

    fleet: list[float]
    machine: list[float]


def fill(settings: Settings, machines: int, cycles: int, incidents: int) -> None:
    """Store so many made-up machines, each with so many verdicts and readings up to now."""
    many = {"machines": machines, "cycles": cycles, "incidents": incidents}
    with connect(settings, "owner", autocommit=True) as connection:
        connection.execute(_VERDICTS, many)
        connection.execute(_READINGS)
        connection.execute(_INCIDENTS, many)
        connection.execute("ANALYZE")


@contextmanager
def stored(configs: Path, machines: int, cycles: int) -> Iterator[Settings]:
    """PostgreSQL with that many machines, one in thirty with an incident, and the page up on it."""
    with tempfile.TemporaryDirectory(prefix="plantwatch-bench-") as name:
        planned = local_stack.plan(load(configs, free_addresses()), PROCESSES, Path(name))
        with local_stack.running(planned) as stack:
            fill(stack.settings, machines, cycles, max(1, machines // 30))
            yield stack.settings


def look(settings: Settings, machines: int, looks: int) -> Looks:
    """Look at the fleet, and then at a machine, each time as a newcomer with an empty cache.

    Raises:
        ConfigError: there is no Chromium.
    """
    address = f"http://{settings.streamlit.host}:{settings.streamlit.port}/"
    with chromium() as browser:
        last = f".tiles a:nth-child({machines})"
        fleet = [_seconds(browser, address, last) for _ in range(looks)]
        one = f"{address}?machine=machine-00001"
        return Looks(
            fleet, [_seconds(browser, one, ".js-plotly-plot .main-svg") for _ in range(looks)]
        )


def _seconds(browser: "Browser", address: str, sign: str) -> float:
    """Until the sign is there."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    begun = time.monotonic()
    page.goto(address)
    page.locator(sign).first.wait_for(timeout=_PATIENCE_MS)
    seconds = time.monotonic() - begun
    page.context.close()
    return seconds

"""The steps of a demonstration on a stack that is up: replay, wait, settle."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connections import span
from connections.groups import behind
from connections.tail import tail
from data.fleet import Fleet
from demo.account import Account, expected, settle
from demo.machines import Machine, judge
from demo.observe import counts, latencies, stored
from demo.parity import Parity, compare
from models.cache import load_production
from plantwatch.errors import UnavailableError
from plantwatch.messages import ScoreEvent, score_event_from_bytes
from plantwatch.settings import Settings
from producers import kafka
from producers.run import Progress

RESULT: Final = Path(".local/demo.json")
MANIFEST: Final = Path(".local/replay/demo.json")

_LOOK_EVERY_SEC: Final = 0.2
_PATIENCE_SEC: Final = 60.0
"""Nothing scored and nothing stored for this long: something is wrong, say so."""


@dataclass(frozen=True, slots=True)
class Tour:
    """What there is to show. `latencies` are seconds from publication to verdict, sorted."""

    account: Account
    machines: list[Machine]
    parity: Parity
    latencies: list[float]


@dataclass(frozen=True, slots=True)
class Screen:
    """What is shown while it runs; all may be called from another thread than the caller's."""

    published: Callable[[Progress], None]
    left: Callable[[int], None]
    anomaly: Callable[[ScoreEvent], None]


def run(settings: Settings, fleet: Fleet, screen: Screen) -> Tour:
    """Replay the fleet once through a running pipeline and account for every reading of it.

    Raises:
        UnavailableError: the pipeline does not move, or a server is not there.
        UnfinishedError: not all was published; run again.
    """
    before, scores = counts(settings), span.held(settings, settings.topics.scores)
    MANIFEST.unlink(missing_ok=True)  # each demonstration is a whole pass, resumed by none
    begun = time.monotonic()
    with _anomalies(settings, screen.anomaly):
        done = kafka.replay(settings, fleet, manifest=MANIFEST, on_progress=screen.published)
        _wait_until_stored(settings, screen.left)
    seconds = time.monotonic() - begun
    sensor_ids = [fleet.sensor_id(engine) for engine in fleet.slices]
    verdicts = stored(settings, sensor_ids, done.origin)
    account = settle(
        fleet,
        published=done.published,
        counts=counts(settings) - before,
        stored=verdicts.anomalous,
        rows=verdicts.rows,
        wanted=expected(fleet, settings.window.length),
        seconds=seconds,
    )
    production = load_production(settings)
    rule = production.card.alarm or settings.anomaly.alarm
    machines = judge(fleet, verdicts.anomalous, rule, settings.anomaly.label_rul)
    parity = compare(fleet, settings.window.length, production, verdicts.scores)
    return Tour(account, machines, parity, latencies(settings, scores))


def save(account: Account) -> None:
    """Write `.local/demo.json`."""
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(account.document(), indent=2) + "\n", encoding="utf-8")


def _wait_until_stored(settings: Settings, show: Callable[[int], None]) -> None:
    best, since = behind(settings), time.monotonic()
    while best > 0:
        time.sleep(_LOOK_EVERY_SEC)
        left = behind(settings)
        show(left)
        if left != best:
            best, since = left, time.monotonic()
        elif time.monotonic() - since > _PATIENCE_SEC:
            raise UnavailableError(
                f"{left:,} messages wait and nothing moves; `plantwatch status` shows who is down"
            )


@contextmanager
def _anomalies(settings: Settings, show: Callable[[ScoreEvent], None]) -> Iterator[None]:
    """Show the anomalies topic from now on, for the length of the block."""
    over = threading.Event()

    def follow() -> None:
        topic = settings.topics.anomalies
        for value in tail(settings, topic, from_beginning=False, should_stop=over.is_set):
            show(score_event_from_bytes(value))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

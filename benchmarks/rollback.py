"""How long a change of the production model takes, on a pipeline that is up, while readings flow.

Counted from just before the alias is moved in the registry to the first verdict by the other model
being read from `scores`.
"""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Final

from connections.groups import behind
from connections.tail import tail
from data.fleet import Fleet
from models import registry
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.messages import score_event_from_bytes
from plantwatch.settings import Settings
from producers import kafka

MANIFEST: Final = Path(".local/replay/rollback.json")
_ROWS_PER_SEC: Final = 4.0
"""Of each engine, so that verdicts come every few milliseconds, and nobody is saturated."""
_PATIENCE_SEC: Final = 60.0


def run(settings: Settings, fleet: Fleet, moves: int) -> Iterator[float]:
    """Move the alias `moves` times between the two newest versions; yield the seconds of each.

    In the end production is what it was, and everything published is scored and stored.

    Raises:
        ConfigError: the registry has not two versions.
        UnavailableError: a model did not come into use, or the pipeline stands still.
    """
    found = registry.list_versions(settings)
    versions = {one.digest: one.version for one in found[:2]}
    before = next((one.version for one in found if one.production), None)
    if len(versions) == 1 or before is None:
        raise ConfigError("a rollback needs two versions, one in production; run `make train`")
    try:
        with _flow(settings, fleet), closing(_digests(settings)) as digests:
            now, rng = next(digests), Random(0)
            for _ in range(moves):
                other = next(one for one in versions if one != now)
                _let_pass(digests, rng.uniform(0, 2 * settings.model.refresh_sec))
                began = time.monotonic()
                registry.set_production(settings, versions[other])
                _await(digests, other)
                yield time.monotonic() - began
                now = other
    finally:
        registry.set_production(settings, before)
    _come_to_rest(settings)


@contextmanager
def _flow(settings: Settings, fleet: Fleet) -> Iterator[None]:
    """Whole passes of the fleet, as its machines would send them, for the length of the block."""
    over = threading.Event()

    def publish() -> None:
        while not over.is_set():
            kafka.replay(settings, fleet, speed=_ROWS_PER_SEC, manifest=MANIFEST)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _digests(settings: Settings) -> Generator[str, None, None]:
    """The model of each verdict from now on."""
    topic = settings.topics.scores
    with closing(tail(settings, topic, from_beginning=False)) as values:
        for value in values:
            yield score_event_from_bytes(value).model_digest


def _let_pass(digests: Iterator[str], seconds: float) -> None:
    """Read on for a while: a move right after a swap would meet the worker at its look, always."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        next(digests)


def _await(digests: Iterator[str], wanted: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SEC
    for digest in digests:
        if digest == wanted:
            return
        if time.monotonic() > deadline:
            break
    raise UnavailableError("the other model did not come into use; `plantwatch status` shows why")


def _come_to_rest(settings: Settings) -> None:
    """Wait until the worker has committed past all readings, and the sink past all scores."""
    deadline = time.monotonic() + _PATIENCE_SEC
    while left := behind(settings):
        if time.monotonic() > deadline:
            raise UnavailableError(f"{left:,} messages wait; `plantwatch status` shows why")
        time.sleep(0.2)

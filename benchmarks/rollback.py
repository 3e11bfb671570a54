"""How long a change of the production model takes, on a pipeline that is up, while readings flow.

Counted from just before the alias is moved in the registry to the first verdict by the other model
being read from `scores`.
"""

import math
import statistics
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Final

from benchmarks import results
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
        with _flow(settings, fleet) as flow, closing(_Verdicts(settings, flow.done)) as verdicts:
            now, rng = verdicts.next(), Random(0)
            for _ in range(moves):
                other = next(one for one in versions if one != now)
                # A move right after a swap would meet the worker at its look, always.
                verdicts.read_for(rng.uniform(0, 2 * settings.model.refresh_sec))
                began = time.monotonic()
                registry.set_production(settings, versions[other])
                verdicts.await_model(other)
                yield time.monotonic() - began
                now = other
    finally:
        registry.set_production(settings, before)
    _come_to_rest(settings)


def save(seconds: Sequence[float], fleet: Fleet) -> None:
    """Write `.local/bench/rollback.json`: how many moves, and their seconds in short."""
    figures = {
        "moves": len(seconds),
        "readings_per_s": round(len(fleet.slices) * _ROWS_PER_SEC),
        "median_s": round(statistics.median(seconds), 2),
        "min_s": round(min(seconds), 2),
        "max_s": round(max(seconds), 2),
    }
    results.save("rollback", figures)


@contextmanager
def _flow(settings: Settings, fleet: Fleet) -> Iterator["Future[None]"]:
    """Whole passes of the fleet, as its machines would send them, for the length of the block.

    Raises:
        PlantwatchError: what ended the publishing, when the block ends.
    """
    over = threading.Event()

    def publish() -> None:
        while not over.is_set():
            kafka.replay(settings, fleet, speed=_ROWS_PER_SEC, manifest=MANIFEST)

    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(publish)
        try:
            yield published
        finally:
            over.set()
            published.result()  # sooner raised than that no verdict came for want of readings


class _Verdicts:
    """The digest of each verdict's model from now on; no wait for one lasts for ever."""

    def __init__(self, settings: Settings, no_more: Callable[[], bool]) -> None:
        """`no_more` says that nothing is published any more."""
        self._deadline = math.inf
        self._no_more = no_more
        self._digests = self._follow(settings)

    def next(self) -> str:
        """The digest of the next verdict's model.

        Raises:
            UnavailableError: none came in time.
        """
        self._deadline = time.monotonic() + _PATIENCE_SEC
        for digest in self._digests:
            return digest
        raise _stalled("no verdict came")

    def read_for(self, seconds: float) -> None:
        """Read on for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.next()

    def await_model(self, wanted: str) -> None:
        """Read on to the first verdict of the model with this digest.

        Raises:
            UnavailableError: none came in time.
        """
        self._deadline = time.monotonic() + _PATIENCE_SEC
        for digest in self._digests:
            if digest == wanted:
                return
        raise _stalled("the other model did not come into use")

    def close(self) -> None:
        self._digests.close()

    def _follow(self, settings: Settings) -> Generator[str, None, None]:
        topic, end = settings.topics.scores, self._at_end
        with closing(tail(settings, topic, from_beginning=False, should_stop=end)) as values:
            for value in values:
                yield score_event_from_bytes(value).model_digest

    def _at_end(self) -> bool:
        return self._no_more() or time.monotonic() > self._deadline


def _stalled(what: str) -> UnavailableError:
    return UnavailableError(f"{what}; `plantwatch status` shows why")


def _come_to_rest(settings: Settings) -> None:
    """Wait until the worker has committed past all readings, and the sink past all scores."""
    deadline = time.monotonic() + _PATIENCE_SEC
    while left := behind(settings):
        if time.monotonic() > deadline:
            raise UnavailableError(f"{left:,} messages wait; `plantwatch status` shows why")
        time.sleep(0.2)

"""A fleet replayed into Kafka: every row acknowledged, or known not to be and resumed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connections.kafka import ensure_topics
from data.fleet import Fleet
from plantwatch.settings import Settings
from producers import manifest as manifests
from producers import published
from producers import replay as rules
from producers.manifest import Manifest
from producers.run import Progress, Run


@dataclass(frozen=True, slots=True)
class Summary:
    """One finished pass.

    Attributes:
        published: readings acknowledged by this run; fewer than the pass has if it was resumed.
        seconds: from the first reading to the last acknowledgement.
        origin: microseconds since 1970; an engine's cycle c has event time origin + c seconds.
        manifest: the file that records the pass.
    """

    published: int
    seconds: float
    origin: int
    manifest: Path


def replay(
    settings: Settings,
    fleet: Fleet,
    engines: tuple[int, ...] | None = None,
    *,
    speed: float | None = None,
    manifest: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.time,
) -> Summary:
    """Publish one pass of `engines` (all, unless told); resume it if a run before left it undone.

    Blocks until every row is acknowledged. `speed` is in rows per second and engine, None is as
    fast as Kafka takes them. `clock` tells seconds since 1970: the pass ends about then.
    `on_progress` and `should_stop` are called some ten times a second or more.

    Raises:
        UnavailableError: no broker answers.
        UnfinishedError: stopped, or not acknowledged within `producer.drain_timeout_sec`, or Kafka
            refused a reading. The manifest knows how far it came: call again to go on.
        BadDataError: the manifest is unreadable.
    """
    ensure_topics(settings)
    engines = engines or tuple(fleet.slices)
    path = manifest or manifests.path_for(fleet, engines)
    begun = _begin(settings, fleet, engines, path, speed=speed, now=int(clock() * 1e6))
    run = Run(settings, fleet, begun, path, on_progress)
    started = time.monotonic()
    run.publish(speed, should_stop)
    return Summary(run.delivery.published, time.monotonic() - started, begun.origin, path)


def _begin(
    settings: Settings,
    fleet: Fleet,
    engines: tuple[int, ...],
    path: Path,
    *,
    speed: float | None,
    now: int,
) -> Manifest:
    """The unfinished pass of these rows on this cluster, else a new one after all before it."""
    seen = published.look(settings, {fleet.sensor_id(engine) for engine in engines})
    fresh = Manifest(
        cluster=seen.cluster,
        dataset=fleet.subset,
        split=fleet.split,
        engines=engines,
        source=fleet.source,
        data_hash=fleet.data_hash,
        origin=0,
        names=fleet.names,
    )
    found = manifests.load(path)
    if found is not None and found.continues(fresh):
        return found
    ends = [seen.until, None if found is None else found.published_until]
    until = max((end for end in ends if end is not None), default=None)
    cycles = max(fleet.slices[engine].stop - fleet.slices[engine].start for engine in engines)
    return fresh.model_copy(update={"origin": rules.pass_origin(now, cycles, speed, until)})

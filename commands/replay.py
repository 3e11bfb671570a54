"""`plantwatch replay`: publish a fleet's rows to Kafka, as machines would send them."""

import math
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from prometheus_client import Counter
from rich import progress as rich_progress
from rich.console import Console

from commands.chosen import Dataset, fleet_of, settings_for
from connections.prometheus import Exporter
from plantwatch import metrics
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from producers.kafka import Summary
    from producers.run import Progress

AS_FAST_AS_POSSIBLE = "max"


def replay(
    context: typer.Context,
    *,
    dataset: Dataset = None,
    split: Annotated[
        Literal["train", "test"],
        typer.Option(help="train runs every engine to failure, test stops before."),
    ] = "test",
    engines: Annotated[
        str | None, typer.Option(help="Which engines, as in 1,2,5-9; without it, all.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help="Rows a second of each engine; max: as fast as Kafka takes them.")
    ] = AS_FAST_AS_POSSIBLE,
    loop: Annotated[
        bool, typer.Option("--loop", help="Begin a new pass when one ends, until Ctrl-C.")
    ] = False,
) -> None:
    """Publish a fleet's rows to Kafka and wait until every one is acknowledged.

    All engines' cycle 1 go first, then all cycles 2, and so on. One cycle is one second of event
    time, and the last one is now, unless that would turn a machine's time back.

    The rows are those of your data set, or C-MAPSS: of the folder that CMAPSS_DIR names, else of
    data/raw, else downloaded, else simulated; the last line says which.

    \b
    plantwatch replay
    plantwatch replay --speed 10 --engines 1-5
    plantwatch replay --dataset FD002 --split train --loop

    Exit code 0: every row is acknowledged. 75: stopped half way, by Ctrl-C, SIGTERM or a broker
    that went away; the same command goes on from there.
    """
    # Here, not above: pandas and pandera take seconds, which no other command should wait for.
    from producers import kafka
    from producers.replay import select_engines

    settings, rate = settings_for(context, dataset), parse_speed(speed)
    stopping = _stopping()
    fleet = fleet_of(context, settings, split)
    chosen = select_engines(engines, fleet)
    counters = _counters(settings)
    while True:
        with _bar() as bar:
            observer = _Observer(bar, f"{fleet.subset} {split}", *counters)
            done = kafka.replay(
                settings,
                fleet,
                chosen,
                speed=rate,
                on_progress=observer,
                should_stop=stopping.is_set,
            )
        print(_summary(done, len(chosen), fleet.source), flush=True)
        if not loop or stopping.is_set():
            return


def _summary(done: "Summary", engines: int, source: str) -> str:
    return (
        f"{done.published:,} rows of {engines} engines in {done.seconds:.1f} s "
        f"({done.published / done.seconds:,.0f} rows/s), all acknowledged; source: {source}"
    )


def parse_speed(text: str) -> float | None:
    """Rows a second and engine; None for as fast as possible.

    Raises:
        ConfigError: the text is neither a number above 0 nor max.
    """
    if text == AS_FAST_AS_POSSIBLE:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise ConfigError(f"speed {text!r}: give a number above 0, or {AS_FAST_AS_POSSIBLE}")
    return speed


def _stopping() -> Event:
    """Set by the first SIGTERM or Ctrl-C; the second ends the process at once."""
    stopping = Event()

    def stop(number: int, _frame: object) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


def _counters(settings: Settings) -> tuple[Counter, Counter]:
    exporter = Exporter()
    exporter.start(settings.metrics, settings.producer.metrics_port, "PRODUCER_METRICS_PORT")
    return exporter.counter(metrics.READINGS_PUBLISHED), exporter.counter(metrics.PRODUCE_RETRIES)


def _bar() -> rich_progress.Progress:
    """Drawn on a terminal only."""
    return rich_progress.Progress(
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


class _Observer:
    """Draws and counts the progress of one pass."""

    def __init__(
        self, bar: rich_progress.Progress, label: str, published: Counter, retries: Counter
    ) -> None:
        self._bar = bar
        self._task = bar.add_task(label, total=None)
        self._counters = published, retries
        self._seen = 0, 0

    def __call__(self, progress: "Progress") -> None:
        self._bar.update(self._task, completed=progress.published, total=progress.total)
        now = progress.published, progress.retries
        for counter, value, seen in zip(self._counters, now, self._seen, strict=True):
            counter.inc(value - seen)
        self._seen = now

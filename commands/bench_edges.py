"""`plantwatch bench-edges`: sink, producer, start-up and memory, on servers of its own."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from commands.chosen import configs_of
from commands.tables import show, table
from plantwatch.configuration import environment, with_changes
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from benchmarks.stretch import Speed
    from data.fleet import Fleet

HEAD: Final = ("", "median", "range", "ratio to it", "target")


class Part(StrEnum):
    """What can be measured."""

    SINK = "sink"
    PRODUCER = "producer"
    START = "start"
    MEMORY = "memory"


def bench_edges(
    context: typer.Context,
    *,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each system, in turn.")] = 5,
    rows: Annotated[int, typer.Option(min=10_000, help="Scores that are stored.")] = 50_000,
    only: Annotated[
        list[Part] | None,
        typer.Option(help="Measure this part only, not all; may be repeated."),
    ] = None,
) -> None:
    """Compare sink and producer with a raw COPY and bare loops; time a start; weigh a machine.

    Starts its own Kafka and PostgreSQL on free ports; end other load first. A running stack is not
    touched. Writes `.local/bench/edges.json`.

    The rows are those of the folder that CMAPSS_DIR names, else of data/raw, else downloaded, else
    simulated; the last line says which.

    \b
    plantwatch bench-edges --only sink --only memory
    """
    # Here, not above: pandas and pandera take seconds, which no other command should wait for.
    from benchmarks import results
    from benchmarks.edges import report
    from data.lookup import load

    # SIGTERM ends it as Ctrl-C does, so that nothing is left running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings, configs = context.ensure_object(Settings), configs_of(context)
    # The child processes have a folder of their own.
    os.environ["PLANTWATCH_CONFIG"] = str(configs.resolve())
    fleet = load("FD002", "train", environment(), configs)
    with _bar() as bar:
        task = bar.add_task("starting", total=None)
        run = _Run(settings, fleet, rounds, rows, lambda words: bar.update(task, description=words))
        figures = run.measure(set(only or Part), configs)
    path = results.save("edges", figures)
    shown = table(*HEAD)
    for row in report.rows(figures):
        shown.add_row(*row)
    show(shown)
    typer.echo(f"{rounds} rounds, {fleet.subset} {fleet.split}: {fleet.source}; in {path}")


@dataclass(frozen=True)
class _Run:
    """One measurement of everything; `tell` is called with what is being done."""

    settings: Settings
    fleet: "Fleet"
    rounds: int
    rows: int
    tell: Callable[[str], None]

    def measure(self, parts: set[Part], configs: Path) -> dict[str, Any]:
        """The figures of the parts, as they are written."""
        from benchmarks.edges.stack import servers

        figures: dict[str, Any] = {"source": self.fleet.source, "rounds": self.rounds}
        if parts - {Part.MEMORY}:
            with servers(configs) as (settings, home):
                for part, of in (
                    (Part.SINK, self._sink),
                    (Part.PRODUCER, self._producer),
                    (Part.START, self._start),
                ):
                    if part in parts:
                        figures[part.value] = of(settings, home)
        if Part.MEMORY in parts:
            figures[Part.MEMORY.value] = self._memory()
        return figures

    def _sink(self, settings: Settings, home: Path) -> dict[str, Any]:
        from benchmarks.edges import report, sink, verdicts

        events = verdicts.events(self.fleet, self.rows, settings.anomaly.rule())
        readings = verdicts.readings(self.fleet, self.rows)
        runs = sink.run(settings, home, events, readings, self.rounds)
        return report.by_system(self._announced(runs), "row")

    def _producer(self, settings: Settings, home: Path) -> dict[str, Any]:
        from benchmarks.edges import producer, report
        from benchmarks.isolation import isolated_topics

        own = isolated_topics(settings, "producer")
        runs = producer.run(own, home, self.fleet, self.rounds)
        return report.by_system(self._announced(runs), "reading")

    def _start(self, settings: Settings, home: Path) -> dict[str, Any]:
        from benchmarks.edges import start
        from faults.trained import train

        self.tell("training a model")
        own = with_changes(settings, "model", cache=home / "models")
        train(self.fleet, own, own.model.cache)
        self.tell("starting workers")
        seconds = list(start.run(own, home, self.fleet, self.rounds))
        return {"first_verdict_s": seconds, "imported": list(start.imported(own, home))}

    def _memory(self) -> dict[str, Any]:
        from benchmarks.edges import memory

        self.tell("filling histories")
        sizes = {str(count): memory.bytes_per_machine(count) for count in memory.READINGS}
        return {"bytes_per_machine": sizes}

    def _announced(self, runs: "Iterable[tuple[str, Speed]]") -> "Iterator[tuple[str, Speed]]":
        """The same runs, each announced as it comes."""
        for system, one in runs:
            self.tell(f"{system}: {one.per_s:,.0f} a second")
            yield system, one


def _bar() -> Progress:
    """Drawn on a terminal only."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )

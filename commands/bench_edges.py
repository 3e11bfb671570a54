"""`plantwatch bench-edges`: sink, producer, start-up and memory, on servers of its own."""

import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from plantwatch.configuration import environment
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from data.fleet import Fleet


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
        list[Part] | None, typer.Option(help="Measure this part only; may be repeated.")
    ] = None,
) -> None:
    """Compare sink and producer with a raw COPY and a bare loop; time a start; weigh a machine.

    Starts its own Kafka and PostgreSQL on free ports; end other load first. A running stack is not
    touched. Writes `.local/bench/edges.json`.

    The rows are those of the folder that CMAPSS_DIR names, else of data/raw, else downloaded, else
    simulated; the last line says which.
    """
    # Here, not above: pandas and pandera take seconds, which no other command should wait for.
    from benchmarks.edges import report  # noqa: PLC0415
    from data.lookup import load  # noqa: PLC0415

    # SIGTERM ends it as Ctrl-C does, so that nothing is left running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings, configs = context.ensure_object(Settings), context.find_root().params["config"]
    fleet = load("FD002", "train", environment(), configs)
    console = Console(width=100, highlight=False)
    parts = set(only or Part)
    with console.status("starting") if console.is_terminal else _Silent() as status:
        figures = _measured(parts, settings, configs.resolve(), fleet, rounds, rows, status.update)
    report.save(figures)
    table = Table("", "median", "range", "ratio", "target", box=box.SIMPLE)
    for row in report.rows(figures):
        table.add_row(*row)
    console.print(table)
    console.print(
        f"{rounds} rounds, {fleet.subset} {fleet.split}: {fleet.source}; in {report.RESULT}"
    )

"""`plantwatch bench-pipeline`: what the whole pipeline bears on this machine, and how it grows."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from commands.chosen import Detector, configs_of
from commands.tables import WIDTH
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from benchmarks.laboratory import Laboratory
    from benchmarks.sustained import Sustained

_EVERYDAY: Final = 500.0
"""Readings a second of the latencies that the contract speaks of."""


def bench_pipeline(
    context: typer.Context,
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long each rate is held.")] = 20.0,
    model: Detector = "lstm_ae",
) -> None:
    """Find the highest rate from producer to PostgreSQL that holds, and what each stage costs.

    Starts its own Kafka, PostgreSQL, workers and sink on free ports, with a model trained in a
    moment, so nothing that runs is touched; end other load first. First: latencies at 500
    readings/s from 100, 10,000 and 100,000 machines, and with fewer partitions and no waiting for
    company; after it: at half of the highest rate, then 1, 2 and 4 workers in a group, and how a
    worker grows with its machines.

    Writes `.local/bench/pipeline.json`.

    \b
    plantwatch bench-pipeline --seconds 10 --model direction_mixture
    """
    # Here, not above: these take seconds to import, which no other command should wait for.
    from benchmarks import results
    from benchmarks.laboratory import laboratory

    settings, configs = context.ensure_object(Settings), configs_of(context)
    console = Console(highlight=False, width=WIDTH)
    with laboratory(settings, configs, model) as made:
        figures = _run(made, settings, seconds, console)
    path = results.save("pipeline", {"model": model} | figures)
    console.print(f"{model}; simulated machines; written to {path}")


def _run(
    made: "Laboratory", settings: Settings, seconds: float, console: Console
) -> dict[str, Any]:
    from benchmarks import fleets, pipeline, scale_out

    burst = pipeline.burst(made)  # first, for a broker's code is slow when it is new
    everyday = [pipeline.sustain(made, _EVERYDAY, seconds, machines) for machines in fleets.SIZES]
    everyday.append(pipeline.sustain(made, _EVERYDAY, seconds, environ=pipeline.LOW_LATENCY))
    _table(console, everyday)
    tried = list(pipeline.highest(made, burst.readings_per_s, seconds))
    half = pipeline.sustain(made, round(tried[-1].rate / 2, -1), seconds)
    _table(console, rates := [half, *tried])
    groups = []
    for group in scale_out.scale(made):
        groups.append(group)
        console.print(
            f"{group.workers} workers  {group.readings_per_s:>7,.0f} readings/s  "
            f"{group.cpu_us_per_reading:.0f} us of CPU a reading"
        )
    grown = []
    for fleet in fleets.grow(settings, made.fleet, made.home / "models"):
        grown.append(fleet)
        console.print(
            f"{fleet.machines:>7,} machines  {fleet.readings_per_s:>7,.0f} readings/s  "
            f"{fleet.memory_mb:,.0f} MB, {fleet.bytes_per_machine:,.0f} bytes each"
        )
    return {
        "burst": burst._asdict(),
        "rates": [asdict(one) for one in [*everyday, *rates]],
        "workers": [group._asdict() for group in groups],
        "fleets": [fleet._asdict() for fleet in grown],
    }


def _table(console: Console, rates: "list[Sustained]") -> None:
    from benchmarks.sustained import HEADS, cells

    table = Table(box=box.SIMPLE, title="p50 / p95 / p99 from publication; CPU, us a reading")
    for heading in HEADS:
        table.add_column(heading, justify="right")
    for one in rates:
        table.add_row(*cells(one))
    console.print(table)

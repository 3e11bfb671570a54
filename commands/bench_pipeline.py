"""`plantwatch bench-pipeline`: what the whole pipeline bears on this machine, and how it grows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from models.card import ModelType
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from benchmarks.laboratory import Laboratory
    from benchmarks.pipeline import Sustained

RESULT: Final = Path(".local/bench/pipeline.json")
_EVERYDAY: Final = 500.0
"""Readings a second of the latencies that the contract speaks of."""


def bench_pipeline(
    context: typer.Context,
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long each rate is held.")] = 20.0,
    model: Annotated[ModelType, typer.Option(help="Type of the model.")] = "lstm_ae",
) -> None:
    """Find the highest rate from producer to PostgreSQL that holds, and what each stage costs.

    Starts its own Kafka, PostgreSQL, workers and sink on free ports, with a model trained in a
    moment, so nothing that runs is touched; end other load first. Then: latencies at 500 readings/s
    and at half of the highest rate; 1, 2 and 4 workers in a group; 100 to 100,000 machines.
    Writes `.local/bench/pipeline.json`.
    """
    # Here, not above: these take seconds to import, which no other command should wait for.
    from benchmarks.laboratory import laboratory  # noqa: PLC0415

    settings, configs = context.ensure_object(Settings), context.find_root().params["config"]
    console = Console(highlight=False)
    with laboratory(settings, configs, model) as made:
        figures = _run(made, settings, seconds, console)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"model": model} | figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"{model}; simulated machines; written to {RESULT}")


def _run(
    made: "Laboratory", settings: Settings, seconds: float, console: Console
) -> dict[str, Any]:
    from benchmarks import fleets, pipeline, scale_out  # noqa: PLC0415

    everyday = pipeline.sustain(made, _EVERYDAY, seconds)
    burst = pipeline.at_once(made)
    tried = list(pipeline.highest(made, burst.readings_per_s, seconds))
    half = pipeline.sustain(made, round(tried[-1].rate / 2, -1), seconds)
    rates = [everyday, half, *tried]
    _table(console, rates)
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
        "burst_readings_per_s": round(burst.readings_per_s),
        "row_bytes": round(burst.row_bytes),
        "rates": [pipeline.document(one) for one in rates],
        "workers": [group._asdict() for group in groups],
        "fleets": [fleet._asdict() for fleet in grown],
    }


def _table(console: Console, rates: "list[Sustained]") -> None:
    table = Table(
        box=box.SIMPLE,
        title="Milliseconds from publication to verdict and to stored; CPU, us a reading",
    )
    stages = list(rates[0].cpu_us)
    for heading in ("readings/s", "held", "p50", "p95", "p99", "stored", *stages, "worker MB"):
        table.add_column(heading, justify="right")
    for one in rates:
        table.add_row(
            f"{one.rate:,.0f}",
            "yes" if one.held else "no",
            *(f"{ms:,.0f}" for ms in (*one.score_ms, one.stored_mean_ms)),
            *(f"{one.cpu_us[stage]:,.0f}" for stage in stages),
            f"{one.worker_mb:,.0f}",
        )
    console.print(table)

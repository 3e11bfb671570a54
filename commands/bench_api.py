"""`plantwatch bench-api`: the HTTP API under rising load, beside a bare server."""

from statistics import median
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from commands.chosen import Detector, configs_of
from commands.tables import WIDTH
from plantwatch.settings import Settings


def bench_api(
    context: typer.Context,
    *,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each server flat out, in turn.")] = 5,
    model: Detector = "lstm_ae",
) -> None:
    """Put the API under rising load on one core, beside onnxruntime behind uvicorn and no more.

    Starts servers of its own, with a model trained in a moment, so nothing that runs is touched;
    end other load first. Needs Linux and two cores: one for the server, one for who asks. First the
    latencies at rising rates, then a batch of as many windows as one may have beside single ones,
    200 clients at once, and both servers flat out in turn.

    Writes `.local/bench/api.json` and a plot beside it.

    \b
    plantwatch bench-api
    plantwatch bench-api --model isolation_forest --rounds 3
    """
    # Here, not above: these take seconds to import, which no other command should wait for.
    from benchmarks import results
    from benchmarks.http.bench import run
    from benchmarks.http.plot import plot

    settings, configs = context.ensure_object(Settings), configs_of(context)
    console = Console(highlight=False, width=WIDTH)
    with console.status("starting ...") as spinner:
        figures = run(settings, configs, model, rounds, spinner.update)
    path = results.save("api", figures)
    picture = path.with_suffix(".png")
    plot(figures, picture)
    for head, *rows in (rates(figures), compared(figures)):
        table = Table(*head, box=box.SIMPLE)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    console.print(f"{model}; simulated machines; written to {path} and {picture}")


def rates(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """Latencies at rising rates; the heads first."""
    rows = [
        (
            f"{one['wanted']:,.0f}",
            f"{one['held']:,.0f}",
            f"{one['p50']:.1f}",
            f"{one['p99']:.1f}",
            str(one["failed"]),
        )
        for one in figures["rates"]
    ]
    return [("requests/s", "answered/s", "p50, ms", "p99, ms", "5xx"), *rows]


def compared(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """What was promised beside what was measured; the heads first."""
    flat, many = figures["flat_out"], figures["many"]
    ratios = [a / b for a, b in zip(flat["plantwatch"], flat["bare"], strict=True)]
    ours, bare = median(flat["plantwatch"]), median(flat["bare"])
    everyday = figures["rates"][0]
    batch, one = median(figures["batch_ms"]), median(figures["one_ms"])
    failed = many["failed"] + sum(rate["failed"] for rate in figures["rates"])
    by_bare = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    return [
        ("", "measured", "target"),
        ("p50 at 50 requests/s", f"{everyday['p50']:.1f} ms", "5 ms"),
        ("p99 at 50 requests/s", f"{everyday['p99']:.1f} ms", "25 ms"),
        (
            f"a batch of {figures['batch']} by one",
            f"{batch:.0f} ms by {one:.1f} ms: {batch / one:.0f}",
            "10",
        ),
        ("flat out, requests/s", f"{ours:,.0f}", "-"),
        ("the bare server, requests/s", f"{bare:,.0f}", "-"),
        ("flat out by the bare server", by_bare, "0.6"),
        (
            f"{many['clients']} clients at once",
            f"{many['per_s']:,.0f} requests/s, p99 {many['p99']:.0f} ms",
            "-",
        ),
        ("answered with 5xx", str(failed), "0"),
    ]

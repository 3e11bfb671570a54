"""`plantwatch bench-page`: how soon the live page shows a fleet."""

from statistics import median
from typing import Annotated

import typer

from commands.chosen import configs_of
from plantwatch.settings import Settings


def bench_page(
    context: typer.Context,
    *,
    machines: Annotated[int, typer.Option(min=1, help="Made-up machines.")] = 1000,
    cycles: Annotated[int, typer.Option(min=1, help="Verdicts and readings of each.")] = 300,
    looks: Annotated[int, typer.Option(min=1, help="Looks at the fleet, and at a machine.")] = 5,
) -> None:
    """Time the live page's first sight of a fleet, and of a machine, in a real browser.

    Starts its own PostgreSQL and page on free ports; end other load first. Each look is a
    newcomer's: nothing is cached in the browser. Needs Chromium. Writes `.local/bench/page.json`.

    \b
    plantwatch bench-page --machines 200 --looks 3
    """
    # Here, not above: no other command should wait for them.
    from benchmarks import results
    from benchmarks.page import look, stored

    context.ensure_object(Settings)
    with stored(configs_of(context), machines, cycles) as settings:
        found = look(settings, machines, looks)
    sights = {f"fleet of {machines:,}": found.fleet, "one machine": found.machine}
    for what, seconds in sights.items():
        typer.echo(f"{what:<18} first sight after {spread(seconds)}")
    results.save("page", sights)


def spread(seconds: list[float]) -> str:
    """Median and range in words."""
    return f"{median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f})"

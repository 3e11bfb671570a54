"""`plantwatch doctor`: whether this machine can run the stack, and what to do where it cannot."""

from typing import Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from commands.chosen import configs_of
from commands.tables import WIDTH
from plantwatch.configuration import environment
from plantwatch.settings import Settings

STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(context: typer.Context) -> None:
    """Check Python, libraries, Java, Kafka, PostgreSQL, disk, memory, ports, data and the stack.

    Downloads, starts and changes nothing. Exit code 0: nothing fails; 1: do what the table says.
    """
    # Here, not above: the datasets need pandas, which no other command should wait for.
    from local_stack.doctor import Health, examine

    settings, configs = context.ensure_object(Settings), configs_of(context)
    found = list(examine(settings, environment(), configs))
    table = Table("check", "state", box=box.SIMPLE)
    table.add_column("detail", overflow="fold")
    table.add_column("what to do", overflow="fold")
    for one in found:
        health = Text(one.health, STYLES[one.health])
        table.add_row(one.check, health, Text(one.detail), Text(one.advice))
    Console(width=min(WIDTH, Console().width), highlight=False).print(table)
    counts = {health: sum(one.health is health for one in found) for health in Health}
    typer.echo(", ".join(f"{count} {health}" for health, count in counts.items()))
    raise typer.Exit(1 if counts[Health.FAIL] else 0)

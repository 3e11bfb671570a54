"""What the commands about incidents share: who acts, how times are read, how wide a table is."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

WIDTH: Final = 100
SECONDS: Final = "%Y-%m-%d %H:%M:%S"


def _named(who: str) -> str:
    if not who.strip():
        raise typer.BadParameter("say who you are")
    return who.strip()


By = Annotated[
    str, typer.Option(envvar="USER", callback=_named, help="Who does it, as others read it.")
]


def in_utc(instant: datetime | None) -> datetime | None:
    """A time from the command line, which knows no zone, as the UTC that it is meant in."""
    return None if instant is None else instant.replace(tzinfo=UTC)


def table(*columns: str, title: str | None = None) -> Table:
    """A table without lines; names of machines and notes are other people's text, no markup."""
    return Table(*columns, title=title, title_justify="left", box=box.SIMPLE)


def show(shown: Table) -> None:
    Console(width=WIDTH, highlight=False, markup=False).print(shown)

"""How wide a table is, and how it looks."""

from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH: Final = 100


def table(*columns: str, title: str | None = None, right: tuple[int, ...] = ()) -> Table:
    """A table without lines; the columns `right`, counted from 0, are numbers."""
    made = Table(*columns, title=title, title_justify="left", box=box.SIMPLE)
    for column in right:
        made.columns[column].justify = "right"
    return made


def show(shown: Table) -> None:
    """Print it. Names of machines and notes are other people's text: no markup is looked for."""
    Console(width=WIDTH, highlight=False, markup=False).print(shown)

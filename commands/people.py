"""What the commands about incidents share: who acts, and how times are read."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

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

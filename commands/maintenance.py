"""`plantwatch maintenance`: say when a machine is worked on, so that it raises nothing."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from commands.people import SECONDS, By, in_utc
from commands.tables import show, table
from connections.postgres import session
from dead_letters.show import plain
from incidents import maintenance
from plantwatch.errors import ConfigError

app = typer.Typer(
    help="Say when a machine is worked on: until a window of readings after it raises nothing.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(metavar="N", help="The window's number.")]


@app.command()
def add(
    context: typer.Context,
    by: By,
    sensor_id: Annotated[str, typer.Option(help="The machine, such as FD001-engine-001.")],
    reason: Annotated[str, typer.Option(help="What is done, for those who wonder.")],
    *,
    start: Annotated[
        datetime | None, typer.Option(help="In UTC; without it, now.", metavar="TIME")
    ] = None,
    end: Annotated[datetime | None, typer.Option(help="In UTC.", metavar="TIME")] = None,
    hours: Annotated[
        float | None, typer.Option(help="How long, instead of --end.", min=0.001)
    ] = None,
) -> None:
    """Put a machine under maintenance: it is scored and stored as ever, and raises nothing.

    Times are those of its readings. It stays muted until a whole window of readings (30, unless
    your data set says otherwise) lies behind the end; an open incident is closed.

    \b
    plantwatch maintenance add --sensor-id FD001-engine-034 --hours 4 --reason "bearing"
    plantwatch maintenance add --sensor-id FD001-engine-034 --reason "overhaul" \\
        --start 2026-12-01T06:00:00 --end 2026-12-02T18:00:00
    """
    starts_at = in_utc(start) or datetime.now(UTC)
    if (end is None) == (hours is None):
        raise ConfigError("give either --end, a time in UTC, or --hours")
    ends_at = in_utc(end) or starts_at + timedelta(hours=hours or 0)
    with session(context.obj, "operator") as connection:
        made = maintenance.add(connection, sensor_id, starts_at, ends_at, reason=reason, by=by)
    typer.echo(
        f"maintenance {made.id}: {plain(sensor_id)} raises nothing from "
        f"{made.starts_at:{SECONDS}} to {made.ends_at:{SECONDS}} UTC"
    )


@app.command("list")
def show_all(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Past ones, too.")] = False,
    sensor_id: Annotated[str | None, typer.Option(help="Only of this machine.")] = None,
) -> None:
    """List what is under maintenance, and what will be.

    \b
    plantwatch maintenance list
    plantwatch maintenance list --all --sensor-id FD001-engine-034
    """
    now = datetime.now(UTC)
    with session(context.obj, "reader") as connection:
        found = maintenance.listed(connection, sensor_id, None if everything else now)
    if not found:
        typer.echo("no maintenance" if everything else "no maintenance; --all shows past ones")
        return
    shown = table("N", "machine", "from (UTC)", "to", "reason", "who", right=(0,))
    for one in found:
        times = f"{one.starts_at:{SECONDS}}", f"{one.ends_at:{SECONDS}}"
        machine, reason, who = map(plain, (one.sensor_id, one.reason, one.created_by))
        shown.add_row(str(one.id), machine, *times, reason, who)
    show(shown)


@app.command()
def end(
    context: typer.Context,
    number: Number,
    at: Annotated[
        datetime | None, typer.Option(help="In UTC; without it, now.", metavar="TIME")
    ] = None,
) -> None:
    """End maintenance before its time; what has not begun is called off.

    \b
    plantwatch maintenance end 3
    plantwatch maintenance end 3 --at 2026-12-01T12:00:00
    """
    with session(context.obj, "operator") as connection:
        ended = maintenance.end(connection, number, in_utc(at) or datetime.now(UTC))
    window = f"maintenance {ended.id} of {plain(ended.sensor_id)}"
    if ended.called_off:
        typer.echo(f"{window} is called off")
    else:
        typer.echo(f"{window} ends at {ended.ends_at:{SECONDS}} UTC")

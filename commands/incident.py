"""`plantwatch incident`: what is wrong now, and what people say of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.people import SECONDS, By, in_utc
from commands.tables import show, table
from connections.postgres import session
from dead_letters.show import plain
from incidents import feedback, queries
from incidents.precision import precision
from incidents.queries import Choice, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from incidents.queries import Incident

app = typer.Typer(
    help="See which machines are failing, say that you are at it, and whether the alarm was right.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(metavar="N", help="The incident's number.")]
Note = Annotated[str | None, typer.Option(help="What was found, for those who come after.")]


@app.command("list")
def show_all(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    sensor_id: Annotated[str | None, typer.Option(help="Only of this machine.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only `warning`, or `critical`.")] = None,
    unacknowledged: Annotated[
        bool, typer.Option("--unacknowledged", help="Only those that nobody is at.")
    ] = False,
    since: Annotated[
        datetime | None, typer.Option(help="Only those still going on then, or later, in UTC.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """List open incidents, what needs somebody first; then how precise the alarms were.

    \b
    plantwatch incident list
    plantwatch incident list --all --sensor-id FD001-engine-034
    plantwatch incident list --all --since 2026-11-27T00:00:00
    """
    closed = None if everything else False
    acknowledged = False if unacknowledged else None
    choice = Choice(sensor_id, severity, closed, acknowledged, in_utc(since))
    with session(context.obj, "reader") as connection:
        found = queries.listed(connection, choice, limit)
        alarm_precision = precision(connection)
    if found:
        _show_table(found)
    else:
        typer.echo("no incidents" if everything else "no open incidents; --all shows closed ones")
    if len(found) == limit:
        typer.echo(f"these are the first {limit}; --limit shows more")
    typer.echo(f"alarm precision  {alarm_precision}")


@app.command("show")
def show_one(context: typer.Context, number: Number) -> None:
    """Show all that is known of an incident, and what can be done about it.

    \b
    plantwatch incident show 12
    """
    with session(context.obj, "reader") as connection:
        found = queries.one(connection, number)
    typer.echo("\n".join(_lines(found)))


@app.command()
def ack(context: typer.Context, number: Number, by: By) -> None:
    """Say that you are at it. If somebody was first, you are told who, and when.

    \b
    plantwatch incident ack 12
    plantwatch incident ack 12 --by "Ada, night shift"
    """
    with session(context.obj, "operator") as connection:
        found = feedback.acknowledge(connection, number, by)
    typer.echo(f"incident {found.id} of {plain(found.sensor_id)} is yours, {plain(by)}")


@app.command()
def close(context: typer.Context, number: Number, by: By, note: Note = None) -> None:
    """Close an open incident that was real; it would close by itself when the machine recovers.

    The machine is judged afresh: if it goes on failing, another incident opens.

    \b
    plantwatch incident close 12 --note "bearing changed"
    """
    with session(context.obj, "operator") as connection:
        found = feedback.close(connection, number, by, note)
    typer.echo(f"incident {found.id} of {plain(found.sensor_id)} is closed")


@app.command("false-alarm")
def false_alarm(
    context: typer.Context,
    number: Number,
    by: By,
    *,
    real: Annotated[bool, typer.Option("--real", help="It was none, after all.")] = False,
    note: Note = None,
) -> None:
    """Say that an incident was a false alarm; an open one is closed by it.

    What is said here, and by `close`, makes the alarm precision that `list` ends with.

    \b
    plantwatch incident false-alarm 12 --note "sensor 11 was being calibrated"
    plantwatch incident false-alarm 9 --real        # closed by itself, and it was right
    """
    with session(context.obj, "operator") as connection:
        found = feedback.judge(connection, number, by, false_alarm=not real, note=note)
        alarm_precision = precision(connection)
    typer.echo(f"incident {found.id} of {plain(found.sensor_id)} is called {found.judgement}")
    typer.echo(f"alarm precision  {alarm_precision}")


def _show_table(found: "Sequence[Incident]") -> None:
    columns = ("N", "machine", "severity", "opened (UTC)", "cycles", "peak", "sensors", "who")
    shown = table(*columns, right=(0, 5))
    for one in found:
        shown.add_row(
            str(one.id),
            plain(one.sensor_id),
            one.severity,
            f"{one.opened_at:{SECONDS}}",
            f"{one.opened_cycle}-{one.last_cycle}",
            f"{one.peak_score:.3f}",
            " ".join(str(sensor.sensor) for sensor in one.top_sensors),
            _who(one),
        )
    show(shown)


def _who(one: "Incident") -> str:
    """Who is at it, or how it ended."""
    if one.phase is Phase.CLOSED:
        return one.judgement or f"closed: {one.closed_why}"
    return plain(one.acknowledged_by or "nobody yet")


def _lines(one: "Incident") -> "Iterator[str]":
    unseen = "  in an operating regime that training never saw: the score means little"
    yield f"incident {one.id}, {plain(one.sensor_id)}, {one.severity}, {one.phase}"
    yield f"  opened        {one.opened_at:{SECONDS}} UTC, cycle {one.opened_cycle}"
    if one.escalated_at:
        yield f"  critical      since {one.escalated_at:{SECONDS}} UTC"
    yield f"  last verdict  {one.last_at:{SECONDS}} UTC, cycle {one.last_cycle}"
    yield f"  peak          {one.peak_score:.3f} at cycle {one.peak_cycle}, threshold 0.5"
    yield f"  anomalies     {one.anomalies:,}"
    yield f"  sensors       {queries.in_words(one.top_sensors) or 'not told by this model'}"
    yield f"  regime        {'' if one.regime is None else one.regime}{unseen * one.unseen_regime}"
    yield f"  model         {one.model_version}, digest {one.model_digest}"
    place = f"partition {one.source_partition}, offsets {one.first_offset} to {one.last_offset}"
    yield f"  readings      {place}"
    if one.acknowledged_by:
        yield f"  acknowledged  {one.acknowledged_at:{SECONDS}} UTC by {plain(one.acknowledged_by)}"
    if one.closed_at:
        by = f" by {plain(one.closed_by)}" if one.closed_by else ""
        yield f"  closed        {one.closed_at:{SECONDS}} UTC{by}: {one.closed_why}"
    if one.false_alarm is not None:
        yield f"  judged        {one.judgement}"
    if one.note:
        yield f"  note          {plain(one.note)}"
    yield f"next: {_next(one)}"


def _next(one: "Incident") -> str:
    again = f"plantwatch reproduce --incident {one.id}"
    match one.phase:
        case Phase.OPEN:
            return f"plantwatch incident ack {one.id}, or {again}"
        case Phase.ACKNOWLEDGED:
            return f"plantwatch incident close {one.id}, or false-alarm {one.id}"
        case Phase.CLOSED if one.false_alarm is None:
            return f"plantwatch incident false-alarm {one.id}, --real if it was none; or {again}"
    return again

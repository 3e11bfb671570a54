"""`plantwatch reproduce`: a stored verdict, computed again."""

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from plantwatch.errors import BadDataError, ConfigError, PlantwatchError
from plantwatch.instants import to_iso, to_microseconds
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from incidents.queries import Incident
    from reproduce.stored import Row
    from reproduce.verdict import Reproduced


def reproduce(
    context: typer.Context,
    sensor_id: Annotated[
        str | None, typer.Option(help="The machine, such as FD001-engine-001.")
    ] = None,
    cycle: Annotated[
        int | None, typer.Option(help="The cycle of the window's last reading.")
    ] = None,
    incident: Annotated[
        int | None, typer.Option(metavar="N", help="All verdicts of an incident, instead.")
    ] = None,
) -> None:
    """Compute stored verdicts again from the readings on Kafka and the models that they name.

    A machine that was at this cycle several times has several verdicts; all are reproduced.

    \b
    plantwatch reproduce --sensor-id FD001-engine-034 --cycle 185
    plantwatch reproduce --incident 12

    Exit code 0: each score is the stored one, within 1e-6. 1: one is not. 65: the readings are gone
    (retention) or others. 69, 78: the model, or a server, is nowhere.
    """
    settings = context.ensure_object(Settings)
    if incident is not None and sensor_id is None and cycle is None:
        raise typer.Exit(_incident(settings, incident))
    if incident is not None or sensor_id is None or cycle is None:
        raise ConfigError("give either --sensor-id and --cycle, or --incident")
    rows = stored_rows(settings, sensor_id, cycle)
    raise typer.Exit(max(_again(settings, row) for row in rows))


def _incident(settings: Settings, number: int) -> int:
    """Reproduce all verdicts between an incident's offsets; the exit code."""
    from connections.postgres import session
    from incidents import queries
    from reproduce import stored, verdict

    with session(settings, "reader") as connection:
        found = queries.one(connection, number)
    offsets = range(found.first_offset, found.last_offset + 1)
    rows = stored.stretch(settings, found.sensor_id, found.source_partition, offsets)
    if not rows:
        raise BadDataError(
            f"anomaly_events has no verdict between the offsets of incident {number}; somebody "
            "has deleted them"
        )
    results = verdict.reproduce_run(settings, rows)
    typer.echo("\n".join(_incident_lines(found, results, settings)))
    return 0 if all(one.agrees for one in results) else 1


def _incident_lines(
    found: "Incident", results: "Sequence[Reproduced]", settings: Settings
) -> "Iterator[str]":
    worst = max(results, key=lambda one: abs(one.difference))
    differing = sum(not one.agrees for one in results)
    models = dict.fromkeys((one.row.model_version, one.row.model_digest) for one in results)
    yield f"incident {found.id}, {found.sensor_id}, {found.severity}, {found.phase}"
    yield (
        f"  verdicts    {len(results):,}, cycles {runs(sorted({one.row.cycle for one in results}))}"
    )
    yield (
        f"  difference  {abs(worst.difference):.3g} at most, at cycle {worst.row.cycle}"
        + (f"; {differing:,} ARE NOT THE SAME" if differing else "")
    )
    yield (
        f"  from        {settings.topics.readings}, partition {found.source_partition}, "
        f"offsets {found.first_offset} to {found.last_offset}"
    )
    for version, digest in models:
        yield f"  model       {version}, digest {digest}"


def stored_rows(settings: Settings, sensor_id: str, cycle: int) -> "list[Row]":
    """The verdicts on a machine at a cycle; at least one.

    Raises:
        BadDataError: there is none; the caller exits.
    """
    # Here, not above: onnxruntime takes a second, which no other command should wait for.
    from reproduce import stored

    rows = stored.rows(settings, sensor_id, cycle)
    if not rows:
        raise BadDataError(
            f"anomaly_events has no verdict on {sensor_id!r} at cycle {cycle}; it is warming up, "
            "late, or not stored yet: `plantwatch dlq list` and `plantwatch status` tell"
        )
    return rows


def _again(settings: Settings, row: "Row") -> int:
    """Reproduce one row and print it; the exit code. Whatever it is, the other rows follow."""
    from reproduce import verdict

    try:
        result = verdict.reproduce(settings, row)
    except PlantwatchError as error:
        typer.echo(f"plantwatch: {error}", err=True)
        return error.exit_code
    typer.echo("\n".join(_lines(result, settings)))
    return 0 if result.agrees else 1


def _lines(result: "Reproduced", settings: Settings) -> "Iterator[str]":
    row, window = result.row, result.window
    offsets = [one.offset for one in window]
    cycles = runs(one.reading.cycle for one in window)
    yield f"{row.sensor_id}, cycle {row.cycle}, {to_iso(to_microseconds(row.detected_at))}"
    yield f"  stored      {row.anomaly_score:.17f}"
    yield f"  reproduced  {result.score:.17f}"
    yield f"  difference  {result.difference:.3g}{'' if result.agrees else '  NOT THE SAME'}"
    yield f"  window      {len(window)} readings, cycles {cycles}"
    yield (
        f"  from        {settings.topics.readings}, partition {row.source_partition}, "
        f"offsets {min(offsets)} to {max(offsets)}"
    )
    yield f"  model       {row.model_version}, digest {row.model_digest}"


def runs(numbers: "Iterable[int]") -> str:
    """Ascending numbers with neighbours joined.

    >>> runs([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9-10'
    """
    groups = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ends = ([number for _, number in group] for _, group in groups)
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in ends)

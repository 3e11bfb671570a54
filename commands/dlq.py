"""`plantwatch dlq`: dead letters listed, read, and given a second chance."""

import sys
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.people import SECONDS, in_utc
from commands.tables import show, table
from dead_letters import show as text
from dead_letters import topic
from dead_letters.letters import Choice, summarise
from plantwatch.errors import BadDataError, ConfigError, UnavailableError
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass

if TYPE_CHECKING:
    from dead_letters.replay import Plan
    from plantwatch.scoring import Detector

app = typer.Typer(
    help="Look at what went no further, and why; send it again.", no_args_is_help=True
)


Reason = Annotated[str | None, typer.Option(help="Only letters of this reason.")]


@app.command("list")
def show_all(
    context: typer.Context,
    reason: Reason = None,
    origin: Annotated[str | None, typer.Option(help="Only of messages from this topic.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only those not older, in UTC.")] = None,
) -> None:
    """Count dead letters by reason and origin; each counts once, however often it was written.

    \b
    plantwatch dlq list
    plantwatch dlq list --reason late --since 2026-11-27T00:00:00
    """
    groups = summarise(topic.letters(context.obj, Choice(reason, origin, in_utc(since))))
    columns = ("reason", "origin", "letters", "first (UTC)", "last", "newest")
    shown = table(*columns, right=(2,))
    for group in groups:
        shown.add_row(
            text.plain(group.reason),
            text.plain(group.origin),
            f"{group.count:,}",
            f"{group.first:{SECONDS}}",
            f"{group.last:{SECONDS}}",
            text.plain(group.example),
        )
    if groups:
        show(shown)
    else:
        typer.echo("no dead letters")


@app.command("show")
def show_one(
    context: typer.Context,
    letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="Its origin/partition/offset, as `list` has it.")
    ],
) -> None:
    """Show one dead letter: why, from where, and the bytes of its message.

    \b
    plantwatch dlq show readings/0/12345
    """
    for one in topic.letters(context.obj, Choice(id=letter_id)):
        typer.echo("\n".join(text.lines(one)))
        return
    raise _unknown(letter_id)


@app.command()
def replay(
    context: typer.Context,
    *,
    reason: Reason = None,
    letter_id: Annotated[
        str | None, typer.Option("--id", help="Only this one: origin/partition/offset.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Foretell, publish nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Publish without asking.")] = False,
) -> None:
    """Publish the messages of dead letters again, in the order in which they first came.

    Readings go to the end of `readings`, verdicts that a store refused to `scores`, byte for byte,
    with the header `plantwatch-origin`. Readings that a model failed on are scored with today's
    production model instead; the verdict is marked `plantwatch-rescored`. What would become of the
    readings is foretold first.

    \b
    plantwatch dlq replay --reason late --dry-run
    plantwatch dlq replay --id readings/0/12345 --yes

    Exit code 0: all of them are acknowledged. 1: some were refused, each with its reason.
    """
    from dead_letters import outgoing
    from dead_letters.replay import plan

    settings = context.ensure_object(Settings)
    chosen = list(topic.letters(settings, Choice(reason, id=letter_id)))
    if letter_id is not None and not chosen:
        raise _unknown(letter_id)
    planned = plan(settings, chosen, lambda: _detector(settings))
    _foretell(planned, settings)
    if planned.outgoing and not dry_run:
        _agree(len(planned.outgoing), yes=yes)
        outgoing.publish(settings, planned.outgoing)
        typer.echo(f"published {_by_topic(planned)}; every one is acknowledged")
    raise typer.Exit(1 if planned.refused else 0)


def _foretell(planned: "Plan", settings: Settings) -> None:
    for refused in planned.refused:
        typer.echo(f"refused {text.plain(refused.id)}: {refused.why}", err=True)
    if not planned.outgoing:
        typer.echo("nothing to publish")
        return
    typer.echo(f"to publish: {_by_topic(planned)}")
    if planned.classes:
        counts = ((planned.classes[kind], kind) for kind in ReadingClass)
        classes = ", ".join(f"{count:,} {kind}" for count, kind in counts if count)
        typer.echo(f"on {settings.topics.readings}, if nothing else comes first: {classes}")
    if planned.warning:
        typer.echo(f"a worker will stop at them (exit 65): {planned.warning}")


def _by_topic(planned: "Plan") -> str:
    counts = Counter(one.topic for one in planned.outgoing)
    return ", ".join(f"{count:,} on {name}" for name, count in counts.items())


def _agree(messages: int, *, yes: bool) -> None:
    """Ask, unless the answer is given; without a terminal there is nobody to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody to ask here: add --yes to publish, or --dry-run to look only")
    typer.confirm(f"Publish {messages:,} messages?", abort=True)


def _detector(settings: Settings) -> "Detector":
    """The production model; while the registry is away, the one that was fetched before."""
    # Here, not above: onnxruntime takes a second, which no other command should wait for.
    from models.cache import load_production
    from models.fetch import fetch_production

    with suppress(UnavailableError):
        fetch_production(settings)
    return load_production(settings)


def _unknown(letter_id: str) -> BadDataError:
    return BadDataError(f"no dead letter {letter_id!r}; `plantwatch dlq list` shows what there is")

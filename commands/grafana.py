"""`plantwatch grafana`: the dashboards, as files and on a Grafana server."""

from typing import TYPE_CHECKING, Annotated

import typer

from plantwatch.errors import RefusedError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from grafana.publish import Thing

app = typer.Typer(
    help="Dashboards as code: write their JSON, push them to a Grafana, compare the two.",
    no_args_is_help=True,
)


@app.command()
def build(
    context: typer.Context,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file is not up to date.")
    ] = False,
) -> None:
    """Write grafana/dashboards/*.json, which Grafana's provisioning reads.

    \b
    plantwatch grafana build
    plantwatch grafana build --check
    """
    from grafana import files  # the pipeline's environment has no Grafana SDK

    settings = context.ensure_object(Settings)
    if not check:
        typer.echo("\n".join(map(str, files.write(settings))))
    elif stale := files.stale(settings):
        names = ", ".join(stale)
        raise RefusedError(f"{names}: not what the code says; run `plantwatch grafana build`")


@app.command()
def push(
    context: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be pushed; write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what was edited by hand in Grafana.")
    ] = False,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Rule groups and contact points, too.")
    ] = False,
) -> None:
    """Push folder, data sources and dashboards to the Grafana at ALERTS_GRAFANA_URL.

    What is there and the same is left alone, so it can be repeated at any time. What somebody
    edited by hand is not overwritten without --force. --alerts is for sites without Alertmanager:
    with both, people are told twice.

    \b
    GRAFANA_TOKEN=... plantwatch grafana push --dry-run
    GRAFANA_TOKEN=... plantwatch grafana push
    """
    from grafana.publish import State
    from grafana.publish import push as write

    things = _compared(context.ensure_object(Settings), alerts=alerts)
    if dry_run:
        shown = [one for one in things if one.state is not State.SAME]
        typer.echo("\n".join(f"would push {one}" for one in shown) or "nothing to push")
        return
    written = write(things, force=force)
    typer.echo("\n".join(f"pushed {one.kind} {one.name!r}" for one in written) or "all the same")


@app.command("check")
def compare(
    context: typer.Context,
    *,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Rule groups and contact points, too.")
    ] = False,
) -> None:
    """Compare a Grafana with what would be pushed; changes nothing.

    Exit code 0: all the same. 1: something is missing, older, or edited by hand.

    \b
    GRAFANA_TOKEN=... plantwatch grafana check
    """
    from grafana.publish import State

    things = _compared(context.ensure_object(Settings), alerts=alerts)
    typer.echo("\n".join(map(str, things)))
    raise typer.Exit(int(any(one.state is not State.SAME for one in things)))


def _compared(settings: Settings, *, alerts: bool) -> "list[Thing]":
    from grafana import alerting, files, publish, sources
    from grafana.render import render
    from grafana.server import Server
    from monitoring.rules import rules

    server = Server(settings)
    points, groups = [], {}
    if alerts:
        contacts = settings.alerts
        webhooks = {"critical": contacts.page_webhook, "warning": contacts.ticket_webhook}
        points = list(alerting.contact_points(webhooks))
        groups = alerting.groups(rules(settings), publish.FOLDER_UID, webhooks)
    wanted = publish.Wanted(
        folder=settings.grafana.folder,
        sources=list(sources.sources(settings)),
        dashboards=[render(one) for one in files.boards(settings)],
        contact_points=points,
        rule_groups=list(groups.values()),
    )
    return publish.compare(server, wanted)

"""The typer application: the commands, the common option, and how failures end.

Each command lives in a file of its own and is registered here; it builds its settings with
`settings()` and hands them down. A failure that a person can act on is one line and an exit code.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from commands import (
    alerts,
    bench,
    bench_api,
    bench_edges,
    bench_page,
    bench_pipeline,
    config,
    dashboard,
    demo,
    dlq,
    doctor,
    download_data,
    drift,
    evaluate,
    explain,
    faults,
    grafana,
    incident,
    ledger,
    maintenance,
    migrate,
    models,
    outbox,
    promote,
    readme,
    replay,
    reproduce,
    serve,
    simulate,
    sink,
    soak,
    stack,
    train,
    watch,
    worker,
)
from connections import logs
from plantwatch.configuration import environment, load
from plantwatch.errors import PlantwatchError

app = typer.Typer(
    help="Watch machines through their sensors; say which one is failing before it fails.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(config.app, name="config")
app.add_typer(dlq.app, name="dlq")
app.add_typer(drift.app, name="drift")
app.add_typer(grafana.app, name="grafana")
app.add_typer(incident.app, name="incident")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(models.app, name="models")
app.add_typer(simulate.app, name="simulate")
app.command()(alerts.alerts)
app.command()(bench.bench)
app.command()(bench_api.bench_api)
app.command()(bench_edges.bench_edges)
app.command()(bench_page.bench_page)
app.command()(bench_pipeline.bench_pipeline)
app.command()(dashboard.dashboard)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(download_data.download_data)
app.command()(evaluate.evaluate)
app.command()(faults.faults)
app.command()(explain.explain)
app.command()(ledger.ledger)
app.command()(migrate.migrate)
app.command()(outbox.outbox)
app.command()(promote.promote)
app.command(hidden=True)(readme.readme)
app.command()(replay.replay)
app.command()(reproduce.reproduce)
app.command()(serve.serve)
app.command()(sink.sink)
app.command()(soak.soak)
app.command()(stack.down)
app.command()(stack.status)
app.command()(stack.up)
app.command()(train.train)
app.command()(watch.watch)
app.command()(worker.worker)


@app.callback()
def common(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option(help="Folder of the four YAML files.", envvar="PLANTWATCH_CONFIG")
    ] = Path("configs"),
) -> None:
    """Load the settings once, for whichever command follows."""
    settings = load(config, environment())
    logs.configure(settings.log.level)
    context.obj = settings
    os.environ["PLANTWATCH_CONFIG"] = str(config)  # for the processes that this one starts


def main() -> None:
    """Entry point: run a command; print what a person can act on as one line."""
    try:
        app()
    except PlantwatchError as error:
        sys.stderr.write(f"plantwatch: {error}\n")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()

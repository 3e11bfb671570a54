"""The typer application: the commands, the common option, and how failures end.

Each command lives in a file of its own and is registered here; it builds its settings with
`settings()` and hands them down. A failure that a person can act on is one line and an exit code.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

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
    schemas,
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
from plantwatch.errors import ConfigError, PlantwatchError

app = typer.Typer(
    help="Watch machines through their sensors; say which one is failing before it fails.",
    epilog="Exit codes: 0 all is well; 1 a check failed, or what was asked is refused; 2 no such "
    "option; 65 bad data; 69 a server is away, start it or wait; 75 stopped half way, the same "
    "command goes on; 78 a setting, a grant or a model must be changed first. Each failure is one "
    "line that ends with what to do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: Final[dict[str, tuple[Callable[..., None], ...]]] = {
    "A stack on this machine": (
        demo.demo,
        doctor.doctor,
        download_data.download_data,
        stack.up,
        stack.status,
        stack.down,
        replay.replay,
    ),
    "What is wrong, and why": (watch.watch, explain.explain, reproduce.reproduce, alerts.alerts),
    "Models": (train.train, evaluate.evaluate, promote.promote),
    "Processes": (
        worker.worker,
        sink.sink,
        outbox.outbox,
        migrate.migrate,
        serve.serve,
        dashboard.dashboard,
    ),
    "Proof": (ledger.ledger, faults.faults, soak.soak),
    "Speed": (
        bench.bench,
        bench_api.bench_api,
        bench_edges.bench_edges,
        bench_page.bench_page,
        bench_pipeline.bench_pipeline,
    ),
    "Files": (schemas.schemas,),
}
GROUPS: Final[dict[str, dict[str, typer.Typer]]] = {
    "What is wrong, and why": {
        "incident": incident.app,
        "maintenance": maintenance.app,
        "dlq": dlq.app,
        "drift": drift.app,
    },
    "Models": {"models": models.app, "simulate": simulate.app},
    "Files": {"config": config.app, "grafana": grafana.app},
}
for panel, members in COMMANDS.items():
    for member in members:
        app.command(rich_help_panel=panel)(member)
for panel, groups in GROUPS.items():
    for name, group in groups.items():
        app.add_typer(group, name=name, rich_help_panel=panel)
app.command(hidden=True)(readme.readme)


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
    except ModuleNotFoundError as error:
        # Of an extra: what runs the stream has no torch, no Streamlit, no Grafana SDK.
        sys.stderr.write(f"plantwatch: {error.name} is not installed; `make install` has it\n")
        raise SystemExit(ConfigError.exit_code) from None


if __name__ == "__main__":
    main()

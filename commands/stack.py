"""`plantwatch up`, `down` and `status`: the local stack."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

import local_stack
from local_stack import state
from local_stack.pipeline import environment_of
from local_stack.process import Status
from local_stack.state import Snapshot
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings

SUPERVISOR_LOG = local_stack.LOCAL / "log" / "supervisor.log"


def up(
    context: typer.Context,
    *,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay until Ctrl-C, then stop everything.")
    ] = False,
    only: Annotated[
        str, typer.Option(help=f"Comma-separated: {','.join(local_stack.EVERYTHING)}.")
    ] = ",".join(local_stack.EVERYTHING),
) -> None:
    """Start Kafka, PostgreSQL, MLflow, Prometheus, the worker and the sinks on this machine."""
    console = Console()
    running = state.read(local_stack.LOCAL)
    if running is not None:
        console.print("The local stack is already up; `plantwatch down` stops it.")
        console.print(table(running.processes))
        return
    planned = local_stack.plan(context.obj, [name.strip() for name in only.split(",")])
    if foreground:
        _run(planned, console)
    else:
        console.print(table(_detach(planned.settings, only, console).processes))


def down(context: typer.Context) -> None:
    """Stop the local stack; returns when nothing of it is left."""
    settings: Settings = context.obj
    if state.stop(local_stack.LOCAL, patience=4 * settings.stack.stop_timeout_sec):
        typer.echo("The local stack is down.")
    else:
        typer.echo("The local stack is not up.")


def status() -> None:
    """Show every process of the local stack, how often it was restarted, and why."""
    running = state.read(local_stack.LOCAL)
    if running is None:
        typer.echo("The local stack is not up; `plantwatch up` starts it.")
    else:
        Console().print(table(running.processes))


def table(processes: list[Status]) -> Table:
    """One row per process, in the order of the start."""
    shown = Table("process", "state", "pid", "restarts", box=box.SIMPLE)
    for column in ("address", "last reason"):
        shown.add_column(column, overflow="fold")
    for one in processes:
        pid = "" if one.pid is None else str(one.pid)
        shown.add_row(one.name, one.state, pid, str(one.restarts), one.address, one.reason)
    return shown


def _run(planned: local_stack.Plan, console: Console) -> None:
    # SIGTERM ends the block below as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), local_stack.running(planned) as stack:
        console.print(table(stack.statuses + planned.skipped))
        threading.Event().wait()


def _detach(settings: Settings, only: str, console: Console) -> Snapshot:
    """Start the supervisor in a session of its own and wait until it has settled."""
    SUPERVISOR_LOG.parent.mkdir(parents=True, exist_ok=True)
    with SUPERVISOR_LOG.open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "commands.app", "up", "--foreground", "--only", only],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | environment_of(settings),
        )
    try:
        with console.status("starting ...") as spinner:
            while supervisor.poll() is None:
                now = state.read(local_stack.LOCAL)
                if now is not None and now.settled:
                    return now
                if now is not None:
                    waiting = [one.name for one in now.processes if one.state == "starting"]
                    spinner.update(f"starting {', '.join(waiting)} ...")
                time.sleep(state.POLL_INTERVAL_SEC)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise
    last = SUPERVISOR_LOG.read_text(encoding="utf-8").strip().splitlines()[-1:]
    raise UnavailableError("".join(last).removeprefix("plantwatch: ") or f"read {SUPERVISOR_LOG}")

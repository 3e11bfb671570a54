"""`plantwatch up`, `down` and `status`: the local stack."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
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
        str,
        typer.Option(
            help=f"Comma-separated, of these: {', '.join(local_stack.EVERYTHING)}.",
            show_default="all",
        ),
    ] = ",".join(local_stack.EVERYTHING),
) -> None:
    """Start servers, worker and sinks here: Kafka, PostgreSQL, MLflow, Prometheus, Alertmanager.

    Returns when all of them do their work, and prints their addresses; the first start trains
    models. What ends by itself is started again. Logs are in `.local/log`.

    \b
    plantwatch up
    plantwatch up --only kafka,postgres,mlflow
    plantwatch up --foreground

    Exit code 69: something was not to be had or not ready in time; nothing is left running. 78: an
    unknown name, a port in use, a setting that names another machine.
    """
    console = Console()
    running = state.read(local_stack.LOCAL)
    if running is not None:
        console.print("The local stack is already up; `plantwatch down` stops it.")
        _show(console, running.processes)
        return
    names = [name.strip() for name in only.split(",")]
    if foreground:
        _run(local_stack.plan(context.obj, names), console)
    else:
        bring_up(context.obj, console, names)


def down(context: typer.Context) -> None:
    """Stop the local stack; returns when nothing of it is left."""
    if take_down(context.obj):
        typer.echo("The local stack is down.")
    else:
        typer.echo("The local stack is not up.")


def status() -> None:
    """Show every process of the local stack, how often it was restarted, and why."""
    running = state.read(local_stack.LOCAL)
    if running is None:
        typer.echo("The local stack is not up; `plantwatch up` starts it.")
    else:
        _show(Console(), running.processes)


def _show(console: Console, processes: list[Status]) -> None:
    """One row per process, in the order of the start; under them, why the last one ended."""
    shown = Table("process", "state", "pid", "restarts", "address", box=box.SIMPLE)
    for one in processes:
        pid = "" if one.pid is None else str(one.pid)
        shown.add_row(one.name, one.state, pid, str(one.restarts), one.address)
    console.print(shown)
    for one in processes:
        if one.reason:
            console.print(f"{one.name}: {one.reason}", markup=False, soft_wrap=True)


def _run(planned: local_stack.Plan, console: Console) -> None:
    # SIGTERM ends the block below as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), local_stack.running(planned) as stack:
        _show(console, stack.statuses + planned.skipped)
        threading.Event().wait()


def bring_up(
    settings: Settings, console: Console, names: Collection[str] = local_stack.EVERYTHING
) -> None:
    """Start a supervisor in a session of its own, wait until it has settled, show the addresses.

    Raises:
        ConfigError: an unknown name, a port in use, a setting that names another machine.
        UnavailableError: Kafka is not to be had, or a process was not ready in time; the line
            says which. Nothing is left running.
    """
    supervisor = _start_supervisor(settings, names)
    try:
        with console.status("starting ...") as spinner:
            processes = _settled(supervisor, spinner.update)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise
    if processes is None:
        last = SUPERVISOR_LOG.read_text(encoding="utf-8").strip().splitlines()[-1:]
        why = "".join(last).removeprefix("plantwatch: ")
        raise UnavailableError(why or f"read {SUPERVISOR_LOG}")
    _show(console, processes)


def _start_supervisor(settings: Settings, names: Collection[str]) -> "subprocess.Popen[bytes]":
    planned = local_stack.plan(settings, names)
    SUPERVISOR_LOG.parent.mkdir(parents=True, exist_ok=True)
    with SUPERVISOR_LOG.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "commands.app", "up", "--foreground", "--only", ",".join(names)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | environment_of(planned.settings),
        )


def _settled(
    supervisor: "subprocess.Popen[bytes]", tell: Callable[[str], None]
) -> list[Status] | None:
    """Wait until every process does its work; None if the supervisor ended before that."""
    while supervisor.poll() is None:
        now = state.read(local_stack.LOCAL)
        if now is not None and now.settled:
            return now.processes
        if now is not None:
            waiting = [one.name for one in now.processes if one.state == "starting"]
            tell(f"starting {', '.join(waiting)} ...")
        time.sleep(state.POLL_INTERVAL_SEC)
    return None


def take_down(settings: Settings) -> bool:
    """Stop the local stack and wait until nothing of it is left; False if it was not up."""
    return state.stop(local_stack.LOCAL, patience=4 * settings.stack.stop_timeout_sec)

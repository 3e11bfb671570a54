"""`plantwatch ledger`: the independent judge of everything that was published."""

import sys

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from plantwatch.settings import Settings


def ledger(context: typer.Context) -> None:
    """Hold every reading on the topic against what became of it, with a window rule of its own.

    Reads the topics from their beginning, the table, the groups' commits and the manifests of
    replays, changes nothing, and recomputes every verdict. Let the pipeline come to rest first:
    what is not read yet is a fault, too. The last line is JSON, for programs.

    \b
    plantwatch ledger
    plantwatch ledger | tail -n 1

    Exit code 0: nothing lost, doubled or wrong, and everything accounted for. 1: see the faults.
    """
    # Here, not above: onnxruntime takes seconds, which no other command should wait for.
    from ledger.report import lines
    from ledger.run import run
    from producers.manifest import FOLDER

    settings = context.ensure_object(Settings)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("messages", total=None)
        findings = run(settings, FOLDER, lambda n, of: bar.update(task, completed=n, total=of))
    print(*lines(findings), sep="\n")
    raise typer.Exit(1 if findings.faults else 0)

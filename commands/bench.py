"""`plantwatch bench`: the worker among other ways to do its job; or the time a rollback takes."""

import statistics
import uuid
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from commands.chosen import Detector, configs_of
from models import registry
from models.fetch import fetch_production
from plantwatch.configuration import environment, with_changes
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.report import Row
    from data.fleet import Fleet


def bench(
    context: typer.Context,
    *,
    passes: Annotated[
        int, typer.Option(min=1, help="How often the test fleet is put on the topic.")
    ] = 5,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each system, in turn.")] = 5,
    model: Detector = "lstm_ae",
    rollback: Annotated[
        int, typer.Option(min=0, help="Instead: move production to and fro this often; 0: do not.")
    ] = 0,
) -> None:
    """Compare the worker with other ways to do its job, on the same topic, model and core.

    They are: scoring without Kafka, a plain confluent-kafka loop, Faust as its documentation
    teaches, Quix Streams and Bytewax. Each must say of every reading what the scoring without
    Kafka says, or the command fails.

    Uses the running stack's broker, and the newest version of the model in its registry, on topics
    of its own; end other load first.
    Writes `.local/bench/worker.json` and `.local/bench/worker.png`.

    With --rollback the running pipeline itself is measured: the seconds from moving the registry's
    alias to the first verdict by the other model, and what `plantwatch ledger` says afterwards.
    Writes `.local/bench/rollback.json`.

    \b
    plantwatch bench --passes 2 --rounds 3
    plantwatch bench --model isolation_forest
    plantwatch bench --rollback 20

    Exit code 0: every system says the same of every reading, or the ledger finds no fault. 69, 78:
    the broker or the registry is away, or has no such model.
    """
    # Here, not above: pandas and pandera take seconds, which no other command should wait for.
    from data.lookup import load

    settings, configs = context.ensure_object(Settings), configs_of(context)
    console = Console(highlight=False)
    fleet = load(settings.training.dataset, "test", environment(), configs)
    if rollback:
        raise typer.Exit(_rollback(settings, fleet, rollback, console))
    own = _own(settings)
    registry.name_newest(own, model)
    fetch_production(own)
    _compare(own, fleet, passes, rounds, console)
    console.print(
        f"{model}, median of {rounds} rounds, {fleet.subset} test x {passes}: {fleet.source}"
    )


def _compare(
    settings: Settings, fleet: "Fleet", passes: int, rounds: int, console: Console
) -> None:
    """Print each system's rounds as they come, then all in short; write the results."""
    from benchmarks import report, results, systems, worker
    from local_stack.pipeline import environment_of

    present, left_out = systems.available()
    console.print(left_out, soft_wrap=True, end="\n" if left_out else "")
    done = []
    runs = worker.run(settings, fleet, environment_of, present, passes=passes, rounds=rounds)
    for one in runs:
        done.append(one)
        console.print(f"{one.system:<17} {one.readings_per_s:>9,.0f} readings/s")
    figures = report.figures(done)
    results.save("worker", figures)
    report.draw(figures)
    console.print(_table(report.rows(figures)))
    console.print(
        f"outputs of all systems: 0 lost, 0 doubled, 0 wrong in {rounds} rounds, against offline"
    )


def _table(rows: "Iterable[Row]") -> Table:
    table = Table("system", "readings/s", "range", "CPU us/reading", "of plain", box=box.SIMPLE)
    for one in rows:
        table.add_row(
            one.system,
            f"{one.readings_per_s:,.0f}",
            f"{one.lowest:,.0f}-{one.highest:,.0f}",
            f"{one.cpu_us_per_reading:.1f}",
            f"{one.of_plain:.2f}",
        )
    return table


def _rollback(settings: Settings, fleet: "Fleet", moves: int, console: Console) -> int:
    """Print each move's seconds and the ledger's findings; the exit code, 1 for any fault."""
    from benchmarks import rollback
    from ledger.report import lines
    from ledger.run import run as judge
    from producers.manifest import FOLDER

    seconds = []
    for one in rollback.run(settings, fleet, moves):
        seconds.append(one)
        console.print(f"move {len(seconds):>3}  {one:.2f} s")
    rollback.save(seconds, fleet)
    console.print(
        f"alias moved to first verdict by the other model, {moves} moves: "
        f"median {statistics.median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f})",
        soft_wrap=True,
    )
    findings = judge(settings, FOLDER, lambda _done, _total: None)
    console.print(*lines(findings), sep="\n", soft_wrap=True)
    return 1 if findings.faults else 0


def _own(settings: Settings) -> Settings:
    """Topics, group, port and model alias of its own, so that a benchmark meets nobody."""
    from benchmarks.isolation import isolated_topics
    from benchmarks.results import FOLDER
    from local_stack.free import free_ports

    name, (port,) = f"bench-{uuid.uuid4().hex[:8]}", free_ports(1)
    own = with_changes(settings, "model", alias="bench", cache=FOLDER / "models")
    own = with_changes(own, "worker", group_id=name, instance_id=name, metrics_port=port)
    return isolated_topics(own, name)

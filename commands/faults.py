"""`plantwatch faults`: everything that can go wrong, made to go wrong, and the judgement."""

import random
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from commands.chosen import configs_of
from commands.tables import WIDTH
from plantwatch.configuration import environment
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from faults.run import Result
    from faults.scenario import Scenario


def faults(
    context: typer.Context,
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="Scenarios whose name contains this; may be repeated.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The subset that runs with every change.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the scenarios, run none.")] = False,
    seed: Annotated[int | None, typer.Option(help="Repeat a run; without it, a new one.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run: what held is not run again.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="A scenario that cannot run here fails, too.")
    ] = False,
) -> None:
    """Kill, stop, cut, fill up and garble a real pipeline, and judge what became of every reading.

    Starts its own Kafka and PostgreSQL on free ports, and a pipeline for each scenario: readings
    come, the fault is injected and healed, the pipeline drains, and the ledger must find nothing
    lost, doubled or wrong. A running stack is not touched. Results go to `.local/faults.json`.

    \b
    plantwatch faults --list
    plantwatch faults --quick
    plantwatch faults --only broker --seed 7
    plantwatch faults --resume

    Exit code 0: every scenario that ran held. 1: see the table.
    """
    # Here, not above: torch and scikit-learn take seconds, which no other command should wait for.
    from faults import report

    chosen = _chosen(only or [""], quick=quick)
    if listed:
        print(*(one.name for one in chosen), sep="\n")
        return
    new_seed = random.randrange(10**6) if seed is None else seed
    run_seed, before, earlier = report.earlier() if resume else (new_seed, 0.0, [])
    held = {one.name for one in earlier if one.ok}
    left = [one for one in chosen if one.name not in held]
    print(f"seed {run_seed}, {len(left)} scenarios", flush=True)
    results, seconds = _run(context, left, run_seed, earlier, before)
    Console(width=WIDTH).print(report.table(results))
    print(f"{report.summary(results, run_seed, seconds)}; written to {report.FILE}")
    raise typer.Exit(0 if all(one.ok or not (one.ran or strict) for one in results) else 1)


def _run(
    context: typer.Context,
    chosen: "list[Scenario]",
    seed: int,
    earlier: "list[Result]",
    before: float,
) -> "tuple[list[Result], float]":
    """Run the chosen ones; all results and seconds, those of an earlier run included.

    They are written with each result that comes, so that a run that is ended can be resumed.
    """
    from faults import report
    from faults.scenarios import SCENARIOS
    from faults.session import session
    from faults.together import run_all

    order = {one.name: place for place, one in enumerate(SCENARIOS)}
    again = {one.name for one in chosen}
    results = [one for one in earlier if one.name not in again]
    started = time.monotonic()
    with session(context.ensure_object(Settings), configs_of(context), environment()) as begun:
        for result in run_all(chosen, begun, seed):
            results.append(result)
            results.sort(key=lambda one: order.get(one.name, -1))
            print(report.line(result), flush=True)
            report.save(results, seed, before + time.monotonic() - started)
    return results, before + time.monotonic() - started


def _chosen(words: list[str], *, quick: bool) -> "list[Scenario]":
    """The scenarios whose name contains one of the words.

    Raises:
        ConfigError: a word is in no name, or nothing is left to run.
    """
    from faults.scenarios import SCENARIOS

    for word in words:
        if not any(word in one.name for one in SCENARIOS):
            raise ConfigError(f"no scenario is called {word!r}; see `plantwatch faults --list`")
    chosen = [
        one
        for one in SCENARIOS
        if any(word in one.name for word in words) and (one.quick or not quick)
    ]
    if not chosen:
        raise ConfigError("none of these is among the quick ones; leave --quick out")
    return chosen

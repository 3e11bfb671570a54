"""`plantwatch soak`: random faults under load for minutes, and the ledger's judgement."""

import json
import random
from pathlib import Path
from typing import Annotated, Final

import typer

from commands.chosen import configs_of
from plantwatch.configuration import environment
from plantwatch.settings import Settings

FILE: Final = Path(".local/soak.json")


def soak(
    context: typer.Context,
    *,
    seed: Annotated[int | None, typer.Option(help="Repeat a soak; without it, a new one.")] = None,
    minutes: Annotated[float, typer.Option(help="How long.", min=0.1)] = 10.0,
) -> None:
    """Kill and stop workers, sinks, producer, broker and PostgreSQL at random, under load.

    Starts all of them by itself, two workers and two sinks, on free ports. At the end all is
    healed, the pipeline drains, and the ledger judges; its JSON object is the last line. Faults of
    different kinds may overlap. What was done and found is also in `.local/soak.json`.

    \b
    plantwatch soak --minutes 5 --seed 7

    Exit code 0: nothing lost, doubled or wrong, and everything accounted for. 1: see the faults.
    """
    # Here, not above: torch and scikit-learn take seconds, which no other command should wait for.
    from faults import soak as soaking
    from faults.session import session
    from ledger.report import lines

    seed = random.randrange(10**6) if seed is None else seed
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    configs = configs_of(context)

    def say(words: str) -> None:
        print(words, flush=True)

    with session(context.ensure_object(Settings), configs, environment()) as begun:
        soaked = soaking.soak(begun, seed, minutes, say)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(soaked.document(), indent=1) + "\n", encoding="utf-8")
    print(*(f"{count:>4} x {fault}" for fault, count in soaked.done.items()), sep="\n")
    print(f"{soaked.readings_per_s:,.0f} readings/s; drained in {soaked.drain_sec:.1f} s\n")
    if soaked.why:
        print(f"FAULT {soaked.why}")
    if soaked.findings is not None:
        print(*lines(soaked.findings), sep="\n")
    raise typer.Exit(0 if soaked.ok else 1)

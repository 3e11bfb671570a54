"""What came of the scenarios: a line each, and all of it as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.box import SIMPLE
from rich.table import Table

from faults.run import Result
from plantwatch.errors import ConfigError

FILE: Final = Path(".local/faults.json")
_COUNTED: Final = ("published", "stored", "lost", "doubled", "wrong", "dead")


def line(result: Result) -> str:
    """A result on one line, for a log or a terminal."""
    state = "ok     " if result.ok else "FAILED " if result.ran else "not run"
    counts = " ".join(f"{name} {result.figures[name]:,}" for name in _COUNTED[:5] if result.figures)
    measured = ", ".join(f"{name} {value:g}" for name, value in result.measured.items())
    details = "; ".join(part for part in (result.why, counts, measured) if part)
    return f"{state} {result.seconds:6.1f} s  {result.name}: {details}"


def table(results: Sequence[Result]) -> Table:
    """All results, at most 100 columns wide."""
    shown = Table("scenario", "s", *_COUNTED, "redone", box=SIMPLE)
    for one in results:
        figures = [f"{one.figures[name]:,}" if one.figures else "-" for name in _COUNTED]
        redone = f"{one.measured['redone']:,g}" if "redone" in one.measured else "-"
        name = one.name if one.ok else f"[bold red]{one.name}" if one.ran else f"[dim]{one.name}"
        shown.add_row(name, f"{one.seconds:.0f}", *figures, redone)
    return shown


def summary(results: Sequence[Result], seed: int, seconds: float) -> str:
    """How many held, in a sentence."""
    ran = [one for one in results if one.ran]
    left = f", {len(results) - len(ran)} not run" if len(ran) < len(results) else ""
    return f"{sum(one.ok for one in ran)} of {len(ran)} held{left}; seed {seed}, {seconds:.0f} s"


def earlier(path: Path = FILE) -> tuple[int, float, list[Result]]:
    """The seed of an interrupted run, the seconds it took, and its results.

    Raises:
        ConfigError: there was no run here.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no {path}: there is no run to go on with; leave --resume out") from None
    results = [Result(**one) for one in document["scenarios"]]
    return document["seed"], document["seconds"], results


def save(results: Sequence[Result], seed: int, seconds: float, path: Path = FILE) -> None:
    """Write the results, the seed that repeats them, and whether all that ran were in order.

    `seconds` is how long that has taken, earlier runs that this one goes on with among it.
    """
    ran = [one for one in results if one.ran]
    document = {
        "seed": seed,
        "ok": bool(ran) and all(one.ok for one in ran),
        "ran": len(ran),
        "not_run": {one.name: one.why for one in results if not one.ran},
        "seconds": round(seconds, 1),
        "scenarios": [asdict(one) for one in results],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

"""`plantwatch readme`: the numbers of README.md and docs/, from the committed files they come from.

A block between `<!-- begin NAME -->` and `<!-- end NAME -->` is generated; a test holds it in step.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from commands import readme_speed
from commands.readme_speed import RESULTS
from evaluation import scoreboard
from plantwatch.configuration import load

EVALUATED: Final = Path(".local/evaluation")
README: Final = Path("README.md")
PAGES: Final = (README, Path("ARCHITECTURE.md"), *sorted(Path("docs").glob("*.md")))

_SOAK_COLUMNS: Final = (
    *("seed", "minutes", "readings/s", "SIGKILL", "SIGSTOP", "broker kills", "PostgreSQL stops"),
    *("joins, leaves", "published", "stored", "lost", "doubled", "wrong"),
)

_BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def readme(
    *,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="First take over the reports of .local/evaluation.")
    ] = False,
) -> None:
    """Write the generated blocks of README.md and of other pages anew from docs/results."""
    for report in sorted(EVALUATED.glob("FD*.json")) if adopt else []:
        shutil.copy(report, RESULTS)
        typer.echo(f"took over {report}")
    for page in PAGES:
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")


def render(text: str) -> str:
    """`text` with every generated block as its source says."""
    return _BLOCK.sub(lambda found: found[1] + _GENERATORS[found[2]]() + found[3], text)


def _shown(name: str) -> str:
    """What a command printed, as it was kept."""
    return f"```\n{(RESULTS / name).read_text(encoding='utf-8').strip()}\n```\n"


def _subscribe() -> str:
    source = Path("examples/subscribe.py").read_text(encoding="utf-8")
    return f"```python\n{source.strip()}\n```\n"


def _reports() -> list[dict[str, Any]]:
    names = [*RESULTS.glob("*-official.json"), *RESULTS.glob("*-held-out.json")]
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(names)]


def _lines(of: Callable[[list[dict[str, Any]]], Iterable[str]]) -> str:
    return "\n".join(of(_reports())) + "\n"


def _transfers() -> str:
    documents = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RESULTS.glob("*-transfer.json"))
    ]
    return "\n".join(scoreboard.transfers(documents)) + "\n"


def _faults() -> str:
    report = json.loads((RESULTS / "faults.json").read_text(encoding="utf-8"))
    ran = [one for one in report["scenarios"] if one["ran"]]
    judged = [one for one in ran if not one["name"].startswith("sabotaged")]
    kills = sum(int(one["measured"].get("kills", 0)) for one in ran)
    totals = {
        name: sum(one["figures"].get(name, 0) for one in judged)
        for name in ("published", "stored", "dead", "lost", "doubled", "wrong")
    }
    counts = ", ".join(f"{name} {number:,}" for name, number in totals.items())
    held = sum(one["ok"] for one in ran)
    return (
        f"{held} of {len(ran)} scenarios held (seed {report['seed']}, {kills} kills -9, "
        f"{report['seconds'] / 60:.0f} minutes): {counts}.\n\n" + _limits(ran)
    )


def _limits(ran: list[dict[str, Any]]) -> str:
    """What was measured, beside the limits of the table of scenarios."""
    from faults.scenarios import SCENARIOS  # torch and scikit-learn take seconds

    measured = {one["name"]: one["measured"] for one in ran}
    rows = ["| | | measured | at most |", "|---|---|---|---|"]
    for scenario in SCENARIOS:
        for figure, (_, most) in scenario.limits.items():
            if figure in _FIGURES and figure in measured.get(scenario.name, {}):
                words, number = _FIGURES[figure]
                value = number.format(measured[scenario.name][figure])
                limit = number.format(most) if isfinite(most) else "-"
                rows.append(f"| {scenario.name} | {words} | {value} | {limit} |")
    return "\n".join(rows) + "\n"


def _soaks() -> str:
    rows = [f"| {' | '.join(_SOAK_COLUMNS)} |", "|---" * len(_SOAK_COLUMNS) + "|"]
    for path in sorted(RESULTS.glob("soak-*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        done, ledger = one["faults"], one["ledger"]
        cells = [
            one["seed"],
            f"{one['minutes']:g}",
            one["readings_per_s"],
            sum(done[f"{who} killed"] for who in ("worker", "sink", "producer")),
            done["worker stopped"] + done["sink stopped"],
            done["broker killed"],
            done["PostgreSQL stopped"],
            done["worker joins or leaves"],
            *(f"{ledger[n]:,}" for n in ("published", "stored", "lost", "doubled", "wrong")),
        ]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"


def _rollback() -> str:
    one = json.loads((RESULTS / "rollback.json").read_text(encoding="utf-8"))
    return (
        "Move the alias and the running worker swaps, no window lost or scored twice, after "
        f"{one['median_s']:.1f} s ({one['min_s']:.1f}-{one['max_s']:.1f}; {one['moves']} moves "
        f"under {one['readings_per_s']} readings/s on two busy cores, "
        f'`make bench ARGS="--rollback {one["moves"]}"`).\n'
    )


_FIGURES: Final = {
    "take_over_sec": ("the next worker scores after", "{:.1f} s"),
    "longest_sec": ("no verdict for at most", "{:.1f} s"),
    "caught_up_sec": ("caught up after", "{:.1f} s"),
    "sink_growth": ("memory of the sink", "{:+.0%}"),
    "worker_growth": ("memory of the worker", "{:+.0%}"),
    "longest_stop_sec": ("drained and gone after at most", "{:.1f} s"),
    "worker_mb": ("memory of the worker", "{:.0f} MB"),
    "metrics_kb": ("size of /metrics", "{:.1f} KB"),
}
"""What is measured under a limit: in words, and how its number is written."""

_GENERATORS: Final[dict[str, Callable[[], str]]] = {
    "demo": lambda: _shown("demo.txt"),
    "pumps": lambda: _shown("pumps.txt"),
    "subscribe": _subscribe,
    "best": lambda: _lines(scoreboard.best),
    "scores": lambda: _lines(scoreboard.scores),
    "alarms": lambda: _lines(scoreboard.alarms),
    "sources": lambda: _lines(scoreboard.sources),
    "transfers": _transfers,
    "bench": readme_speed.bench,
    "edges": readme_speed.edges,
    "page": readme_speed.page,
    "api": readme_speed.api,
    "pipeline": readme_speed.pipeline,
    "growth": readme_speed.growth,
    "sizing": lambda: readme_speed.sizing(load(Path("configs"), {})),
    "faults": _faults,
    "soaks": _soaks,
    "rollback": _rollback,
}

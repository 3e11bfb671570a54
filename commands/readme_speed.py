"""The blocks about speed: what was measured of each part, and what a plant would need."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from plantwatch.settings import Settings

RESULTS: Final = Path("docs/results")
PLANTS: Final = (1_000, 10_000, 100_000, 1_000_000)
"""Machines at one reading a second."""
_READ_BACK: Final = "1,000,000 readings to read back"


def bench() -> str:
    """The worker beside others on the same job, a table for each run that is kept."""
    return "\n".join(_run(path) for path in sorted(RESULTS.glob("bench-worker-*.json")))


def _run(path: Path) -> str:
    from benchmarks.report import rows  # numpy and more, for one command
    from benchmarks.systems import PLANTWATCH

    found = {one.system: one for one in rows(_read(path.name))}
    ours = found[PLANTWATCH].readings_per_s
    return _table(
        (
            path.stem.removeprefix("bench-worker-"),
            *("readings/s, median (range)", "CPU us/reading", "plantwatch by it"),
        ),
        (
            (
                one.system,
                f"{one.readings_per_s:,.0f} ({one.lowest:,.0f}-{one.highest:,.0f})",
                f"{one.cpu_us_per_reading:.1f}",
                f"{ours / one.readings_per_s:.2f}",
            )
            for one in found.values()
        ),
    )


def edges() -> str:
    """Sink, producer, start-up, memory."""
    from benchmarks.edges.report import rows

    return _table(("", "median", "range", "ratio to it", "target"), rows(_read("bench-edges.json")))


def page() -> str:
    """First sights of the live page."""
    from commands.bench_page import spread

    seen = _read("bench-page.json").items()
    return _table(("first sight of", "s, median (range)"), ((what, spread(s)) for what, s in seen))


def api() -> str:
    """The HTTP API: what was promised, and latencies at rising rates."""
    from commands.bench_api import compared, rates

    figures = _read("bench-api.json")
    tables = ([head, *rows] for head, *rows in (compared(figures), rates(figures)))
    return "\n".join(_table(head, rows) for head, *rows in tables)


def pipeline() -> str:
    """Rates from producer to PostgreSQL."""
    from benchmarks.sustained import HEADS, Sustained, cells

    rates = (Sustained(**one) for one in _read("bench-pipeline.json")["rates"])
    return _table(HEADS, map(cells, sorted(rates, key=lambda one: (one.rate, one.machines))))


def growth() -> str:
    """Workers in one group, and machines in one worker."""
    figures = _read("bench-pipeline.json")
    workers = _table(
        ("workers", "readings/s together", "CPU us/reading"),
        (
            (
                str(one["workers"]),
                f"{one['readings_per_s']:,.0f}",
                f"{one['cpu_us_per_reading']:.0f}",
            )
            for one in figures["workers"]
        ),
    )
    fleets = _table(
        ("machines", "readings/s, no Kafka", "memory, MB", "bytes a machine"),
        (
            (
                f"{one['machines']:,}",
                f"{one['readings_per_s']:,.0f}",
                f"{one['memory_mb']:,.0f}",
                f"{one['bytes_per_machine']:,.0f}",
            )
            for one in figures["fleets"]
        ),
    )
    return f"{workers}\n{fleets}"


def sizing(settings: Settings) -> str:
    """What plants of some sizes need, computed."""
    from benchmarks.sizing import need

    figures, read_back_us = _read("bench-pipeline.json"), _read_back_us()
    needs = [need(figures, read_back_us, settings, machines) for machines in PLANTS]
    stages = list(needs[0].cores)
    heads = ("machines at 1 Hz", *(f"{one} cores" for one in stages), "partitions", "GB in workers")
    return _table(
        (*heads, "GB of rows a day"),
        (
            (
                f"{one.machines:,}",
                *(str(one.cores[stage]) for stage in stages),
                str(one.partitions),
                f"{one.worker_gb:.1f}",
                f"{one.rows_gb_per_day:,.0f}",
            )
            for one in needs
        ),
    )


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return found


def _read_back_us() -> float:
    """What a reading of a read-back takes, the start of the worker included."""
    scenarios: list[dict[str, Any]] = _read("faults.json")["scenarios"]
    (measured,) = (one["measured"] for one in scenarios if one["name"] == _READ_BACK)
    return float(1e6 * measured["take_over_sec"] / measured["read_back"])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(one)} |\n" for one in lines)

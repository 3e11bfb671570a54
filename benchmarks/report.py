"""The rounds of the worker's benchmark as figures, as a table, and as a picture."""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from math import ceil, floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.results import FOLDER
from benchmarks.systems import PLAIN

if TYPE_CHECKING:
    from benchmarks.worker import Round

PICTURE: Final = FOLDER / "worker.png"

Figures = Mapping[str, Mapping[str, list[float]]]
"""Per system `readings_per_s` and `cpu_us_per_reading`, each a list of its rounds."""


class Row(NamedTuple):
    """A system in short: its median rate and the range, CPU, and how much that is of `plain`."""

    system: str
    readings_per_s: float
    lowest: float
    highest: float
    cpu_us_per_reading: float
    of_plain: float


def figures(rounds: "Iterable[Round]") -> Figures:
    """Per system, the figures of its rounds, in order."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in rounds:
        of = found.setdefault(one.system, {"readings_per_s": [], "cpu_us_per_reading": []})
        of["readings_per_s"].append(one.readings_per_s)
        of["cpu_us_per_reading"].append(one.cpu_us_per_reading)
    return found


def rows(found: Figures) -> Iterator[Row]:
    """A row for each system, in the order in which they were measured."""
    plain = statistics.median(found[PLAIN]["readings_per_s"])
    for system, of in found.items():
        rates = of["readings_per_s"]
        median = statistics.median(rates)
        cpu = statistics.median(of["cpu_us_per_reading"])
        yield Row(system, median, min(rates), max(rates), cpu, median / plain)


def draw(found: Figures, path: Path = PICTURE) -> None:
    """Draw the median rates with their ranges, on a logarithmic axis."""
    # Here, not above: matplotlib takes a second, which nothing but the end should wait for.
    from matplotlib.figure import Figure  # noqa: PLC0415

    shown = list(rows(found))[::-1]
    figure = Figure(figsize=(8, 0.5 * len(shown) + 1.2), layout="constrained")
    axes = figure.subplots()
    medians = [one.readings_per_s for one in shown]
    below = [one.readings_per_s - one.lowest for one in shown]
    above = [one.highest - one.readings_per_s for one in shown]
    # Points, not bars: on a logarithmic axis the length of a bar means nothing.
    axes.errorbar(medians, [one.system for one in shown], xerr=[below, above], fmt="o", capsize=4)
    axes.set_xscale("log")
    lowest, highest = min(one.lowest for one in shown), max(one.highest for one in shown)
    axes.set_xlim(10 ** floor(log10(lowest)), 10 ** ceil(log10(highest)))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.xaxis.set_minor_formatter("")
    axes.set_xlabel("readings/s on one core: median and range of the rounds")
    figure.savefig(path, dpi=120)

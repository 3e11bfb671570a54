"""The figures of a run, and the rows of a table that they make."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from benchmarks.stretch import Speed

Row = tuple[str, str, str, str, str]
"""What, median, range, plantwatch's ratio to it with its range, target."""

VERDICTS_ONLY: Final = "verdicts only"
WITH_READINGS: Final = "with readings"
"""The sink with less to do than it has, and with all of it; see `benchmarks.edges.sink`."""

# What was promised: the last column of the table holds it against what was measured.
_SINK_BY_COPY: Final = 0.5
_WITH_READINGS_BY_VERDICTS_ONLY: Final = 0.5
_REPLAY_BY_LOOP: Final = 0.6
_START_SEC: Final = 4.0
_MACHINE_BYTES: Final = 12_000


def by_system(runs: Iterable[tuple[str, Speed]], unit: str) -> dict[str, dict[str, list[float]]]:
    """The rounds' figures of each system, per `unit` (row, reading), in the order of the runs."""
    figures: dict[str, dict[str, list[float]]] = {}
    for system, one in runs:
        own = figures.setdefault(system, {f"{unit}s_per_s": [], f"cpu_us_per_{unit}": []})
        own[f"{unit}s_per_s"].append(one.per_s)
        own[f"cpu_us_per_{unit}"].append(one.cpu_us)
    return figures


def rows(figures: Mapping[str, Any]) -> list[Row]:
    """Of whichever parts were measured, in the order in which they are written."""
    found: list[Row] = []
    if "sink" in figures:
        found += _compared("sink", figures["sink"], "row", {"copy": _SINK_BY_COPY})
        if WITH_READINGS in figures["sink"]:
            found.append(_with_readings(figures["sink"]))
    if "producer" in figures:
        found += _compared("producer", figures["producer"], "reading", {"loop": _REPLAY_BY_LOOP})
    if "start" in figures:
        seconds = figures["start"]["first_verdict_s"]
        target = _at_most(statistics.median(seconds), _START_SEC, f"{_START_SEC:g}")
        found.append(("start to first verdict, s", *_spread(seconds, "{:.2f}"), "", target))
    for readings, size in figures.get("memory", {}).get("bytes_per_machine", {}).items():
        target = _at_most(size, _MACHINE_BYTES, f"{_MACHINE_BYTES:,}")
        found.append((f"bytes a machine, {readings} readings", f"{size:,}", "", "", target))
    return found


def _with_readings(systems: Mapping[str, Any]) -> Row:
    """The sink with all that it is for and the readings beside it, by the sink that only stores."""
    ratios = _ratios(systems, "rows_per_s", WITH_READINGS, VERDICTS_ONLY)
    target = _at_least(statistics.median(ratios), _WITH_READINGS_BY_VERDICTS_ONLY)
    return f"sink, {WITH_READINGS} by {VERDICTS_ONLY}", "", "", _ratio(ratios), target


def _compared(
    part: str, systems: Mapping[str, Any], unit: str, targets: Mapping[str, float]
) -> list[Row]:
    """Rate and CPU of each system; the ratio to a yardstick is that of each round's two."""
    rate, cpu = f"{unit}s_per_s", f"cpu_us_per_{unit}"
    found: list[Row] = []
    for system in sorted(systems, key=lambda name: name != "plantwatch"):
        figures = systems[system]
        ratios = _ratios(systems, rate, "plantwatch", system)
        ratio = "" if system == "plantwatch" else _ratio(ratios)
        target = _at_least(statistics.median(ratios), targets[system]) if system in targets else ""
        found += [
            (f"{part}, {system}, {unit}s/s", *_spread(figures[rate], "{:,.0f}"), ratio, target),
            (f"{part}, {system}, CPU us each", *_spread(figures[cpu], "{:.1f}"), "", ""),
        ]
    return found


def _ratios(systems: Mapping[str, Any], rate: str, ours: str, theirs: str) -> list[float]:
    """One system's rate by another's, round by round."""
    pairs = zip(systems[ours][rate], systems[theirs][rate], strict=True)
    return [one / another for one, another in pairs]


def _ratio(ratios: Sequence[float]) -> str:
    median, between = _spread(ratios, "{:.2f}")
    return f"{median} ({between})"


def _spread(values: Sequence[float], form: str) -> tuple[str, str]:
    """Median and range in words."""
    ends = "-".join(form.format(end) for end in (min(values), max(values)))
    return form.format(statistics.median(values)), ends


def _at_least(value: float, least: float) -> str:
    return f">= {least:g}" + ("" if value >= least else " missed")


def _at_most(value: float, most: float, words: str) -> str:
    return f"<= {words}" + ("" if value <= most else " missed")

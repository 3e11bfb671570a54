"""The picture of a run: latencies over the rate."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def plot(figures: dict[str, Any], path: Path) -> None:
    """p50 and p99 of the API over requests a second, as PNG."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(title=f"POST /detect on one core, {figures['model']}")
    axes.set(xlabel="requests a second", ylabel="latency, ms", xscale="log", yscale="log")
    wanted = [one["wanted"] for one in figures["rates"]]
    for name, style in (("p50", "-"), ("p99", "--")):
        axes.plot(wanted, [one[name] for one in figures["rates"]], style, marker="o", label=name)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path)

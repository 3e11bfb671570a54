"""One rate held for some seconds: the figures, and as a row of a table."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sustained:
    """One rate for some seconds; it `held` when the load kept its pace and all of it kept up.

    p50, p95, p99 in milliseconds from publication: `score_ms` to the verdict's arrival at a
    subscriber, `stored_ms` to the beginning of the transaction that stored it. CPU is in
    microseconds a reading, by stage.
    """

    rate: float
    machines: int
    partitions: int
    held: bool
    published_per_s: float
    score_ms: list[float]
    stored_ms: list[float]
    cpu_us: dict[str, float]
    worker_mb: float


STAGES: Final = ("broker", "worker", "sink", "PostgreSQL")
HEADS: Final = (
    *("readings/s", "machines", "partitions", "held", "to verdict, ms", "to stored, ms"),
    *(f"{stage}, us" for stage in STAGES),
    "worker, MB",
)
"""The times are p50 / p95 / p99."""


def cells(one: Sustained) -> list[str]:
    """The row under `HEADS`."""
    return [
        f"{one.rate:,.0f}",
        f"{one.machines:,}",
        str(one.partitions),
        "yes" if one.held else "no",
        _times(one.score_ms),
        _times(one.stored_ms),
        *(f"{one.cpu_us[stage]:,.0f}" for stage in STAGES),
        f"{one.worker_mb:,.0f}",
    ]


def _times(milliseconds: list[float]) -> str:
    return " / ".join(f"{one:,.0f}" for one in milliseconds)

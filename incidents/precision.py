"""Alarm precision: of the incidents that people judged, the share that were no false alarms."""

import math
from dataclasses import dataclass
from typing import Final

import psycopg

_Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: an interval of 95 %."""

_COUNT: Final = """
SELECT count(*) FILTER (WHERE NOT false_alarm), count(false_alarm), count(*) FROM incidents
"""


@dataclass(frozen=True, slots=True)
class Precision:
    """`real` of `judged` incidents were no false alarm; there are `total`.

    `interval` is Wilson's of 95 % (Wilson 1927); (0, 1) while none is judged.
    """

    real: int
    judged: int
    total: int

    @property
    def share(self) -> float | None:
        """In [0, 1]; None while nobody judged one."""
        return self.real / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high) in [0, 1].

        >>> [round(end, 3) for end in Precision(8, 10, 30).interval]
        [0.49, 0.943]
        """
        if not self.judged:
            return 0.0, 1.0
        n, p = self.judged, self.real / self.judged
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        if self.share is None:
            return f"not known yet: none of {self.total:,} incidents has been judged"
        low, high = self.interval
        return (
            f"{self.share:.0%} of {self.judged:,} judged incidents were real "
            f"(95 %: {low:.0%} to {high:.0%}); {self.total - self.judged:,} not judged"
        )


def precision(connection: psycopg.Connection) -> Precision:
    """What people's feedback says so far."""
    row = connection.execute(_COUNT).fetchone()
    assert row is not None
    return Precision(*row)

"""Time that passes only when a test says so."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds, since 1970 where that matters."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

"""When so much input is bad that a person must look before anything goes on."""

from collections import deque

from plantwatch.settings import Rejects


class RejectLimits:
    """Watches one partition's readings: too many rejects among the last ones, or in a row.

    Counts from its making: a worker that is started again starts at zero.
    """

    def __init__(self, rule: Rejects) -> None:
        self._rule = rule
        self._readings = 0
        self._in_a_row = 0
        self._rejects: deque[int] = deque()
        self.exceeded: str | None = None
        """What was exceeded, in words; stays once it is set."""

    def add(self, *, rejected: bool) -> None:
        """Take the next reading into account."""
        self._readings += 1
        self._in_a_row = self._in_a_row + 1 if rejected else 0
        if not rejected:
            return
        self._rejects.append(self._readings)
        while self._rejects[0] <= self._readings - self._rule.per_readings:
            self._rejects.popleft()
        self.exceeded = self.exceeded or self._judge()

    def _judge(self) -> str | None:
        rule = self._rule
        if self._in_a_row >= rule.max_in_a_row:
            return f"{self._in_a_row:,} readings in a row were rejected"
        # Of the first few readings a share says nothing; `max_in_a_row` guards the beginning.
        if self._readings < rule.per_readings:
            return None
        if len(self._rejects) > rule.max_percent / 100 * rule.per_readings:
            return (
                f"{len(self._rejects):,} of the last {rule.per_readings:,} readings were rejected"
            )
        return None

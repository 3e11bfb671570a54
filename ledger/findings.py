"""What the judge found: the numbers, and the faults by name, each with an example."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """Everything that can be wrong, in words for people; the name is for programs."""

    TRUNCATED = "a topic's beginning is gone, so what came of it cannot be judged"
    LAG = "not read yet; wait until all is at rest and judge again"
    UNDELIVERED = "acknowledged to the producer, but not on the topic"
    UNSCORED = "has a window, but no score"
    UNFOUNDED_SCORE = "score of a reading that has no window"
    LOST = "has a window, but neither a row nor a dead letter"
    UNFOUNDED_ROW = "row of a reading that has no window"
    DOUBLED = "second row of one identity"
    WRONG_WINDOW = "scored on another window than its own"
    WRONG_MODEL = "row by another model than the first score's"
    WRONG_SCORE = "verdict is not that of its model on its window"
    NO_MODEL = "model is neither in the cache nor in the registry, so nothing can be recomputed"
    LETTER_MISSING = "refused, but without a dead letter"
    LETTER_WRONG = "dead letter with another reason, or of other bytes"
    LETTER_UNFOUNDED = "dead letter of what was not refused"
    ANOMALY_MISSING = "anomaly that is not on the anomalies topic"
    ANOMALY_UNFOUNDED = "on the anomalies topic, but no anomaly"
    MISCOUNTED = "class of readings counted wrongly beside the committed offset"
    UNBALANCED = "classes do not add up to the committed offset"


_LOST = (Fault.LOST, Fault.UNDELIVERED)
_WRONG = (Fault.WRONG_WINDOW, Fault.WRONG_MODEL, Fault.WRONG_SCORE)


@dataclass(slots=True)
class Findings:
    """The numbers over all partitions.

    `published` counts messages of `readings`, `scored` distinct ids of `scores`, `stored` rows,
    `dead` messages that have a dead letter. Each fault has its number and the first example.
    """

    published: int = 0
    scored: int = 0
    stored: int = 0
    dead: int = 0
    faults: dict[Fault, tuple[int, str]] = field(default_factory=dict)

    def add(self, fault: Fault, example: str, number: int = 1) -> None:
        before, first = self.faults.get(fault, (0, example))
        self.faults[fault] = before + number, first

    def number(self, *faults: Fault) -> int:
        """How often any of these was found."""
        return sum(self.faults[fault][0] for fault in faults if fault in self.faults)

    @property
    def lost(self) -> int:
        return self.number(*_LOST)

    @property
    def doubled(self) -> int:
        return self.number(Fault.DOUBLED)

    @property
    def wrong(self) -> int:
        return self.number(*_WRONG)

    def document(self) -> dict[str, int | dict[str, int]]:
        """The numbers by name; `faults` maps the name of each fault to its number."""
        names = ("published", "scored", "stored", "lost", "doubled", "wrong", "dead")
        faults = {fault.name.lower(): number for fault, (number, _) in self.faults.items()}
        return {name: getattr(self, name) for name in names} | {"faults": faults}

"""Why a stored verdict is what it is: the sensors behind it, and what remained to others then."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.card import LifeAtScore, life_at
from plantwatch.scoring import Verdicts, by_size
from plantwatch.settings import Settings
from reproduce.stored import Row
from reproduce.verdict import detector_of, read_window, score
from reproduce.window import stack


@dataclass(frozen=True, slots=True)
class Explanation:
    """A row, its window judged again by its model, and why.

    `contributions` are (sensor, what it adds to raw), largest by size first, of all sensors; `life`
    is what remained to engines of the training data at this score, None if the model's card does
    not tell; `threshold` is in the unit of raw, None where the card has none.
    """

    row: Row
    verdict: Verdicts
    threshold: float | None
    contributions: Sequence[tuple[int, float]]
    life: LifeAtScore | None


def explain(settings: Settings, row: Row) -> Explanation:
    """Score the row's window again and ask its model why.

    Raises:
        BadDataError, ConfigError, UnavailableError: as `reproduce.verdict.reproduce`.
    """
    window = read_window(settings, row)
    detector = detector_of(settings, row)
    verdict = score(detector, window)
    contributions = detector.contributions(stack([window]))[0]
    return Explanation(
        row=row,
        verdict=verdict,
        threshold=detector.card.threshold,
        contributions=by_size(detector.card.features.sensors, contributions),
        life=life_at(detector.card, float(verdict.raw[0])),
    )

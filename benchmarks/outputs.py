"""The scores that a system has published, held against those that it should have."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from connections.span import held, read
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings

Scores = Mapping[str, float]
"""`anomaly_score` by the id of its reading."""


class Differences(NamedTuple):
    """How many readings' scores are not as they should be; `example` names one of them.

    Attributes:
        lost: it has none.
        doubled: it has more than one, whatever their values.
        wrong: one is off by more than 1e-6, or is of a reading that should have none.
    """

    lost: int
    doubled: int
    wrong: int
    example: str = ""

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.wrong)

    def __str__(self) -> str:
        counts = f"{self.lost:,} lost, {self.doubled:,} doubled, {self.wrong:,} wrong"
        return f"{counts} ({self.example})" if self.example else counts


def published(settings: Settings) -> list[tuple[str, float]]:
    """(id, `anomaly_score`) of every message that `scores` holds now.

    Raises:
        UnavailableError: no broker answers; the caller tells the person.
    """
    topic = settings.topics.scores
    messages = (
        orjson.loads(one.value() or b"{}") for one in read(settings, topic, held(settings, topic))
    )
    return [(one["id"], one["anomaly_score"]) for one in messages]


def compare(truth: Scores, found: Iterable[tuple[str, float]], *, whole: bool) -> Differences:
    """Hold what was found against the truth; unless `whole`, what is missing is not lost."""
    seen: set[str] = set()
    doubled: set[str] = set()
    wrong: set[str] = set()
    for name, score in found:
        (doubled if name in seen else seen).add(name)
        # Not `> TOLERANCE`: of NaN that is never true.
        if name not in truth or not abs(truth[name] - score) <= TOLERANCE:
            wrong.add(name)
    lost = truth.keys() - seen if whole else set()
    return Differences(len(lost), len(doubled), len(wrong), min(lost | doubled | wrong, default=""))

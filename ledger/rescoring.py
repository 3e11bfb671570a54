"""Verdicts computed again from the windows they must stand on."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.evidence import Verdict
from ledger.findings import Fault, Findings
from ledger.rule import Logged
from plantwatch.scoring import TOLERANCE, Detector, Verdicts, answers

_AT_THRESHOLD: Final = 0.5
"""The `anomaly_score` at which a verdict turns."""

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Claim:
    """The verdicts on one window, of the first message and of the row; all must hold."""

    window: Sequence[Logged]
    verdicts: Sequence[Verdict]


class Rescorer:
    """Collects claims, by the model they name, and checks them a batch at a time."""

    def __init__(self, detector_of: Callable[[str], Detector | None], findings: Findings) -> None:
        """`detector_of` gives the model of a digest, None if there is none to be had."""
        self._detector_of = detector_of
        self._findings = findings
        self._waiting: dict[str, list[Claim]] = defaultdict(list)

    def add(self, claim: Claim) -> None:
        waiting = self._waiting[claim.verdicts[0].digest]
        waiting.append(claim)
        if len(waiting) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Check what is left."""
        for digest, claims in self._waiting.items():
            self._check(digest, claims)
        self._waiting.clear()

    def _check(self, digest: str, claims: list[Claim]) -> None:
        detector = self._detector_of(digest)
        if detector is None:
            example = f"{digest[:12]}..., which judged {claims[0].verdicts[0].id}"
            self._findings.add(Fault.NO_MODEL, example, len(claims))
            return
        rows, computed = answers(detector, _stack([claim.window for claim in claims]))
        for unscorable in sorted(set(range(len(claims))).difference(rows)):
            example = f"{claims[unscorable].verdicts[0].id}: its model has no score for its window"
            self._findings.add(Fault.WRONG_SCORE, example)
        if computed is not None:
            self._compare([claims[row] for row in rows], computed)

    def _compare(self, claims: list[Claim], computed: Verdicts) -> None:
        for row, claim in enumerate(claims):
            if wrong := next(
                (one for one in claim.verdicts if not holds(one, computed, row)), None
            ):
                right = computed.anomaly_score[row]
                self._findings.add(
                    Fault.WRONG_SCORE, f"{wrong.id}: {wrong.score:.7f}, should be {right:.7f}"
                )


def _stack(windows: Sequence[Sequence[Logged]]) -> NDArray[np.float32]:
    """Windows of one length as float32 [n, length, settings + sensors]."""
    values = array("f")
    for reading in chain.from_iterable(windows):
        values.extend(reading.values)
    return np.frombuffer(values, np.float32).reshape(len(windows), len(windows[0]), -1)


def holds(verdict: Verdict, computed: Verdicts, row: int) -> bool:
    """Whether a verdict is the recomputed one, within the tolerance."""
    score = computed.anomaly_score[row]
    close = abs(verdict.score - score) <= TOLERANCE
    sure = abs(verdict.confidence - computed.confidence[row]) <= TOLERANCE
    same = verdict.is_anomaly == computed.is_anomaly[row] or abs(score - _AT_THRESHOLD) <= TOLERANCE
    return bool(close and sure and same)

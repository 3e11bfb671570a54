"""What came of a partition's readings, filed by what it belongs to."""

from dataclasses import dataclass

from ledger.evidence import Evidence, Letter, Score, Verdict
from ledger.findings import Fault, Findings
from plantwatch.settings import Topics


@dataclass(slots=True)
class Offered:
    """All messages of `scores` with one id: the first, and what is true of any or all of them."""

    first: Verdict
    settled: bool
    """The sink has committed past the first."""
    anomalous: bool
    """Any is."""
    refused: bool
    """Each has a dead letter, so none is in the table."""
    rescored: bool
    """The first was made by hand, after a model had failed on the window."""


class Files:
    """Letters by origin and offset; scores, rows and anomalies by id of their reading.

    The judge takes out what a reading accounts for; what `left_over` finds is there for no reason.
    """

    def __init__(self, evidence: Evidence, topics: Topics, findings: Findings) -> None:
        """File everything, and note what is wrong whichever readings there are."""
        self._evidence = evidence
        self._topics = topics
        self._findings = findings
        self.letters: dict[tuple[str, int], Letter] = {}
        self.offered: dict[str, Offered] = {}
        self.anomalies = set(evidence.anomalies)
        self.rows: dict[str, Verdict] = {}
        for letter in evidence.letters:
            self.letters.setdefault((letter.origin, letter.offset), letter)
        findings.dead += len(self.letters)
        for score in evidence.scores:
            self._file_score(score)
        findings.scored += len(self.offered)
        for row in evidence.rows:
            self._file_row(row)
        self._check_anomalies()

    def left_over(self) -> None:
        """Note what no reading accounted for."""
        for name in self.offered:
            self._findings.add(Fault.UNFOUNDED_SCORE, name)
        for name in self.rows:
            self._findings.add(Fault.UNFOUNDED_ROW, name)
        for (origin, offset), letter in self.letters.items():
            example = f"{self._evidence.place(origin, offset)}, {letter.reason}"
            self._findings.add(Fault.LETTER_UNFOUNDED, example)

    def _file_score(self, score: Score) -> None:
        place = self._evidence.place(self._topics.scores, score.offset)
        settled = score.offset < self._evidence.sink.offset
        letter = self.letters.pop((self._topics.scores, score.offset), None)
        if not settled:
            self._findings.add(Fault.LAG, place)
        if score.verdict is not None:
            self._offer(score, score.verdict, settled=settled, refused=letter is not None)
        elif letter is None and settled:
            self._findings.add(Fault.LETTER_MISSING, f"{place}, no verdict")

    def _offer(self, score: Score, verdict: Verdict, *, settled: bool, refused: bool) -> None:
        known = self.offered.get(verdict.id)
        if known is None:
            self.offered[verdict.id] = Offered(
                verdict, settled, verdict.is_anomaly, refused, score.rescored
            )
        else:
            known.anomalous |= verdict.is_anomaly
            known.refused &= refused

    def _file_row(self, row: Verdict) -> None:
        self._findings.stored += 1
        if row.id in self.rows:
            self._findings.add(Fault.DOUBLED, row.id)
        self.rows.setdefault(row.id, row)

    def _check_anomalies(self) -> None:
        for name in self.anomalies:
            if name not in self.offered or not self.offered[name].anomalous:
                self._findings.add(Fault.ANOMALY_UNFOUNDED, name)

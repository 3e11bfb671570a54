"""The judgement: what became of every reading, held against what had to become of it.

Works through the readings of a partition once, in order, and strikes out what it finds in place
among the scores, rows, anomalies and dead letters. What is left over is there without a reason.

A reading that the worker has not committed past, or a score that the sink has not, is not judged as
missing yet: it is reported as lag. Pure: reads only the evidence it is given.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from ledger.balance import check_beginnings, check_counts
from ledger.evidence import Evidence, Identity, Letter, Message, Verdict
from ledger.filing import Files
from ledger.findings import Fault, Findings
from ledger.parse import reading_of, reason_of
from ledger.rescoring import Claim, Rescorer
from ledger.rule import Definition, Logged
from plantwatch.instants import to_iso
from plantwatch.messages import identity
from plantwatch.scoring import Detector
from plantwatch.settings import Settings


class Judge:
    """Hears the partitions one after another, each once, then says what was found."""

    def __init__(
        self,
        settings: Settings,
        detector_of: Callable[[str], Detector | None],
        acked: Iterable[Identity] = (),
    ) -> None:
        """`acked` are the readings that producers know to be on the topic."""
        self._settings = settings
        self._findings = Findings()
        self._rescorer = Rescorer(detector_of, self._findings)
        self._undelivered = set(acked)

    def hear(self, evidence: Evidence) -> None:
        _Hearing(evidence, self._settings, self._findings, self._rescorer, self._undelivered).hold()

    def unreadable_letter(self, offset: int) -> None:
        """Note a message of `dead-letters` that is none."""
        self._findings.add(Fault.LETTER_WRONG, f"{self._settings.topics.dead_letters}, at {offset}")

    def close(self) -> Findings:
        self._rescorer.flush()
        for machine, cycle, time in sorted(self._undelivered):
            self._findings.add(Fault.UNDELIVERED, identity(machine, cycle, to_iso(time)))
        return self._findings


class _Hearing:
    """One partition."""

    def __init__(
        self,
        evidence: Evidence,
        settings: Settings,
        findings: Findings,
        rescorer: Rescorer,
        undelivered: set[Identity],
    ) -> None:
        self._evidence = evidence
        self._topics = settings.topics
        self._shape = settings.reading
        self._definition = Definition(settings.window)
        self._findings = findings
        self._rescorer = rescorer
        self._undelivered = undelivered
        self._worker = evidence.worker
        self._files = Files(evidence, settings.topics, findings)
        self._counts: Counter[str] = Counter()
        self._judged: set[str] = set()

    def hold(self) -> None:
        for message in self._evidence.readings:
            self._reading(message)
        self._files.left_over()
        place = f"partition {self._evidence.partition}"
        check_counts(self._worker, self._counts, place, self._findings)
        check_beginnings(self._evidence, self._topics, self._findings)

    def _reading(self, message: Message) -> None:
        self._findings.published += 1
        letter = self._files.letters.pop((self._topics.readings, message.offset), None)
        kind, reason, window = self._classify(message, letter)
        settled = message.offset < self._worker.offset
        if not settled:
            self._fault(Fault.LAG, self._evidence.place(self._topics.readings, message.offset))
        elif self._worker.metadata and message.offset >= self._worker.metadata.start:
            self._counts[kind] += 1
        self._check_letter(message, letter, reason, settled=settled)
        if kind == "scored" or (window and self._was_rescored(window)):
            self._check_verdict(window, settled=settled)

    def _classify(
        self, message: Message, letter: Letter | None
    ) -> tuple[str, str | None, Sequence[Logged]]:
        """Class, reason of the dead letter if there must be one, and window if there is one.

        Two refusals are the stream's to know, and are taken from its dead letters: a machine too
        many is part of no history, a window that the model fails on stays in it.
        """
        reading = reading_of(message, self._shape)
        if reading is None:
            return "rejected", reason_of(message, self._shape), ()
        self._undelivered.discard((reading.machine, reading.cycle, reading.time))
        given = letter.reason if letter else None
        if given == "too_many_machines":
            return "rejected", given, ()
        expected = self._definition.expect(reading)
        if expected.kind == "scored" and given == "model_error":
            return "rejected", given, expected.window
        reason = expected.kind if expected.kind in {"late", "conflict"} else None
        return expected.kind, reason, expected.window

    def _check_letter(
        self, message: Message, letter: Letter | None, reason: str | None, *, settled: bool
    ) -> None:
        place = self._evidence.place(self._topics.readings, message.offset)
        if letter is None:
            if reason is not None and settled:
                self._fault(Fault.LETTER_MISSING, f"{place}, {reason}")
        elif reason is None:
            self._fault(Fault.LETTER_UNFOUNDED, f"{place}, said to be {letter.reason}")
        elif letter.reason != reason:
            self._fault(Fault.LETTER_WRONG, f"{place}: {letter.reason}, should be {reason}")
        elif letter.sha256 != sha256(message.value or b"").digest():
            self._fault(Fault.LETTER_WRONG, f"{place}: of other bytes")

    def _was_rescored(self, window: Sequence[Logged]) -> bool:
        """Whether there is a verdict after all on a window that a model had failed on."""
        offered = self._files.offered.get(_name(window[-1]))
        return (
            offered is not None
            and offered.rescored
            and offered.first.last_offset == window[-1].offset
        )

    def _check_verdict(self, window: Sequence[Logged], *, settled: bool) -> None:
        """Judge the first scored reading of an identity; those that repeat it change nothing."""
        name = _name(window[-1])
        if name in self._judged:
            return
        self._judged.add(name)
        offered, row = self._files.offered.pop(name, None), self._files.rows.pop(name, None)
        if offered is None and settled:
            self._fault(Fault.UNSCORED, name)
        if row is None and (
            settled if offered is None else offered.settled and not offered.refused
        ):
            self._fault(Fault.LOST, name)
        if offered is None:
            return
        if row is not None and offered.refused:
            self._fault(Fault.LETTER_UNFOUNDED, f"{name} is stored, yet said to be refused")
        if settled and offered.first.is_anomaly and name not in self._files.anomalies:
            self._fault(Fault.ANOMALY_MISSING, name)
        self._check_truth(window, offered.first, row)

    def _check_truth(self, window: Sequence[Logged], first: Verdict, row: Verdict | None) -> None:
        """One fault at most for each identity, so that `wrong` counts identities."""
        verdicts = (first,) if row is None else (first, row)
        place = (self._evidence.partition, min(r.offset for r in window), window[-1].offset)
        started = to_iso(window[0].time)
        for one in verdicts:
            where = one.partition, one.first_offset, one.last_offset
            if where != place or (one.window_start or started) != started:
                self._fault(Fault.WRONG_WINDOW, one.id)
                return
        if row and (row.digest, row.model_version) != (first.digest, first.model_version):
            self._fault(Fault.WRONG_MODEL, row.id)
        else:
            self._rescorer.add(Claim(window, verdicts))

    def _fault(self, fault: Fault, example: str) -> None:
        self._findings.add(fault, example)


def _name(reading: Logged) -> str:
    return identity(reading.machine, reading.cycle, to_iso(reading.time))

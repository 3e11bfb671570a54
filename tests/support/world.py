"""A partition that went through the stream's own rules, as evidence for the judge to hear."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from ledger.evidence import Commit, Evidence, Identity, Letter, Message, Score, Verdict
from ledger.findings import Fault, Findings
from ledger.judge import Judge
from ledger.parse import letter_of, score_of
from plantwatch.accounting import CommitMetadata
from plantwatch.configuration import with_changes
from plantwatch.scoring import Verdicts
from plantwatch.settings import Settings
from stream_processors import chunks
from stream_processors.partition import Partition
from tests.support import streams
from tests.support.logs import steady
from tests.support.streams import CHOKING_VALUE, SumDetector, empty_partition, small_window_settings

DETECTOR = SumDetector()


class MendedDetector(SumDetector):
    """Has the same harmless answer for every window."""

    digest = "6" * 64
    answer = 0.25

    def score(self, windows: NDArray[np.float32]) -> Verdicts:
        same = np.full(len(windows), self.answer)
        return Verdicts(same, same, same > 0.5, same)


MENDED = MendedDetector()


@dataclass
class World:
    """What a pipeline left behind; tests break it."""

    settings: Settings
    readings: list[Message]
    scores: list[Score]
    anomalies: list[str]
    rows: list[Verdict]
    letters: list[Letter]
    worker: Commit
    sink: Commit
    starts: dict[str, int] = field(default_factory=dict)
    acked: list[Identity] = field(default_factory=list)

    def judged(self) -> Findings:
        evidence = Evidence(
            partition=0,
            readings=self.readings,
            scores=self.scores,
            anomalies=self.anomalies,
            rows=self.rows,
            letters=self.letters,
            worker=self.worker,
            sink=self.sink,
            starts=self.starts,
        )
        models = {one.digest: one for one in (DETECTOR, MENDED)}
        judge = Judge(self.settings, models.get, self.acked)
        judge.hear(evidence)
        return judge.close()

    def faults(self) -> set[Fault]:
        return set(self.judged().faults)

    def said(self, at: int) -> Verdict:
        """The verdict at an offset of `scores`."""
        verdict = self.scores[at].verdict
        assert verdict is not None
        return verdict

    def scored_once(self) -> list[int]:
        """Where on `scores` the verdicts are that have one message only."""
        ids = [one.verdict.id for one in self.scores if one.verdict]
        return [n for n, name in enumerate(ids) if ids.count(name) == 1]

    def counts(self, **more: int) -> None:
        """Change what is written beside the worker's offset."""
        metadata = self.worker.metadata
        assert metadata is not None
        counts = metadata.counts | {kind: metadata.counts[kind] + n for kind, n in more.items()}
        self.worker = replace(self.worker, metadata=metadata.model_copy(update={"counts": counts}))

    def refuse(self, offset: int) -> None:
        """Let PostgreSQL refuse one message of `scores`: no row, and a letter."""
        self.rows = [row for row in self.rows if row.id != self.said(offset).id]
        letter = Letter(self.settings.topics.scores, 0, offset, "store_refused", bytes(32))
        self.letters.append(letter)


def world(seed: int, length: int = 200, **window: int) -> World:
    """A pipeline that did everything right with machines in all kinds of disorder."""
    settings = with_changes(small_window_settings(), "window", **window)
    sent = _messages(seed, length)
    partition = empty_partition(settings)
    outcome = chunks.process([(partition, sent)], DETECTOR)
    found: dict[str, list[bytes]] = {}
    for output in outcome.outputs:
        found.setdefault(output.topic, []).append(output.value)
    topics = settings.topics
    scores = [
        score_of(Message(n, None, value)) for n, value in enumerate(found.get(topics.scores, []))
    ]
    return World(
        settings=settings,
        readings=[Message(one.at, one.raw_key, one.raw_value) for one in sent],
        scores=scores,
        anomalies=[v.id for v in _verdicts(found.get(topics.anomalies, []))],
        rows=list({one.verdict.id: one.verdict for one in scores[::-1] if one.verdict}.values()),
        letters=[found for found in map(letter_of, found.get(topics.dead_letters, [])) if found],
        worker=_commit(partition),
        sink=Commit(len(scores)),
    )


def _verdicts(values: Iterable[bytes]) -> list[Verdict]:
    return [
        one.verdict
        for one in (score_of(Message(0, None, value)) for value in values)
        if one.verdict
    ]


def _commit(partition: Partition) -> Commit:
    metadata = CommitMetadata.from_text(partition.metadata(DETECTOR.digest))
    return Commit(partition.ledger.position, metadata)


def _messages(seed: int, length: int) -> list[streams.Message]:
    """Machines that run on with faults of every kind, some garbage, some that choke the model."""
    rng = Random(seed)
    sent = []
    for reading in steady(seed, length):
        machine, at = int(reading.machine[1:]), reading.offset
        usual = machine - 0.5 + reading.cycle % 7 / 10 + reading.values[-1]
        value = CHOKING_VALUE if rng.random() < 0.05 else usual
        one = streams.message(at, machine, reading.cycle, value, reading.time)
        sent.append(replace(one, raw_value=b"{") if rng.random() < 0.02 else one)
    return sent

"""The worker's own account of a partition, held against the judge's."""

from collections import Counter

from ledger.evidence import Commit, Evidence
from ledger.findings import Fault, Findings
from plantwatch.accounting import SKIPPED
from plantwatch.settings import Topics


def check_counts(commit: Commit, read: Counter[str], place: str, findings: Findings) -> None:
    """Compare the classes counted beside a committed offset with those found.

    Args:
        commit: the worker's.
        read: classes of the readings in [metadata.start, offset); other offsets there must have
            been counted as skipped.
        place: what to call the partition.
        findings: where faults go.
    """
    if commit.metadata is None:
        if commit != Commit():
            findings.add(Fault.UNBALANCED, f"{place}: no counts beside offset {commit.offset}")
        return
    counted, passed = Counter(commit.metadata.counts), commit.offset - commit.metadata.start
    if counted.total() != passed:
        findings.add(Fault.UNBALANCED, f"{place}: {counted.total()} counted, {passed} passed")
    due = Counter({**read, SKIPPED: passed - read.total()})
    for kind in sorted(counted | due):
        if counted[kind] != due[kind]:
            findings.add(Fault.MISCOUNTED, f"{place}: {counted[kind]} {kind}, not {due[kind]}")


def check_beginnings(evidence: Evidence, topics: Topics, findings: Findings) -> None:
    """Readings must go back to where the worker began, what came of them to its beginning."""
    metadata = evidence.worker.metadata
    for topic, start in evidence.starts.items():
        needed = metadata.start if metadata and topic == topics.readings else 0
        if start > needed:
            findings.add(Fault.TRUNCATED, evidence.place(topic, start))

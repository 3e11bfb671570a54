import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantwatch.accounting import CLASSES, SKIPPED, CommitMetadata, Ledger
from plantwatch.windows import ReadingClass

# What the worker tells the ledger: the class of the next reading, or how many offsets to skip.
STEPS = st.lists(st.sampled_from(ReadingClass) | st.integers(0, 1000))
COUNTS = st.dictionaries(st.sampled_from(CLASSES), st.integers(0, 2**63 - 1))


def follow(ledger: Ledger, steps: list[ReadingClass | int]) -> None:
    for step in steps:
        if isinstance(step, ReadingClass):
            ledger.count(step)
        else:
            ledger.skip_to(ledger.position + step)


# Whatever happens, the counts add up to the offsets passed, and each class has its own number.
@given(st.integers(0, 2**62), STEPS)
def test_the_classes_always_add_up(start: int, steps: list[ReadingClass | int]) -> None:
    ledger = Ledger(start, start)
    follow(ledger, steps)
    assert sum(ledger.counts.values()) == ledger.position - start
    assert ledger.unaccounted == 0
    for kind in ReadingClass:
        assert ledger.counts.get(kind, 0) == steps.count(kind)
    skipped = sum(step for step in steps if not isinstance(step, ReadingClass))
    assert ledger.counts.get(SKIPPED, 0) == skipped


# An offset that was passed without a class, or counted twice, shows.
def test_what_does_not_add_up_shows() -> None:
    assert Ledger(10, 13, {ReadingClass.SCORED: 2}).unaccounted == 1
    assert Ledger(10, 13, {ReadingClass.SCORED: 4}).unaccounted == -1


# A worker that takes over from a commit counts on: nothing is counted twice or left out.
@given(STEPS, STEPS)
def test_the_counts_go_on_after_a_takeover(
    before: list[ReadingClass | int], after: list[ReadingClass | int]
) -> None:
    first = Ledger(100, 100)
    follow(first, before)
    metadata = CommitMetadata(start=100, low=100, model="m", counts=first.counts)
    read = CommitMetadata.from_text(metadata.to_text())
    assert read is not None
    second = Ledger(read.start, first.position, dict(read.counts))
    follow(second, after)
    assert sum(second.counts.values()) == second.position - 100


# Seeking back to an offset already accounted for changes nothing.
def test_an_offset_is_never_accounted_for_twice() -> None:
    ledger = Ledger(10, 10)
    ledger.count(ReadingClass.SCORED)
    ledger.skip_to(5)
    ledger.skip_to(11)
    assert (ledger.position, ledger.counts) == (11, {"scored": 1})


# What a commit carries is fixed when it is made: readings counted later do not slip into it.
def test_a_commit_does_not_change_while_it_is_under_way() -> None:
    ledger = Ledger(0, 0)
    ledger.count(ReadingClass.SCORED)
    metadata = CommitMetadata(start=0, low=0, model="m", counts=ledger.counts)
    ledger.count(ReadingClass.SCORED)
    assert metadata.counts == {"scored": 1}


# Metadata comes back from Kafka as it was written.
@given(BIG := st.integers(0, 2**63 - 1), BIG, st.text(), COUNTS)
def test_metadata_survives_the_broker(
    start: int, low: int, model: str, counts: dict[str, int]
) -> None:
    metadata = CommitMetadata(start=start, low=low, model=model, counts=counts)
    assert CommitMetadata.from_text(metadata.to_text()) == metadata


# Even with every number at its largest, metadata stays below 1 KB.
def test_metadata_is_small() -> None:
    largest = 2**63 - 1
    counts = dict.fromkeys(map(str, CLASSES), largest)
    metadata = CommitMetadata(start=largest, low=largest, model="f" * 64, counts=counts)
    assert len(metadata.to_text().encode()) < 1000


# Offsets committed by a tool, with its own text or none, are as good as no metadata.
@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "null",
        "[]",
        "{}",
        "reset by hand",
        "\x00",
        "\ud800",
        "[" * 5000,
        '{"start": 0}',
        '{"start": "no", "low": 0, "model": "m", "counts": {}}',
        '{"start": 0, "low": 0, "model": "m", "counts": {"scored": 0.5}}',
        '{"start": NaN, "low": 0, "model": "m", "counts": {}}',
    ],
)
def test_foreign_metadata_is_no_metadata(text: str | None) -> None:
    assert CommitMetadata.from_text(text) is None


# The same for any text at all.
@given(st.text())
def test_any_text_is_tolerated(text: str) -> None:
    assert CommitMetadata.from_text(text) is None


# A later version may write more; this one reads what it knows.
def test_metadata_of_a_later_version_is_read() -> None:
    later = {"start": 1, "low": 2, "model": "m", "counts": {"scored": 3}, "shadow": "digest"}
    read = CommitMetadata.from_text(orjson.dumps(later).decode())
    assert read == CommitMetadata(start=1, low=2, model="m", counts={"scored": 3})

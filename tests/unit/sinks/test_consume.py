"""The loop's order of things, with a broker and a store that only write down what is asked."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest

from connections.prometheus import Exporter
from plantwatch.configuration import load
from plantwatch.errors import StoreAwayError
from sinks.consume import SinkLoop
from sinks.instruments import Instruments
from sinks.sink import Outcome, Record, Refusal, Row, row_of
from tests.support.verdicts import record, verdict

RECORDS = [record(verdict(cycle).to_bytes(), offset=cycle) for cycle in range(3)]


class World:
    """Everything around the loop: one diary, and a script of how often the store is away."""

    name = "diary"

    def __init__(
        self,
        records: Sequence[Record],
        *,
        away: int = 0,
        taken_away: bool = False,
        batches: int = 1,
    ) -> None:
        self.diary: list[str] = []
        self.waits: list[float] = []
        self.tended = 0
        self.untended = False
        self.epoch = 0
        self.stopping = Event()
        self._batches = [list(records)] * batches
        self._away = away
        self._taken_away = taken_away
        self._done = 0

    # the subscription

    def poll(self, rows: int, seconds: float) -> list[Record]:
        del rows, seconds
        if self._batches:
            return self._batches.pop()
        self.stopping.set()
        return []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.epoch += self._taken_away

    def done(self, records: Sequence[Record]) -> None:
        self._done += len(records)

    def commit(self) -> None:
        if self._done:
            self.diary.append(f"commit {self._done}")
        self._done = 0

    def lag(self) -> dict[int, int]:
        return {0: 0}

    def close(self) -> None:
        self.diary.append("close")

    # the sink

    def write(self, batch: Sequence[Row]) -> Outcome[Row]:
        self.diary.append(f"write {len(batch)}")
        if self._away:
            self._away -= 1
            raise StoreAwayError("lost", "gone")
        refused = [Refusal(row, "no") for row in batch if row.event.confidence > 1]
        stored = [row for row in batch if row.event.confidence <= 1]
        return Outcome(stored, 0, refused)

    def tend(self) -> None:
        self.tended += 1
        if self.untended:
            raise StoreAwayError("lost", "gone")

    # the dead letters

    def bad_event(self, what: Record, error: ValueError) -> None:
        del error
        self.diary.append(f"bury {what.offset}")

    def refused(self, refusal: Refusal[Row]) -> None:
        self.diary.append(f"bury {refusal.row.record.offset}")

    def flush(self) -> None:
        self.diary.append("flush")


def run(
    world: World,
    clock: Callable[[], float] = time.monotonic,
    read: Callable[[Record], Row | None] = row_of,
) -> Exporter:
    exporter = Exporter()
    settings = load(Path("configs"), {}).sink
    SinkLoop(
        settings=settings,
        subscription=world,  # type: ignore[arg-type]  # a double
        read=read,
        sink=world,
        letters=world,  # type: ignore[arg-type]  # a double
        instruments=Instruments(exporter, world.name),
        stopping=world.stopping,
        clock=clock,
    ).run()
    return exporter


# Offsets are committed when rows are stored and dead letters acknowledged, never before.
def test_committing_comes_last() -> None:
    bad = record(verdict(9, confidence=2.0).to_bytes(), offset=9)
    world = World([*RECORDS, record(b"no json", offset=8), bad])
    exporter = run(world)
    assert world.diary[:5] == ["bury 8", "write 4", "bury 9", "flush", "commit 5"]
    value = exporter.registry.get_sample_value
    labels = {"sink": "diary"}
    assert value("plantwatch_sink_rows_total", labels | {"result": "stored"}) == 3
    assert value("plantwatch_sink_rows_total", labels | {"result": "refused"}) == 1


# Of batches upon batches only some are followed by a commit; the last one's offsets are committed
# as soon as nothing comes.
def test_commits_are_spared_while_batches_come() -> None:
    world = World(RECORDS, batches=5)
    seconds = iter([0.0, 0.0, 0.0, 0.1, 0.2, 1.0, 1.0, 1.1, 1.1])
    run(world, lambda: next(seconds))
    commits = [line for line in world.diary if line.startswith("commit")]
    assert commits == ["commit 3", "commit 9", "commit 3"]


# While the store is away the same batch is written again, after longer and longer waits up to the
# longest, and only then committed.
def test_it_waits_for_the_store() -> None:
    world = World(RECORDS, away=7)
    exporter = run(world)
    assert world.diary[:10] == ["write 3"] * 8 + ["flush", "commit 3"]
    assert world.waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    labels = {"sink": "diary", "why": "lost"}
    assert exporter.registry.get_sample_value("plantwatch_sink_retries_total", labels) == 7


# Waits stay bounded through the longest outage.
def test_it_waits_for_ever() -> None:
    world = World(RECORDS, away=3_000)
    run(world)
    assert max(world.waits) == 5
    assert "commit 3" in world.diary


# A batch whose partitions are taken away while the store is gone is left to the next owner.
def test_a_lost_partition_is_not_committed() -> None:
    world = World(RECORDS, away=1, taken_away=True)
    run(world)
    assert world.diary == ["write 3", "flush", "close", "close"]


# Whatever ends the loop, its consumer and its store are closed.
def test_it_closes_on_the_way_out() -> None:
    world = World(RECORDS)
    world.write = None  # type: ignore[method-assign, assignment]  # broken
    with pytest.raises(TypeError):
        run(world)
    assert world.diary == ["close", "close"]


# What is not for the sink is neither written nor buried, but counted and committed past.
def test_messages_can_be_passed_over() -> None:
    world = World(RECORDS)
    exporter = run(world, read=lambda record: row_of(record) if record.offset == 1 else None)
    assert world.diary[:3] == ["write 1", "flush", "commit 3"]
    labels = {"sink": "diary", "result": "passed over"}
    assert exporter.registry.get_sample_value("plantwatch_sink_rows_total", labels) == 2


# The store is tended between batches and while none come; should it be away just then, the rows
# that come next are written all the same.
def test_the_store_is_tended() -> None:
    world = World(RECORDS, batches=2)
    world.untended = True
    exporter = run(world)
    assert world.tended == 3
    assert world.diary.count("write 3") == 2
    labels = {"sink": "diary", "why": "lost"}
    assert exporter.registry.get_sample_value("plantwatch_sink_retries_total", labels) == 3

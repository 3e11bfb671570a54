"""How throughput and memory grow with the number of machines, every one with a full history.

In one process and without Kafka: what is measured is the worker's state, not the way to it.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.processes import resident_bytes
from data.fleet import Fleet
from evaluation.play import end_with_parent
from faults.readings import Row, endless
from models.cache import load_production
from plantwatch.accounting import Ledger
from plantwatch.configuration import with_changes
from plantwatch.settings import Settings
from stream_processors import chunks
from stream_processors.partition import Partition

SIZES: Final = (100, 10_000, 100_000)
"""Machines of the everyday load, of the read-backs in `faults`, and of its start of all at once."""
_MEASURED: Final = 20_000
"""Readings scored after the histories are there."""
_AT_ONCE: Final = 1000
"""Readings of a history handed over at once; their bytes are gone before memory is looked at."""


class Grown(NamedTuple):
    """A fleet of a size: `memory_mb` is what its histories took."""

    machines: int
    readings_per_s: float
    memory_mb: float
    bytes_per_machine: float


class _Message(NamedTuple):
    """A message as `Partition` wants it."""

    body: tuple[bytes, bytes, int]

    def key(self) -> bytes:
        return self.body[0]

    def value(self) -> bytes:
        return self.body[1]

    def offset(self) -> int:
        return self.body[2]

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


def grow(settings: Settings, fleet: Fleet, cache: Path) -> Iterator[Grown]:
    """Measure every size in a process of its own: memory that is freed seldom goes back."""
    own = with_changes(settings, "model", cache=cache)
    for machines in SIZES:
        with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as pool:
            yield pool.submit(_grown, own, fleet, machines).result()


def _grown(settings: Settings, fleet: Fleet, machines: int) -> Grown:
    detector, numbers = load_production(settings), range(settings.kafka.partitions)
    sources = [_messages(endless(fleet, machines // len(numbers), f"p{n}-")) for n in numbers]
    for source in sources:
        next(source)  # makes what it repeats: memory of the load, not of the histories
    before = resident_bytes()
    filled = [
        (_filled(settings, source, machines // len(numbers), number), source)
        for number, source in enumerate(sources)
    ]
    memory = resident_bytes() - before
    rounds, seconds = _MEASURED // settings.worker.chunk_size, 0.0
    for number in range(rounds):
        partition, readings = filled[number % len(filled)]
        records = list(islice(readings, settings.worker.chunk_size))
        began = time.perf_counter()
        chunks.process([(partition, records)], detector)
        seconds += time.perf_counter() - began
    rate = rounds * settings.worker.chunk_size / seconds
    return Grown(machines, round(rate), round(memory / 2**20), round(memory / machines))


def _filled(
    settings: Settings, readings: Iterator[_Message], machines: int, number: int
) -> Partition:
    """A partition whose machines have a full history; their very first reading is taken already."""
    left = settings.window.history * machines
    partition = Partition(number, settings, Ledger(1 + left, 1 + left), 1)
    while chunk := list(islice(readings, min(_AT_ONCE, left))):
        partition.restore(chunk)
        left -= len(chunk)
    return partition


def _messages(rows: Iterator[Row]) -> Iterator[_Message]:
    for offset, row in enumerate(rows):
        key, value = row.sent()
        assert key is not None
        assert value is not None
        yield _Message((key, value, offset))

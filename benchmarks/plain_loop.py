"""The yardstick: a plain confluent-kafka loop that keeps the worker's promise by its rules.

Same messages, windows, model, outputs and commit metadata; delivery reports checked before each
commit; fair fetch settings. What it leaves out is all that Faust is for: taking partitions over
while others work, flow control, an orderly end.

    python -m benchmarks.plain_loop      (the settings come from the environment)
"""

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from confluent_kafka import Consumer, TopicPartition

from connections.kafka import CheckedProducer, producer_config
from models.cache import load_production
from plantwatch.configuration import environment, load
from plantwatch.settings import Settings
from stream_processors import chunks
from stream_processors.app import group_config
from stream_processors.read_back import rebuild

if TYPE_CHECKING:
    from stream_processors.partition import Partition, Record


def main() -> None:
    """Score until SIGTERM."""
    settings = load(Path("configs"), environment())
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    loop = _Loop(settings)
    while not stop:
        loop.turn()
    loop.commit()


class _Loop:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._detector = load_production(settings)
        self._producer = CheckedProducer(producer_config(settings))
        self._partitions: dict[int, Partition] = {}
        self._consumer = Consumer(group_config(settings))
        self._consumer.subscribe([settings.topics.readings], on_assign=self._on_assign)
        self._committed = time.monotonic()

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        for one in consumer.committed(assigned, timeout=10):
            one.offset = max(one.offset, 0)
            rebuilt = rebuild(self._settings, one)
            self._partitions[one.partition] = rebuilt.partition

    def turn(self) -> None:
        """One batch through, and a commit now and then."""
        worker = self._settings.worker
        by_partition: dict[int, list[Record]] = {}
        wanted = worker.chunk_size * len(self._partitions or (0,))  # as the worker does
        for message in self._consumer.consume(wanted, worker.chunk_fill_ms / 1000):
            number = message.partition()
            assert number is not None
            by_partition.setdefault(number, []).append(cast("Record", message))
        for number, records in by_partition.items():
            outcome = chunks.process([(self._partitions[number], records)], self._detector)
            for output in outcome.outputs:
                self._producer.send(*output)
        self._producer.poll()
        if time.monotonic() - self._committed > worker.commit_interval_sec:
            self.commit()

    def commit(self) -> None:
        """Offsets never pass an output: flush first, refuse on any failed delivery."""
        while not self._producer.flush(1.0):
            pass
        offsets = [
            TopicPartition(
                self._settings.topics.readings,
                partition.number,
                partition.ledger.position,
                metadata=partition.metadata(self._detector.digest),
            )
            for partition in self._partitions.values()
        ]
        if offsets:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        self._committed = time.monotonic()


if __name__ == "__main__":
    main()

"""The job without Kafka: decode, cut, score and encode readings that are in memory already.

What it says is also what the others are held against: the same rules with nothing in between. Its
outputs go to Kafka when the measurement is over.

    python -m benchmarks.offline FILE      (the settings come from the environment)
"""

import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connections.kafka import CheckedProducer, producer_config
from connections.span import Record, held, read
from models.cache import load_production
from plantwatch.accounting import Ledger
from plantwatch.configuration import environment, load
from plantwatch.settings import Settings
from stream_processors import chunks
from stream_processors.outputs import Output
from stream_processors.partition import Partition

_FLUSH_SEC: Final = 30.0


def main(result: Path) -> None:
    """Score all that `readings` holds; write rate and CPU into `result`, the outputs to Kafka."""
    settings = load(Path("configs"), environment())
    parts, detector = list(_parts(settings)), load_production(settings)
    partitions = {number: Partition(number, settings, Ledger(0, 0), 0) for number, _ in parts}
    gc.freeze()  # no consumer holds so many messages: the collector should not walk them all
    wall, cpu = time.monotonic(), time.process_time()
    outputs = [
        output
        for number, records in parts
        for output in chunks.process([(partitions[number], records)], detector).outputs
    ]
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    readings = sum(len(records) for _, records in parts)
    _produce(settings, outputs)
    figures = {"readings_per_s": readings / wall, "cpu_us_per_reading": 1e6 * cpu / readings}
    result.write_text(json.dumps(figures), encoding="utf-8")


def _parts(settings: Settings) -> Iterator[tuple[int, list[Record]]]:
    """(partition, its next messages), of the size that the worker takes at once."""
    topic, size = settings.topics.readings, settings.worker.chunk_size
    by_partition: dict[int, list[Record]] = {}
    for record in read(settings, topic, held(settings, topic)):
        by_partition.setdefault(record.partition(), []).append(record)
    for number, records in by_partition.items():
        for start in range(0, len(records), size):
            yield number, records[start : start + size]


def _produce(settings: Settings, outputs: list[Output]) -> None:
    producer = CheckedProducer(producer_config(settings))
    for output in outputs:
        producer.send(*output)
    producer.flush(_FLUSH_SEC)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
